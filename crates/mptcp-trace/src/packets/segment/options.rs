//! What the TCP options of a packet say: SACK blocks and the options of MPTCP.

use std::net::IpAddr;

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

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == Blocks::None
    }

    /// The blocks in the order sent.
    #[inline]
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
    #[inline]
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

/// An MPTCP option whose content cannot have its length ([`crate::packets::option_form`]). A receiver ignores it.
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
