//! Names of interfaces or networks, such as `Wi-Fi` and `LTE`, by the prefixes of their addresses.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Labels of addresses by prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressLabels(Vec<Prefix>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Prefix {
    address: IpAddr,
    bits: u8,
    label: String,
}

impl AddressLabels {
    /// Adds the label of a prefix such as `192.168.0.0/16`, or of a single address; `None` where `prefix` is neither. Of
    /// two labels of one prefix the later one counts.
    pub fn add(&mut self, prefix: &str, label: &str) -> Option<()> {
        self.0.push(Prefix::read(prefix, label)?);
        Some(())
    }

    /// Whether no prefix has a label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The label of the longest prefix that an address has.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Option<&str> {
        let fitting = self.0.iter().filter(|prefix| prefix.has(address));
        fitting.max_by_key(|prefix| prefix.bits).map(|prefix| prefix.label.as_str())
    }
}

impl Prefix {
    fn read(text: &str, label: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.trim().parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then(|| Prefix { address, bits, label: label.to_string() })
    }

    fn has(&self, address: IpAddr) -> bool {
        let differ = |one: u128, other: u128, width: u32| {
            let kept = width.saturating_sub(u32::from(self.bits));
            // A shift by the whole width leaves nothing that could differ.
            (one ^ other).checked_shr(kept).unwrap_or(0)
        };
        match (self.address, address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => differ(one.to_bits().into(), other.to_bits().into(), 32) == 0,
            (IpAddr::V6(one), IpAddr::V6(other)) => differ(one.to_bits(), other.to_bits(), 128) == 0,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_labels_an_address() {
        let mut labels = AddressLabels::default();
        for (prefix, label) in [
            ("10.0.0.0/8", "cellular"),
            ("10.1.0.0/16", "wifi"),
            ("10.1.2.3", "tunnel"),
            ("fd00::/8", "v6"),
            ("::/0", "other"),
        ] {
            labels.add(prefix, label).unwrap();
        }
        for (address, label) in [
            ("10.9.9.9", Some("cellular")),
            ("10.1.9.9", Some("wifi")),
            ("10.1.2.3", Some("tunnel")),
            ("192.0.2.1", None),
            ("fd12::1", Some("v6")),
            ("2001:db8::1", Some("other")),
        ] {
            assert_eq!(labels.of(address.parse().unwrap()), label, "{address}");
        }
    }

    #[test]
    fn what_is_not_a_prefix_is_refused() {
        for text in ["", "x", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8"] {
            assert!(AddressLabels::default().add(text, "x").is_none(), "{text}");
        }
    }
}
