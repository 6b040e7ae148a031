//! Which packets break the rules of MPTCP's options?

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::closing::fast_closes;
use crate::packets::segment::{Malformed, Segment, flag, subtype};
use crate::tracking::authentication::{HmacVerdict, verify_add_addr};
use crate::tracking::{Connection, Role};

/// Problem of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Irregularity {
    /// Its length rules it out.
    Malformed(Malformed),
    /// MP_CAPABLE gives this end another key than an earlier packet did.
    KeyChanged {
        /// Owner of the key.
        of: Role,
        /// The first one seen.
        was: u64,
        /// This packet's.
        is: u64,
    },
    /// MP_FASTCLOSE with a key that is not its receiver's (RFC 8684 §3.5): it closes nothing.
    FastcloseKey {
        /// The key that it has.
        key: u64,
        /// It is its sender's.
        own: bool,
    },
    /// A mapping without a checksum although checksums were agreed (RFC 8684 §3.3).
    ChecksumMissing {
        /// The mapping is that of MP_CAPABLE with data.
        capable: bool,
    },
    /// A mapping of length 0 on a packet without data: the infinite mapping comes with data (RFC 8684 §3.7).
    EmptyMapping,
    /// ADD_ADDR gives an id another address, and no REMOVE_ADDR came between (RFC 8684 §3.4.1).
    AddressIdReused {
        /// The id.
        id: u8,
        /// The address that it stands for.
        was: IpAddr,
        /// The address in this packet.
        is: IpAddr,
    },
    /// MP_PRIO with an address id, which version 1 does not have (RFC 8684 §3.3.8).
    PriorityOfId {
        /// The id.
        id: u8,
    },
}

/// The addresses that the ids of both ends stand for, while packets of a connection come in.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    addresses: BTreeMap<(Role, u8), IpAddr>,
}

impl Watch {
    /// Tells `found` what is wrong with the next packet of `connection`, which travels towards that end of it.
    #[inline]
    pub fn push(
        &mut self,
        segment: &Segment,
        towards: Role,
        connection: &Connection,
        mut found: impl FnMut(Irregularity),
    ) {
        if let Some(malformed) = segment.malformed() {
            found(Irregularity::Malformed(malformed));
        }
        if let Some(mapping) = segment.dss().and_then(|dss| dss.mapping) {
            if mapping.length == 0 {
                let empty = segment.payload() == Some(0) && !segment.has(flag::RST);
                empty.then(|| found(Irregularity::EmptyMapping));
            } else if mapping.checksum.is_none() && lacks_checksum(segment, connection) {
                found(Irregularity::ChecksumMissing { capable: false });
            }
        }
        if segment.control().is_some() {
            self.options(segment, towards, connection, &mut found);
        }
    }

    fn options(
        &mut self,
        segment: &Segment,
        towards: Role,
        connection: &Connection,
        found: &mut impl FnMut(Irregularity),
    ) {
        let Some(control) = segment.control() else { return };
        let sender = towards.other();
        if let Some(capable) = &control.capable {
            for (of, key) in [(sender, capable.sender_key), (towards, capable.receiver_key)] {
                if let (Some(is), Some(was)) = (key, connection.hosts.get(of).key)
                    && is != was
                {
                    found(Irregularity::KeyChanged { of, was, is });
                }
            }
            if capable.data_length.is_some_and(|length| length > 0)
                && capable.checksum.is_none()
                && lacks_checksum(segment, connection)
            {
                found(Irregularity::ChecksumMissing { capable: true });
            }
        }
        if let Some(key) = control.fastclose.filter(|_| !fast_closes(segment, towards, connection)) {
            let own = connection.hosts.get(sender).key == Some(key);
            found(Irregularity::FastcloseKey { key, own });
        }
        if let Some(id) = control.prio.and_then(|prio| prio.address_id)
            && connection.version == Some(1)
        {
            found(Irregularity::PriorityOfId { id });
        }
        for id in control.remove_addr.iter().flatten() {
            self.addresses.remove(&(sender, *id));
        }
        let Some(option) = control.add_addr.as_ref().filter(|option| !option.echo) else { return };
        let (id, Some(is)) = (option.address_id, option.address) else { return };
        match self.addresses.get(&(sender, id)).copied() {
            Some(was) if was == is => {}
            // What its receiver must ignore changes nothing.
            _ if verify_add_addr(connection, sender, option) == HmacVerdict::Invalid => {}
            was => {
                self.addresses.insert((sender, id), is);
                if let Some(was) = was {
                    found(Irregularity::AddressIdReused { id, was, is });
                }
            }
        }
    }
}

/// Whether a mapping without a checksum should have one: checksums were agreed, and nothing is cut or malformed.
fn lacks_checksum(segment: &Segment, connection: &Connection) -> bool {
    connection.checksum_required == Some(true) && !segment.options_cut() && segment.malformed().is_none()
}

impl Irregularity {
    /// The particulars, a phrase.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Irregularity::Malformed(Malformed { subtype: Some(subtype), length }) => {
                format!("{} with the invalid length {length}", subtype::name(*subtype))
            }
            Irregularity::Malformed(Malformed { subtype: None, length }) => {
                format!("an MPTCP option with the invalid length {length}")
            }
            Irregularity::KeyChanged { of, was, is } => {
                format!("the {}'s key is 0x{is:016x}, and was 0x{was:016x} before", of.name())
            }
            Irregularity::FastcloseKey { key, own } => {
                let whose = if *own { "its sender's own key" } else { "the key" };
                format!("MP_FASTCLOSE with {whose} 0x{key:016x}, which is not its receiver's")
            }
            Irregularity::ChecksumMissing { capable: true } => {
                "checksums were negotiated, but MP_CAPABLE with data has none: it is 22 bytes long instead of 24"
                    .to_string()
            }
            Irregularity::ChecksumMissing { capable: false } => {
                "checksums were negotiated, but the mapping has none".to_string()
            }
            Irregularity::EmptyMapping => "a mapping of length 0 on a packet without data maps nothing".to_string(),
            Irregularity::AddressIdReused { id, was, is } => {
                format!("id {id} is assigned to {is}, although it still stands for {was}: no REMOVE_ADDR was sent")
            }
            Irregularity::PriorityOfId { id } => {
                format!("MP_PRIO with address id {id}, which version 1 does not allow: the receiver ignores it")
            }
        }
    }
}
