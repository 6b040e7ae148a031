//! [`Segment`]: one dissected TCP packet with its MPTCP options, the currency of the pipeline.
//!
//! A segment says only what is in its packet. Both the option layouts of RFC 6824 (version 0) and RFC 8684
//! (version 1) fit. What nearly every packet carries (DSS) sits inline, packed; what only handshakes, the path manager
//! and receivers with holes send is boxed, so that a long transfer costs no allocation per packet.

mod options;
mod segments;

use std::net::IpAddr;

pub use options::{
    AddAddr, Capable, Control, Dss, Join, Malformed, Mapping, Prio, ResetReason, SackBlocks, hmac_from_hexadecimal,
};
pub use segments::Segments;

use super::flows::{Endpoint, Ends, Flow};
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
    /// The path marked a packet (RFC 3168); in a SYN, the sender can do that.
    pub const ECE: u16 = 0x040;
    /// The sender slowed down for it.
    pub const CWR: u16 = 0x080;
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

/// What a TCP packet says, each value by itself: what a dissector fills and a [`Segment`] is made of. Numbers are in host
/// order and exactly as sent, nothing relative.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields {
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

impl Fields {
    /// A packet between these addresses and ports that says no more: without flags, options and payload, with the number
    /// 1, recorded when 1970 began. What tests make their packets of.
    #[must_use]
    pub fn between(source: (IpAddr, u16), destination: (IpAddr, u16)) -> Self {
        Fields {
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

    /// The ends that the packet travels between.
    #[must_use]
    pub fn ends(&self) -> Ends {
        Ends {
            source: Endpoint { address: self.source, port: self.source_port },
            destination: Endpoint { address: self.destination, port: self.destination_port },
        }
    }
}

/// One dissected TCP packet in 72 bytes, because a capture has millions of them. Its ends are a [`Flow`], which
/// [`Segments::ends`] knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// When it was recorded.
    pub abstime: Instant,
    rare: Option<Box<Rare>>,
    data_ack: u64,
    dsn: u64,
    timestamp_value: u32,
    timestamp_echo: u32,
    /// The lower bits of its number.
    packetid: u32,
    /// The ends that it travels between.
    pub flow: Flow,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number; meaningful with [`flag::ACK`].
    pub acknowledgement: u32,
    ssn: u32,
    /// The upper 20 bits are the payload, or [`NO_PAYLOAD`]; the lower 12 the flags.
    payload_and_flags: u32,
    /// Window field, not scaled.
    pub window: u16,
    mapping_length: u16,
    checksum: u16,
    dss_flags: u8,
    /// A bit for each value that is there, see [`has`]; the two uppermost belong to the packet's number.
    there: u8,
}

/// What few packets carry.
#[derive(Debug, Clone, PartialEq, Default)]
struct Rare {
    window_scale: Option<u8>,
    malformed: Option<Malformed>,
    sack: SackBlocks,
    control: Option<Box<Control>>,
}

/// Stands for no payload length in 20 bits.
const NO_PAYLOAD: u32 = (1 << 20) - 1;
/// Bits of the flags.
const FLAGS: u32 = 0xfff;

/// Bits of [`Segment::there`].
mod has {
    pub const TIMESTAMPS: u8 = 1;
    pub const OPTIONS_CUT: u8 = 1 << 1;
    pub const DSS: u8 = 1 << 2;
    pub const DATA_ACK: u8 = 1 << 3;
    pub const MAPPING: u8 = 1 << 4;
    pub const CHECKSUM: u8 = 1 << 5;
}

/// How far the upper bits of a packet's number are moved in [`Segment::there`].
const NUMBER: u32 = 6;

// A capture has millions of them.
const _: () = assert!(size_of::<Segment>() <= 72);

impl Segment {
    /// Payload of a packet at most, in bytes: what segmentation offload makes of it with BIG TCP.
    const MOST_PAYLOAD: u32 = 512 << 10;

