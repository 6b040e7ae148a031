//! [`Segment`]: one dissected TCP packet with its MPTCP options, the currency of the pipeline.
//!
//! A segment says only what is in its packet. Both the option layouts of RFC 6824 (version 0) and RFC 8684
//! (version 1) fit. What nearly every packet carries (DSS) sits inline; what only handshakes and the path manager
//! send ([`Control`]) is boxed, so that a long transfer costs no allocation per packet.

use std::net::IpAddr;
use std::sync::Arc;

use crate::Instant;

/// TCP flag bits, as in `tcpflags`.
pub mod flag {
    /// No more data from the sender.
    pub const FIN: u16 = 0x001;
    /// Synchronise sequence numbers.
    pub const SYN: u16 = 0x002;
    /// Reset.
    pub const RST: u16 = 0x004;
    /// Push.
    pub const PSH: u16 = 0x008;
    /// The acknowledgement number counts.
    pub const ACK: u16 = 0x010;
}

/// MPTCP option subtypes (RFC 8684 §8, table 3).
pub mod subtype {
    /// Opens a connection.
    pub const MP_CAPABLE: u8 = 0;
    /// Opens an additional subflow.
    pub const MP_JOIN: u8 = 1;
    /// Data sequence signal: DATA_ACK, mapping, DATA_FIN.
    pub const DSS: u8 = 2;
    /// Advertises an address.
    pub const ADD_ADDR: u8 = 3;
    /// Withdraws addresses.
    pub const REMOVE_ADDR: u8 = 4;
    /// Changes the priority of a subflow.
    pub const MP_PRIO: u8 = 5;
    /// A checksum failed.
    pub const MP_FAIL: u8 = 6;
    /// Closes the whole connection at once.
    pub const MP_FASTCLOSE: u8 = 7;
    /// Says why a subflow is reset.
    pub const MP_TCPRST: u8 = 8;

    /// The RFC's name of a subtype.
    #[must_use]
    pub fn name(subtype: u8) -> &'static str {
        match subtype {
            MP_CAPABLE => "MP_CAPABLE",
            MP_JOIN => "MP_JOIN",
            DSS => "DSS",
            ADD_ADDR => "ADD_ADDR",
            REMOVE_ADDR => "REMOVE_ADDR",
            MP_PRIO => "MP_PRIO",
            MP_FAIL => "MP_FAIL",
            MP_FASTCLOSE => "MP_FASTCLOSE",
            MP_TCPRST => "MP_TCPRST",
            _ => "MPTCP option of an unassigned subtype",
        }
    }
}

/// One dissected TCP packet. Numbers are in host order and exactly as sent, nothing relative.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Wireshark's `frame.number`, from 1.
    pub packetid: u64,
    /// When it was recorded.
    pub abstime: Instant,
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Flags, see [`flag`].
    pub flags: u16,
    /// Window field, not scaled.
    pub window: u16,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number; meaningful with [`flag::ACK`].
    pub acknowledgement: u32,
    /// Payload bytes on the wire; `None` when the packet does not tell (a fragment).
    pub payload: Option<u32>,
    /// TCP timestamp option: value and echo.
    pub timestamps: Option<(u32, u32)>,
    /// Window scale option; only SYNs carry it.
    pub window_scale: Option<u8>,
    /// The options were cut by the snap length: what is missing here may have been in the packet.
    pub options_cut: bool,
    /// The first MPTCP option whose length rules it out; it was recorded as it was sent or as it arrived.
    pub malformed: Option<Malformed>,
    /// SACK blocks, left and right edges as sent.
    pub sack: SackBlocks,
    /// DSS option.
    pub dss: Option<Dss>,
    /// The other MPTCP options.
    pub control: Option<Box<Control>>,
}

impl Segment {
    /// Payload of a packet at most, in bytes: what segmentation offload makes of it with BIG TCP.
    const MOST_PAYLOAD: u32 = 512 << 10;

    /// A packet between these addresses and ports that says no more: without flags, options and payload, with the number
    /// 1, recorded when 1970 began. What tests make their packets of.
    #[must_use]
    pub fn between(source: (IpAddr, u16), destination: (IpAddr, u16)) -> Self {
        Segment {
            packetid: 1,
            abstime: Instant::EPOCH,
            source: source.0,
            destination: destination.0,
            source_port: source.1,
            destination_port: destination.1,
            flags: 0,
            window: 0,
            sequence: 0,
            acknowledgement: 0,
            payload: Some(0),
            timestamps: None,
            window_scale: None,
            options_cut: false,
            malformed: None,
            sack: SackBlocks::default(),
            dss: None,
            control: None,
        }
    }

    /// A payload length as the packet or its frame gives it; `None` where no packet can be so long. A header may say
    /// anything, and so may the length that a capture gives a frame.
    #[must_use]
    pub fn believable(length: u32) -> Option<u32> {
        (length <= Self::MOST_PAYLOAD).then_some(length)
    }

