//! Interfaces as described in pcapng.

use super::Beyond;
use super::link::Link;
use crate::Instant;
use crate::packets::Interface;
use crate::packets::capture_file::word;

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// One interface description (pcapng, section 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceDescription {
    /// The link type, or why it is not understood.
    pub link: Result<Link, Beyond>,
    /// Name; where it has none its description, or "unknown", as Wireshark shows it.
    pub name: String,
    /// Bytes that simple packets were cut to; 0: not cut.
    pub snap_length: u32,
    /// Unit of timestamps.
    pub clock: Clock,
}

/// Unit of an interface's timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Units in a second; 0: more than can be counted.
    units: u64,
    /// Nanoseconds in a unit, where they are a whole number.
    nanoseconds: Option<u64>,
    /// Seconds to add.
    offset: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { units: 1_000_000, nanoseconds: Some(1000), offset: 0 }
    }
}

impl Clock {
    /// The instant of a timestamp, rounded down; `None` when it is out of the range of an [`Instant`], 1678 to 2262.
    #[inline]
    #[must_use]
    pub fn instant(self, timestamp: u64) -> Option<Instant> {
        let (timestamp, second) = (u128::from(timestamp), u128::from(SECOND));
        let since = match self.nanoseconds {
            Some(nanoseconds) => timestamp.checked_mul(nanoseconds.into())?,
            None => timestamp.checked_mul(second)?.checked_div(self.units.into()).unwrap_or(0),
        };
        let offset = i128::from(self.offset).checked_mul(i128::from(SECOND))?;
        i64::try_from(i128::try_from(since).ok()?.checked_add(offset)?).ok().map(Instant::from_nanoseconds)
    }

    /// The clock of the option `if_tsresol`: a power of 10, or of 2 when the highest bit is set.
    fn set_resolution(&mut self, option: u8) {
        let exponent = u32::from(option & 0x7f);
        let base: u64 = if option & 0x80 == 0 { 10 } else { 2 };
        self.units = base.checked_pow(exponent).unwrap_or(0);
        self.nanoseconds = SECOND.checked_div(self.units).filter(|_| SECOND.is_multiple_of(self.units));
    }
}

impl InterfaceDescription {
    /// Reads a whole interface description block.
    #[must_use]
    pub fn read(block: &[u8], big_endian: bool) -> Option<Self> {
        let half = |at: usize| half(block, at, big_endian);
        let link_number = u32::from(half(8)?);
        let mut interface = InterfaceDescription {
            link: Link::of(link_number).ok_or(Beyond::LinkType(link_number)),
            name: "unknown".to_string(),
            snap_length: word(block, 12, big_endian)?,
            clock: Clock::default(),
        };
        let options = block.get(16..block.len().checked_sub(4)?).unwrap_or(&[]);
        interface.options(options, big_endian);
        Some(interface)
    }

    /// Options (section 3.5): code, length, value, padding. What is not understood is passed over.
    fn options(&mut self, options: &[u8], big_endian: bool) {
        const NAME: u16 = 2;
        const DESCRIPTION: u16 = 3;
        const RESOLUTION: u16 = 9;
        const OFFSET: u16 = 14;
        let (mut name, mut description) = (None, None);
        let mut at = 0_usize;
        while let (Some(code), Some(length)) =
            (half(options, at, big_endian), half(options, at.saturating_add(2), big_endian))
        {
            let start = at.saturating_add(4);
            let end = start.saturating_add(length.into());
            let Some(value) = options.get(start..end) else { break };
            match code {
                0 => break,
                NAME | DESCRIPTION if value.is_empty() => {}
                NAME => name = name.or(Some(value)),
                DESCRIPTION => description = description.or(Some(value)),
                RESOLUTION if value.len() == 1 => value.iter().for_each(|option| self.clock.set_resolution(*option)),
                OFFSET => self.clock.offset = wide(value, big_endian).unwrap_or(self.clock.offset),
                _ => {}
            }
            at = end.next_multiple_of(4);
        }
        if let Some(text) = name.or(description) {
            // Some programs count a zero byte at the end to the text.
            let text = text.split(|byte| *byte == 0).next().unwrap_or(text);
            self.name = Interface::kept_name(&String::from_utf8_lossy(text)).to_string();
        }
    }
}

/// The 16-bit number at `at` of a block.
pub fn half(bytes: &[u8], at: usize, big_endian: bool) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
}

fn wide(bytes: &[u8], big_endian: bool) -> Option<i64> {
    let bytes = bytes.try_into().ok()?;
    Some(if big_endian { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) })
}