    /// The number of a packet at most: of a frame behind that many it is not told.
    const MOST_PACKETS: u64 = (1 << 34) - 1;

    /// The packet that says this and travels in that flow. What few packets carry is taken out of `fields`.
    #[inline]
    #[must_use]
    pub fn of(fields: &mut Fields, flow: Flow) -> Self {
        let Fields { packetid, abstime, flags, window, sequence, acknowledgement, .. } = *fields;
        let Fields { payload, timestamps, window_scale, options_cut, malformed, dss, .. } = *fields;
        let is_rare =
            window_scale.is_some() || malformed.is_some() || fields.control.is_some() || !fields.sack.is_empty();
        let rare = is_rare.then(|| {
            let (sack, control) = (std::mem::take(&mut fields.sack), fields.control.take());
            Box::new(Rare { window_scale, malformed, sack, control })
        });
        let mut there = 0;
        let mut set = |bit: u8, is: bool| there |= if is { bit } else { 0 };
        set(has::TIMESTAMPS, timestamps.is_some());
        set(has::OPTIONS_CUT, options_cut);
        set(has::DSS, dss.is_some());
        let dss = dss.unwrap_or_default();
        set(has::DATA_ACK, dss.data_ack.is_some());
        set(has::MAPPING, dss.mapping.is_some());
        let mapping = dss.mapping.unwrap_or(Mapping { dsn: 0, ssn: 0, length: 0, checksum: None });
        set(has::CHECKSUM, mapping.checksum.is_some());
        let (timestamp_value, timestamp_echo) = timestamps.unwrap_or_default();
        let payload = payload.and_then(Self::believable).unwrap_or(NO_PAYLOAD);
        let number = packetid.min(Self::MOST_PACKETS);
        #[allow(clippy::cast_possible_truncation)] // The upper bits follow.
        let packetid = number as u32;
        #[allow(clippy::cast_possible_truncation)] // There are two of them.
        let upper = (number >> 32) as u8;
        Segment {
            abstime,
            rare,
            data_ack: dss.data_ack.unwrap_or_default(),
            dsn: mapping.dsn,
            timestamp_value,
            timestamp_echo,
            packetid,
            flow,
            sequence,
            acknowledgement,
            ssn: mapping.ssn,
            payload_and_flags: payload << 12 | (u32::from(flags) & FLAGS),
            window,
            mapping_length: mapping.length,
            checksum: mapping.checksum.unwrap_or_default(),
            dss_flags: dss.flags,
            there: there | upper << NUMBER,
        }
    }

    /// A packet by itself, of which nobody asks between which ends it travels.
    #[must_use]
    pub fn alone(mut fields: Fields) -> Self {
        Segment::of(&mut fields, Flow::default())
    }

    /// Wireshark's `frame.number`, from 1.
    #[inline]
    #[must_use]
    pub fn packetid(&self) -> u64 {
        u64::from(self.there >> NUMBER) << 32 | u64::from(self.packetid)
    }

    /// Makes it the packet `by` frames later, in that flow.
    #[inline]
    pub(super) fn put_at(&mut self, by: u64, flow: Flow) {
        let number = self.packetid().saturating_add(by).min(Self::MOST_PACKETS);
        #[allow(clippy::cast_possible_truncation)] // The upper bits follow.
        let lower = number as u32;
        #[allow(clippy::cast_possible_truncation)] // There are two of them.
        let upper = (number >> 32) as u8;
        (self.packetid, self.flow) = (lower, flow);
        self.there = self.there & !(u8::MAX << NUMBER) | upper << NUMBER;
    }

    /// Flags, see [`flag`].
    #[inline]
    #[must_use]
    pub fn flags(&self) -> u16 {
        #[allow(clippy::cast_possible_truncation)] // They are 12 bits.
        let flags = (self.payload_and_flags & FLAGS) as u16;
        flags
    }

