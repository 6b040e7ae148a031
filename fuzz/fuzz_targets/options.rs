//! From tshark's aggregated option texts to options: whatever the texts say, the options read from them fit together.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mptcpanalyzer::packets::tshark::options::{Texts, options};

fuzz_target!(|input: (u16, &str)| {
    let (tcp_flags, line) = input;
    // As tshark prints them: fields separated by tabs, values by commas.
    let mut fields = line.split('\t');
    let mut next = || fields.next().unwrap_or("");
    let texts = Texts {
        kinds: next(),
        lengths: next(),
        octets: next(),
        subtypes: next(),
        version: next(),
        flags: next(),
        backup: next(),
        address_ids: next(),
        sender_key: next(),
        receiver_key: next(),
        token: next(),
        nonce: next(),
        truncated_hmac: next(),
        hmac: next(),
        add_addr_hmac: next(),
        data_ack: next(),
        dsn: next(),
        ssn: next(),
        data_length: next(),
        checksum: next(),
        reset_reason: next(),
        echo: next(),
        ipv4: next(),
        ipv6: next(),
        port: next(),
    };
    let found = options(&texts, tcp_flags);
    let mptcp = found.kinds.iter().filter(|kind| **kind == 30).count();
    assert!(found.dss.is_none() || mptcp > 0, "a DSS without an MPTCP option");
    if let Some(control) = &found.control {
        assert!(control.subtypes.len() <= mptcp, "more subtypes than options");
        assert!(!control.subtypes.is_empty(), "contents without a subtype");
        let ids = control.remove_addr.as_ref().map_or(0, Vec::len);
        assert!(ids <= 252, "more address ids than an option has room for");
    }
    if let Some(dss) = found.dss
        && !found.cut
    {
        assert_eq!(dss.mapping.is_some(), dss.flags & 4 != 0, "a mapping that the flags do not announce, or none");
        assert_eq!(dss.data_ack.is_some(), dss.flags & 1 != 0, "a DATA_ACK that the flags do not announce, or none");
    }
});
