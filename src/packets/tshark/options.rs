//! From tshark's aggregated option fields back to the single options of one packet.
//!
//! tshark prints each field once per occurrence (`tcp.options.mptcp.addrid` as `2,5`) and does not say which option
//! an occurrence belongs to. The lists of option kinds and lengths do: walking them in order, each option takes the
//! values that an option of its subtype and length has. An option that the snap length cut has fewer values left
//! than it should, which is how a cut one is told.

use std::net::IpAddr;

use mptcp_trace::packets::option_form::MPTCP;
use mptcp_trace::packets::segment::{
    AddAddr, Capable, Control, Dss, Join, Mapping, Prio, ResetReason, flag, hmac_from_hexadecimal, subtype,
};

/// The aggregated texts of one packet, as tshark printed them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Texts<'a> {
    /// `tcp.option_kind`
    pub kinds: &'a str,
    /// `tcp.option_len`
    pub lengths: &'a str,
    /// `tcp.options`: all options as hexadecimal bytes
    pub bytes: &'a str,
    /// `tcp.options.mptcp.subtype`
    pub subtypes: &'a str,
    /// `tcp.options.mptcp.version`
    pub version: &'a str,
    /// `tcp.options.mptcp.flags`
    pub flags: &'a str,
    /// `tcp.options.mptcp.backup.flag`
    pub backup: &'a str,
    /// `tcp.options.mptcp.addrid`
    pub address_ids: &'a str,
    /// `tcp.options.mptcp.sendkey`
    pub sender_key: &'a str,
    /// `tcp.options.mptcp.recvkey`
    pub receiver_key: &'a str,
    /// `tcp.options.mptcp.recvtok`
    pub token: &'a str,
    /// `tcp.options.mptcp.sendrand`
    pub nonce: &'a str,
    /// `tcp.options.mptcp.sendtrunchmac`
    pub truncated_hmac: &'a str,
    /// `tcp.options.mptcp.sendhmac`
    pub hmac: &'a str,
    /// `tcp.options.mptcp.addaddrtrunchmac`
    pub add_addr_hmac: &'a str,
    /// `tcp.options.mptcp.rawdataack`
    pub data_ack: &'a str,
    /// `tcp.options.mptcp.rawdataseqno`
    pub dsn: &'a str,
    /// `tcp.options.mptcp.subflowseqno`
    pub ssn: &'a str,
    /// `tcp.options.mptcp.datalvllen`
    pub data_length: &'a str,
    /// `tcp.options.mptcp.checksum`
    pub checksum: &'a str,
    /// `tcp.options.mptcp.rst_reason`
    pub reset_reason: &'a str,
    /// `tcp.options.mptcp.echo`
    pub echo: &'a str,
    /// `tcp.options.mptcp.ipv4`
    pub ipv4: &'a str,
    /// `tcp.options.mptcp.ipv6`
    pub ipv6: &'a str,
    /// `tcp.options.mptcp.port`
    pub port: &'a str,
}

/// The options of one packet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Kinds of all TCP options, in order.
    pub kinds: Vec<u8>,
    /// DSS.
    pub dss: Option<Dss>,
    /// The other MPTCP options.
    pub control: Option<Box<Control>>,
    /// An option lacks values and was not recorded to its end.
    pub cut: bool,
}

/// One aggregated field, its values taken from left to right.
struct Values<'a>(&'a str);

impl<'a> Values<'a> {
    fn take(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let (value, rest) = self.0.split_once(',').unwrap_or((self.0, ""));
        self.0 = rest;
        Some(value)
    }

    fn number<T: TryFrom<u64>>(&mut self) -> Option<T> {
        number(self.take()?)
    }
}

/// A decimal or `0x` hexadecimal number.
pub fn number<T: TryFrom<u64>>(text: &str) -> Option<T> {
    let value = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => text.parse::<u64>().ok()?,
    };
    T::try_from(value).ok()
}

/// The numbers of an aggregated list.
pub fn numbers<T: TryFrom<u64>>(text: &str) -> Vec<T> {
    let mut values = Values(text);
    std::iter::from_fn(|| values.take()).filter_map(number).collect()
}

/// The values that no option has taken yet.
struct Cursor<'a> {
    version: Values<'a>,
    flags: Values<'a>,
    backup: Values<'a>,
    address_ids: Values<'a>,
    sender_key: Values<'a>,
    receiver_key: Values<'a>,
    token: Values<'a>,
    nonce: Values<'a>,
    truncated_hmac: Values<'a>,
    hmac: Values<'a>,
    add_addr_hmac: Values<'a>,
    data_ack: Values<'a>,
    dsn: Values<'a>,
    ssn: Values<'a>,
    data_length: Values<'a>,
    checksum: Values<'a>,
    reset_reason: Values<'a>,
    echo: Values<'a>,
    ipv4: Values<'a>,
    ipv6: Values<'a>,
    port: Values<'a>,
}

