//! From tshark's aggregated option texts to options: whatever the texts say, the options read from them fit together.
#![no_main]

use self::texts::{Texts, options};
use libfuzzer_sys::fuzz_target;

// A file of the program, which is not compiled here: with polars it takes half an hour.
#[path = "../../src/packets/tshark/options.rs"]
mod texts;

fuzz_target!(|input: (u16, &str)| {
    let (tcp_flags, line) = input;
    // As tshark prints them: fields separated by tabs, values by commas.
    let mut fields = line.split('\t');
    let mut next = || fields.next().unwrap_or("");
    let texts = Texts {
        kinds: next(),
        lengths: next(),
        bytes: next(),
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
    // Of an option that is too short for its flags the texts lack what they announce.
    if let Some(dss) = found.dss {
        assert!(dss.mapping.is_none() || dss.flags & 4 != 0, "a mapping that the flags do not announce");
        assert!(dss.data_ack.is_none() || dss.flags & 1 != 0, "a DATA_ACK that the flags do not announce");
    }
});