    /// Payload bytes on the wire; `None` when the packet does not tell (a fragment).
    #[inline]
    #[must_use]
    pub fn payload(&self) -> Option<u32> {
        Some(self.payload_and_flags >> 12).filter(|payload| *payload != NO_PAYLOAD)
    }

    /// TCP timestamp option: value and echo.
    #[inline]
    #[must_use]
    pub fn timestamps(&self) -> Option<(u32, u32)> {
        self.is_there(has::TIMESTAMPS).then_some((self.timestamp_value, self.timestamp_echo))
    }

    /// Window scale option; only SYNs carry it.
    #[inline]
    #[must_use]
    pub fn window_scale(&self) -> Option<u8> {
        self.rare.as_ref()?.window_scale
    }

    /// Whether the options were cut by the snap length: what is missing here may have been in the packet.
    #[inline]
    #[must_use]
    pub fn options_cut(&self) -> bool {
        self.is_there(has::OPTIONS_CUT)
    }

    /// The first MPTCP option whose length rules it out; it was recorded as it was sent or as it arrived.
    #[inline]
    #[must_use]
    pub fn malformed(&self) -> Option<Malformed> {
        self.rare.as_ref()?.malformed
    }

    /// SACK blocks in the order sent, left and right edges.
    #[inline]
    #[must_use]
    pub fn sack(&self) -> &[(u32, u32)] {
        self.rare.as_ref().map_or(&[], |rare| rare.sack.as_slice())
    }

    /// DSS option.
    #[inline]
    #[must_use]
    pub fn dss(&self) -> Option<Dss> {
        self.is_there(has::DSS).then(|| Dss {
            flags: self.dss_flags,
            data_ack: self.data_ack(),
            mapping: self.mapping(),
        })
    }

    /// The DATA_ACK of its DSS option, as sent.
    #[inline]
    #[must_use]
    pub fn data_ack(&self) -> Option<u64> {
        self.is_there(has::DATA_ACK).then_some(self.data_ack)
    }

    /// The mapping of its DSS option.
    #[inline]
    #[must_use]
    pub fn mapping(&self) -> Option<Mapping> {
        self.is_there(has::MAPPING).then(|| Mapping {
            dsn: self.dsn,
            ssn: self.ssn,
            length: self.mapping_length,
            checksum: self.is_there(has::CHECKSUM).then_some(self.checksum),
        })
    }

    /// The MPTCP options other than DSS.
    #[inline]
    #[must_use]
    pub fn control(&self) -> Option<&Control> {
        self.rare.as_ref()?.control.as_deref()
    }

    /// Whether it says more by its flags and options than which data it carries and acknowledges: it opens or ends
    /// something, has another option of MPTCP than DSS, or one that is not as it should be. Few do.
    #[inline]
    #[must_use]
    pub fn is_signal(&self) -> bool {
        self.flags() & (flag::SYN | flag::FIN | flag::RST) != 0
            || self.dss_flags & Dss::DATA_FIN != 0
            || (self.is_there(has::MAPPING) && self.mapping_length == 0)
            || self.rare.as_ref().is_some_and(|rare| rare.control.is_some() || rare.malformed.is_some())
    }

    #[inline]
    fn is_there(&self, bit: u8) -> bool {
        self.there & bit != 0
    }

    /// All that it says, and between which ends.
    #[must_use]
    pub fn fields(&self, ends: Ends) -> Fields {
        let rare = self.rare.as_deref().cloned().unwrap_or_default();
        Fields {
            packetid: self.packetid(),
            abstime: self.abstime,
            source: ends.source.address,
            destination: ends.destination.address,
            source_port: ends.source.port,
            destination_port: ends.destination.port,
            flags: self.flags(),
            window: self.window,
            sequence: self.sequence,
            acknowledgement: self.acknowledgement,
            payload: self.payload(),
            timestamps: self.timestamps(),
            window_scale: rare.window_scale,
            options_cut: self.options_cut(),
            malformed: rare.malformed,
            sack: rare.sack,
            dss: self.dss(),
            control: rare.control,
        }
    }