impl<'a> Cursor<'a> {
    fn new(texts: &Texts<'a>) -> Self {
        Cursor {
            version: Values(texts.version),
            flags: Values(texts.flags),
            backup: Values(texts.backup),
            address_ids: Values(texts.address_ids),
            sender_key: Values(texts.sender_key),
            receiver_key: Values(texts.receiver_key),
            token: Values(texts.token),
            nonce: Values(texts.nonce),
            truncated_hmac: Values(texts.truncated_hmac),
            hmac: Values(texts.hmac),
            add_addr_hmac: Values(texts.add_addr_hmac),
            data_ack: Values(texts.data_ack),
            dsn: Values(texts.dsn),
            ssn: Values(texts.ssn),
            data_length: Values(texts.data_length),
            checksum: Values(texts.checksum),
            reset_reason: Values(texts.reset_reason),
            echo: Values(texts.echo),
            ipv4: Values(texts.ipv4),
            ipv6: Values(texts.ipv6),
            port: Values(texts.port),
        }
    }
}

/// Takes the options of one packet apart.
#[must_use]
pub fn options(texts: &Texts<'_>, tcp_flags: u16) -> Options {
    let mut options = Options { kinds: numbers(texts.kinds), ..Options::default() };
    if texts.subtypes.is_empty() && !options.kinds.contains(&MPTCP) {
        return options;
    }
    let mut lengths = Values(texts.lengths);
    let mut subtypes = Values(texts.subtypes);
    let mut cursor = Cursor::new(texts);
    let mut control = Control::default();
    let mut next = 0_usize;
    for kind in options.kinds.clone() {
        let start = next;
        // End of list and no-operation are the two kinds without a length.
        if kind < 2 {
            next += 1;
            continue;
        }
        let length: u8 = lengths.number().unwrap_or(0);
        next += usize::from(length);
        if kind != MPTCP {
            continue;
        }
        // Two digits a byte.
        let recorded = next.saturating_mul(2) <= texts.bytes.len();
        let Some(subtype) = subtypes.number::<u8>() else {
            options.cut |= !recorded;
            continue;
        };
        control.subtypes.push(subtype);
        let whole = match subtype {
            subtype::DSS => cursor.dss(texts, start, length, &mut options.dss),
            _ => cursor.control(subtype, length, tcp_flags, &mut control),
        };
        options.cut |= !whole && !recorded;
    }
    let only_dss = control.subtypes == [subtype::DSS];
    if !control.subtypes.is_empty() && !only_dss {
        options.control = Some(Box::new(control));
    }
    options
}