    /// True when every flag of `mask` is set.
    #[must_use]
    pub fn has(&self, mask: u16) -> bool {
        self.flags & mask == mask
    }

    /// A SYN without ACK: the first packet of a handshake.
    #[must_use]
    pub fn is_syn(&self) -> bool {
        self.flags & (flag::SYN | flag::ACK) == flag::SYN
    }

    /// A SYN with ACK: the second packet of a handshake.
    #[must_use]
    pub fn is_syn_ack(&self) -> bool {
        self.has(flag::SYN | flag::ACK)
    }

    /// The MP_CAPABLE option, if it carries one.
    #[must_use]
    pub fn capable(&self) -> Option<&Capable> {
        self.control.as_ref()?.capable.as_ref()
    }

    /// The MP_JOIN option, if it carries one.
    #[must_use]
    pub fn join(&self) -> Option<&Join> {
        self.control.as_ref()?.join.as_ref()
    }

    /// True when it carries any MPTCP option.
    #[must_use]
    pub fn is_mptcp(&self) -> bool {
        self.dss.is_some() || self.control.is_some()
    }
}

/// The packets of one capture, in the order of the file. A copy shares them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Segments(Arc<Vec<Segment>>);

impl From<Vec<Segment>> for Segments {
    fn from(segments: Vec<Segment>) -> Self {
        Segments(Arc::new(segments))
    }
}

impl std::ops::Deref for Segments {
    type Target = [Segment];

    fn deref(&self) -> &[Segment] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a Segments {
    type Item = &'a Segment;
    type IntoIter = std::slice::Iter<'a, Segment>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Up to four SACK blocks, all that TCP's option space has room for. Beside a DSS there is room for one, which costs
/// no allocation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SackBlocks(Blocks);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Blocks {
    #[default]
    None,
    One((u32, u32)),
    Several(Box<Several>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Several {
    blocks: [(u32, u32); 4],
    count: u8,
}

impl SackBlocks {
    /// Adds a block; a fifth one is dropped, because no valid option can hold it.
    pub fn push(&mut self, left: u32, right: u32) {
        match &mut self.0 {
            Blocks::None => self.0 = Blocks::One((left, right)),
            Blocks::One(first) => {
                let blocks = [*first, (left, right), (0, 0), (0, 0)];
                self.0 = Blocks::Several(Box::new(Several { blocks, count: 2 }));
            }
            Blocks::Several(several) => {
                if let Some(slot) = several.blocks.get_mut(usize::from(several.count)) {
                    *slot = (left, right);
                    several.count = several.count.saturating_add(1);
                }
            }
        }
    }

    /// The blocks in the order sent.
    #[must_use]
    pub fn as_slice(&self) -> &[(u32, u32)] {
        match &self.0 {
            Blocks::None => &[],
            Blocks::One(block) => std::slice::from_ref(block),
            Blocks::Several(several) => several.blocks.get(..usize::from(several.count)).unwrap_or(&[]),
        }
    }
}

/// Data Sequence Signal (RFC 8684 §3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dss {
    /// The flags byte: 1 DATA_ACK present, 2 DATA_ACK has 8 bytes, 4 mapping present, 8 DSN has 8 bytes, 16 DATA_FIN.
    pub flags: u8,
    /// DATA_ACK as sent.
    pub data_ack: Option<u64>,
    /// The mapping, if there is one.
    pub mapping: Option<Mapping>,
}

impl Dss {
    /// DATA_ACK is present.
    pub const DATA_ACK: u8 = 0x01;
    /// DATA_ACK has 8 bytes.
    pub const DATA_ACK_8: u8 = 0x02;
    /// Mapping is present.
    pub const MAPPING: u8 = 0x04;
    /// DSN has 8 bytes.
    pub const DSN_8: u8 = 0x08;
    /// DATA_FIN.
    pub const DATA_FIN: u8 = 0x10;

    /// True when `mask` is set.
    #[must_use]
    pub fn has(&self, mask: u8) -> bool {
        self.flags & mask == mask
    }
}

/// One mapping of subflow bytes to data bytes (RFC 8684 §3.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// Data sequence number as sent, 32 or 64 bits (see [`Dss::DSN_8`]).
    pub dsn: u64,
    /// Subflow sequence number, relative to the subflow's initial sequence number.
    pub ssn: u32,
    /// Data-level length; 0 is the infinite mapping. A DATA_FIN counts one byte.
    pub length: u16,
    /// Checksum, when negotiated.
    pub checksum: Option<u16>,
}

/// MPTCP options other than DSS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Control {
    /// MP_CAPABLE.
    pub capable: Option<Capable>,
    /// MP_JOIN.
    pub join: Option<Join>,
    /// ADD_ADDR.
    pub add_addr: Option<AddAddr>,
    /// REMOVE_ADDR: the withdrawn address ids.
    pub remove_addr: Option<Vec<u8>>,
    /// MP_PRIO.
    pub prio: Option<Prio>,
    /// MP_FAIL: the DSN whose mapping failed.
    pub fail: Option<u64>,
    /// MP_FASTCLOSE: the key of the option's receiver.
    pub fastclose: Option<u64>,
    /// MP_TCPRST.
    pub reset: Option<ResetReason>,
    /// Subtypes present, in order, DSS included; also those whose content was cut or is unknown.
    pub subtypes: Vec<u8>,
}