    /// A payload length as the packet or its frame gives it; `None` where no packet can be so long. A header may say
    /// anything, and so may the length that a capture gives a frame.
    #[must_use]
    pub fn believable(length: u32) -> Option<u32> {
        (length <= Self::MOST_PAYLOAD).then_some(length)
    }

    /// True when every flag of `mask` is set.
    #[inline]
    #[must_use]
    pub fn has(&self, mask: u16) -> bool {
        self.flags() & mask == mask
    }

    /// A SYN without ACK: the first packet of a handshake.
    #[inline]
    #[must_use]
    pub fn is_syn(&self) -> bool {
        self.flags() & (flag::SYN | flag::ACK) == flag::SYN
    }

    /// A SYN with ACK: the second packet of a handshake.
    #[inline]
    #[must_use]
    pub fn is_syn_ack(&self) -> bool {
        self.has(flag::SYN | flag::ACK)
    }

    /// The MP_CAPABLE option, if it carries one.
    #[inline]
    #[must_use]
    pub fn capable(&self) -> Option<&Capable> {
        self.control()?.capable.as_ref()
    }

    /// The MP_JOIN option, if it carries one.
    #[inline]
    #[must_use]
    pub fn join(&self) -> Option<&Join> {
        self.control()?.join.as_ref()
    }

    /// True when it carries any MPTCP option.
    #[inline]
    #[must_use]
    pub fn is_mptcp(&self) -> bool {
        self.is_there(has::DSS) || self.control().is_some()
    }
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

    /// What is packed comes back, whether it is there or not.
    #[test]
    fn a_segment_says_what_its_fields_say() {
        let mut sack = SackBlocks::default();
        sack.push(1, 2);
        let full = Fields {
            packetid: (1 << 34) - 1,
            abstime: Instant::from_nanoseconds(-5),
            source: [192, 0, 2, 1].into(),
            destination: [192, 0, 2, 2].into(),
            source_port: 1,
            destination_port: u16::MAX,
            flags: 0xfff,
            window: u16::MAX,
            sequence: u32::MAX,
            acknowledgement: u32::MAX - 1,
            payload: Some(512 << 10),
            timestamps: Some((u32::MAX, 0)),
            window_scale: Some(0),
            options_cut: true,
            malformed: Some(Malformed { subtype: None, length: 2 }),
            sack,
            dss: Some(Dss {
                flags: 0xff,
                data_ack: Some(u64::MAX),
                mapping: Some(Mapping { dsn: u64::MAX - 1, ssn: u32::MAX, length: u16::MAX, checksum: Some(0) }),
            }),
            control: Some(Box::new(Control { subtypes: vec![0], ..Control::default() })),
        };
        let mapping = Mapping { dsn: 0, ssn: 0, length: 0, checksum: None };
        let fields = [
            full.clone(),
            Fields { packetid: 1, flags: 0, payload: Some(0), timestamps: None, ..full.clone() },
            Fields { payload: None, options_cut: false, malformed: None, ..full.clone() },
            Fields { window_scale: None, malformed: None, sack: SackBlocks::default(), control: None, ..full.clone() },
            Fields { dss: None, control: None, ..full.clone() },
            Fields { dss: Some(Dss { data_ack: None, mapping: Some(mapping), ..full.dss.unwrap() }), ..full.clone() },
            Fields { dss: Some(Dss { mapping: None, ..full.dss.unwrap() }), ..full.clone() },
            Fields { source_port: 2, destination: [0_u16; 8].into(), ..full },
        ];
        let segments: Segments = fields.iter().cloned().collect();
        assert!(segments.fields().eq(fields));
        assert_eq!(segments[0].flow, segments[6].flow);
        assert_ne!(segments[0].flow, segments[7].flow);
    }
}