impl Cursor<'_> {
    /// Fills `slot` from the option that begins at byte `start` and tells whether it was whole.
    fn dss(&mut self, texts: &Texts<'_>, start: usize, length: u8, slot: &mut Option<Dss>) -> bool {
        let Some(flags) = self.flags.number::<u8>() else { return false };
        let mut dss = Dss { flags, ..Dss::default() };
        let mut whole = true;
        if dss.has(Dss::DATA_ACK) {
            dss.data_ack = self.data_ack.number();
            whole &= dss.data_ack.is_some();
        }
        if dss.has(Dss::MAPPING) {
            let parts = (self.dsn.number(), self.ssn.number(), self.data_length.number());
            let due = usize::from(length) == length_without_checksum(&dss) + 2;
            let checksum = if due { last_word(texts.bytes, start, length) } else { None };
            if let (Some(dsn), Some(ssn), Some(length)) = parts {
                dss.mapping = Some(Mapping { dsn, ssn, length, checksum });
            }
            whole &= dss.mapping.is_some() && (checksum.is_some() || !due);
        }
        *slot = Some(dss);
        whole
    }

    /// Fills `control` and tells whether the option was whole.
    fn control(&mut self, kind: u8, length: u8, tcp_flags: u16, control: &mut Control) -> bool {
        match kind {
            subtype::MP_CAPABLE => self.capable(length, control),
            subtype::MP_JOIN => self.join(length, tcp_flags, control),
            subtype::ADD_ADDR => self.add_addr(length, control),
            subtype::REMOVE_ADDR => {
                let count = usize::from(length.saturating_sub(3));
                let ids: Vec<u8> = (0..count).map_while(|_| self.address_ids.number()).collect();
                let whole = ids.len() == count;
                control.remove_addr = Some(ids);
                whole
            }
            subtype::MP_PRIO => {
                let flags = self.flags.number::<u8>();
                let _ = self.backup.take();
                let address_id = if length >= 4 { self.address_ids.number() } else { None };
                control.prio = flags.map(|flags| Prio { backup: flags & 1 == 1, address_id });
                control.prio.is_some()
            }
            subtype::MP_FAIL => {
                control.fail = self.dsn.number();
                control.fail.is_some()
            }
            subtype::MP_FASTCLOSE => {
                control.fastclose = self.receiver_key.number();
                control.fastclose.is_some()
            }
            subtype::MP_TCPRST => {
                let flags = self.flags.number::<u8>();
                let reason = self.reset_reason.number();
                control.reset = Some(ResetReason { flags: flags.unwrap_or(0) & 0x0f, reason });
                reason.is_some()
            }
            _ => true,
        }
    }

    fn capable(&mut self, length: u8, control: &mut Control) -> bool {
        let Some(version) = self.version.number::<u8>() else { return false };
        let Some(flags) = self.flags.number::<u8>() else { return false };
        let mut capable = Capable { version, flags, ..Capable::default() };
        let mut whole = true;
        if length >= 12 {
            capable.sender_key = self.sender_key.number();
            whole &= capable.sender_key.is_some();
        }
        if length >= 20 {
            capable.receiver_key = self.receiver_key.number();
            whole &= capable.receiver_key.is_some();
        }
        if length >= 22 {
            capable.data_length = self.data_length.number();
            whole &= capable.data_length.is_some();
        }
        if length >= 24 {
            capable.checksum = self.checksum.number();
            whole &= capable.checksum.is_some();
        }
        control.capable = Some(capable);
        whole
    }

    /// tshark tells the three forms by their lengths; a form that its packet cannot have means nothing.
    fn join(&mut self, length: u8, tcp_flags: u16, control: &mut Control) -> bool {
        let (is_syn, is_ack) = (tcp_flags & flag::SYN != 0, tcp_flags & flag::ACK != 0);
        if length == 24 {
            let hmac = self.hmac.take().and_then(hmac_from_hexadecimal);
            control.join = (!is_syn).then_some(Join::Ack { hmac });
            return !is_syn && hmac.is_some();
        }
        if !matches!(length, 12 | 16) {
            return false;
        }
        let token = if length == 12 { self.token.number() } else { None };
        let truncated_hmac = if length == 16 { self.truncated_hmac.number() } else { None };
        let _ = self.backup.take();
        let (flags, address_id) = (self.flags.number::<u8>(), self.address_ids.number::<u8>());
        let nonce = self.nonce.number();
        let (Some(flags), Some(address_id)) = (flags, address_id) else { return false };
        let backup = flags & 1 == 1;
        control.join = match (length, is_syn, is_ack) {
            (12, true, false) => Some(Join::Syn { backup, address_id, token, nonce }),
            (16, true, true) => Some(Join::SynAck { backup, address_id, truncated_hmac, nonce }),
            _ => return false,
        };
        (token.is_some() || truncated_hmac.is_some()) && nonce.is_some()
    }

    fn add_addr(&mut self, length: u8, control: &mut Control) -> bool {
        // Version 0 has an IP version where version 1 has the echo flag, and no HMAC.
        let echo = self.echo.number::<u8>() == Some(1);
        let Some(address_id) = self.address_ids.number::<u8>() else { return false };
        // Versions differ only in lengths: those of an IPv4 address are below 20.
        let address = if length < 20 {
            self.ipv4.take().and_then(|text| text.parse().ok()).map(IpAddr::V4)
        } else {
            self.ipv6.take().and_then(|text| text.parse().ok()).map(IpAddr::V6)
        };
        let port_due = matches!(length, 10 | 18 | 22 | 30);
        let hmac_due = matches!(length, 16 | 18 | 28 | 30);
        let port = if port_due { self.port.number() } else { None };
        let hmac = if hmac_due { self.add_addr_hmac.number() } else { None };
        control.add_addr = Some(AddAddr { address_id, echo, address, port, hmac });
        address.is_some() && (hmac.is_some() || !hmac_due) && (port.is_some() || !port_due)
    }
}

/// The length that a DSS with a mapping has when checksums are not used (RFC 8684 §3.3).
fn length_without_checksum(dss: &Dss) -> usize {
    let data_ack = match (dss.has(Dss::DATA_ACK), dss.has(Dss::DATA_ACK_8)) {
        (false, _) => 0,
        (true, false) => 4,
        (true, true) => 8,
    };
    4 + data_ack + if dss.has(Dss::DSN_8) { 8 } else { 4 } + 4 + 2
}