/// MP_CAPABLE (RFC 8684 §3.1, RFC 6824 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capable {
    /// 0 or 1.
    pub version: u8,
    /// 0x80 checksum required, 0x20 no joins to this address.
    pub flags: u8,
    /// Key of the sender; absent in a version 1 SYN.
    pub sender_key: Option<u64>,
    /// Key of the receiver; in the third ACK and, version 1, with the first data.
    pub receiver_key: Option<u64>,
    /// Version 1 with data: length of the implicit mapping.
    pub data_length: Option<u16>,
    /// Version 1 with data and checksums: the checksum of that mapping.
    pub checksum: Option<u16>,
}

impl Capable {
    /// The A flag: checksums are required.
    pub const CHECKSUM_REQUIRED: u8 = 0x80;
    /// The C flag: no additional subflows to this address and port.
    pub const NO_JOIN_HERE: u8 = 0x20;
}

/// MP_JOIN (RFC 8684 §3.2); which fields are there depends on the packet of the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    /// In the SYN.
    Syn {
        /// Asks to be used only when no other subflow is left.
        backup: bool,
        /// Address id of the sender's address.
        address_id: u8,
        /// Token of the connection, derived from the receiver's key; `None` when cut.
        token: Option<u32>,
        /// The sender's random number; `None` when cut.
        nonce: Option<u32>,
    },
    /// In the SYN/ACK.
    SynAck {
        /// Asks to be used only when no other subflow is left.
        backup: bool,
        /// Address id of the sender's address.
        address_id: u8,
        /// Most significant 64 bits of the sender's HMAC; `None` when cut.
        truncated_hmac: Option<u64>,
        /// The sender's random number; `None` when cut.
        nonce: Option<u32>,
    },
    /// In the third ACK.
    Ack {
        /// Most significant 160 bits of the sender's HMAC; `None` when cut.
        hmac: Option<[u8; 20]>,
    },
}

/// ADD_ADDR (RFC 8684 §3.4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddAddr {
    /// Address id.
    pub address_id: u8,
    /// Echo of an advertisement received; version 1 only.
    pub echo: bool,
    /// The address; `None` when cut.
    pub address: Option<IpAddr>,
    /// The port, when advertised.
    pub port: Option<u16>,
    /// Least significant 64 bits of the HMAC; version 1, not in echoes.
    pub hmac: Option<u64>,
}

/// MP_PRIO (RFC 8684 §3.3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prio {
    /// The subflow becomes a backup, or ceases to be one.
    pub backup: bool,
    /// Version 0 only: the subflow meant, when it is not the one the option travels on.
    pub address_id: Option<u8>,
}

/// MP_TCPRST (RFC 8684 §3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetReason {
    /// 1: the condition is transient.
    pub flags: u8,
    /// Reason code, 0 to 6; `None` when cut.
    pub reason: Option<u8>,
}

/// An MPTCP option whose content cannot have its length ([`super::option_form`]). A receiver ignores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// Its subtype; `None` when the option ends before it.
    pub subtype: Option<u8>,
    /// The length that it gives itself, kind and length included.
    pub length: u8,
}

/// The 160-bit HMAC of an MP_JOIN ACK from 40 hexadecimal digits; `None` when there are more or fewer.
#[must_use]
pub fn hmac_from_hexadecimal(text: &str) -> Option<[u8; 20]> {
    let mut bytes = [0_u8; 20];
    if text.len() != 40 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sack_blocks_come_back_in_order_and_a_fifth_is_dropped() {
        let mut blocks = SackBlocks::default();
        let mut pushed = Vec::new();
        for n in 0..6_u32 {
            assert_eq!(blocks.as_slice(), &pushed[..pushed.len().min(4)]);
            blocks.push(n, u32::MAX - n);
            pushed.push((n, u32::MAX - n));
        }
        assert_eq!(blocks.as_slice(), &pushed[..4]);
    }

    /// A capture has millions of them.
    #[test]
    fn a_segment_is_small() {
        assert!(size_of::<Segment>() <= 168, "{} bytes", size_of::<Segment>());
    }
}