/// The last two bytes of the option that begins at byte `start`: tshark has no field for the checksum of DSS (it
/// looks for two bytes more than there are).
fn last_word(bytes: &str, start: usize, length: u8) -> Option<u16> {
    let end = start + usize::from(length);
    u16::from_str_radix(bytes.get((end * 2).checked_sub(4)?..end * 2)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fail_beside_dss_keeps_both_sequence_numbers_apart() {
        // What tshark 4.0.17 prints for an ACK with DSS (DATA_ACK only, 8 bytes) and MP_FAIL.
        let texts = Texts {
            kinds: "1,1,8,30,30",
            lengths: "10,12,12",
            subtypes: "2,6",
            flags: "0x03",
            data_ack: "8197254016404386375",
            dsn: "8197254016404386375",
            ..Texts::default()
        };
        let options = options(&texts, flag::ACK);
        let dss = options.dss.unwrap();
        assert_eq!(dss.data_ack, Some(8_197_254_016_404_386_375));
        assert_eq!(dss.mapping, None);
        assert_eq!(options.control.unwrap().fail, Some(8_197_254_016_404_386_375));
        assert!(!options.cut);
    }

    #[test]
    fn fastclose_beside_reset_takes_the_key_and_the_reset_its_flags() {
        let texts = Texts {
            kinds: "1,1,8,30,30",
            lengths: "10,12,4",
            subtypes: "7,8",
            flags: "0x80",
            receiver_key: "3345582330874350068",
            reset_reason: "0x00",
            ..Texts::default()
        };
        let control = options(&texts, flag::RST | flag::ACK).control.unwrap();
        assert_eq!(control.fastclose, Some(3_345_582_330_874_350_068));
        assert_eq!(control.reset, Some(ResetReason { flags: 0, reason: Some(0) }));
    }

    #[test]
    fn a_join_whose_token_was_cut_is_said_to_be_cut() {
        let texts = Texts {
            kinds: "2,4,8,1,3,30",
            lengths: "4,2,10,3,12",
            subtypes: "1",
            flags: "0x10",
            backup: "0",
            address_ids: "2",
            ..Texts::default()
        };
        let options = options(&texts, flag::SYN);
        assert!(options.cut);
        let join = options.control.unwrap().join.unwrap();
        assert_eq!(join, Join::Syn { backup: false, address_id: 2, token: None, nonce: None });
    }

    #[test]
    fn removed_ids_follow_the_option_length() {
        let texts = Texts {
            kinds: "1,1,8,30,30",
            lengths: "10,12,5",
            subtypes: "2,4",
            flags: "0x03",
            data_ack: "7",
            address_ids: "3,4",
            ..Texts::default()
        };
        assert_eq!(options(&texts, flag::ACK).control.unwrap().remove_addr, Some(vec![3, 4]));
    }

    #[test]
    fn first_data_of_version_1_has_both_keys_and_a_length() {
        let texts = Texts {
            kinds: "1,1,8,30",
            lengths: "10,24",
            subtypes: "0",
            version: "1",
            flags: "0x81",
            sender_key: "12802832384694913696",
            receiver_key: "107776540147943630",
            data_length: "40",
            checksum: "0x0c2f",
            ..Texts::default()
        };
        let control = options(&texts, flag::ACK | flag::PSH).control.unwrap();
        let expected = Capable {
            version: 1,
            flags: 0x81,
            sender_key: Some(12_802_832_384_694_913_696),
            receiver_key: Some(107_776_540_147_943_630),
            data_length: Some(40),
            checksum: Some(0x0c2f),
        };
        assert_eq!(control.capable, Some(expected));
    }

    #[test]
    fn the_checksum_of_a_mapping_is_taken_from_the_bytes() {
        // Two no-operations, timestamps, then DSS with an 8-byte DATA_ACK and DSN, and the checksum beef.
        let dss = "1e1c200f00000000000000010000000000000002000000030004beef";
        let bytes = format!("0101080a0000000100000002{dss}");
        let texts = Texts {
            kinds: "1,1,8,30",
            lengths: "10,28",
            bytes: &bytes,
            subtypes: "2",
            flags: "0x0f",
            data_ack: "1",
            dsn: "2",
            ssn: "3",
            data_length: "4",
            ..Texts::default()
        };
        let whole = options(&texts, flag::ACK);
        assert_eq!(whole.dss.unwrap().mapping.unwrap().checksum, Some(0xbeef));
        assert!(!whole.cut);
        let cut = options(&Texts { bytes: &bytes[..bytes.len() - 2], ..texts }, flag::ACK);
        assert!(cut.cut);
    }

    #[test]
    fn numbers_beyond_their_type_are_no_numbers() {
        assert_eq!(number::<u8>("256"), None);
        assert_eq!(number::<u64>("18446744073709551615"), Some(u64::MAX));
        assert_eq!(number::<u16>("0x1f"), Some(31));
        assert_eq!(number::<u8>("-1"), None);
    }
}
