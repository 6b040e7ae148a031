//! Which lengths an MPTCP option can have: an option with another length is malformed, no matter who sent or altered it.

use super::segment::{Dss, Malformed, flag, subtype};

/// TCP option kind of MPTCP (RFC 8684 §8).
pub const MPTCP: u8 = 30;

/// Whether an option of `length` bytes, of which `bytes` were recorded, kind and length included, can be one of MPTCP in
/// a packet with these TCP flags. What cannot be told because it was not recorded counts as fitting.
#[inline]
#[must_use]
pub fn fits(bytes: &[u8], length: usize, tcp_flags: u16) -> bool {
    let Some(third) = bytes.get(2).copied() else { return length > 2 };
    match third >> 4 {
        subtype::DSS => dss_fits(bytes, length),
        subtype::MP_CAPABLE => match third & 0x0f {
            // RFC 6824 §3.1: version 0 has a key in each of its options.
            0 => matches!(length, 12 | 20),
            1 => matches!(length, 4 | 12 | 20 | 22 | 24),
            _ => length >= 4,
        },
        subtype::MP_JOIN => match tcp_flags & (flag::SYN | flag::ACK) {
            flag::SYN => length == 12,
            flag::ACK | 0 => length == 24,
            _ => length == 16,
        },
        subtype::ADD_ADDR => matches!(length, 8 | 10 | 16 | 18 | 20 | 22 | 28 | 30),
        subtype::REMOVE_ADDR => length >= 4,
        subtype::MP_PRIO => matches!(length, 3 | 4),
        subtype::MP_FAIL | subtype::MP_FASTCLOSE => length == 12,
        subtype::MP_TCPRST => length == 4,
        _ => true,
    }
}

/// DSS (RFC 8684 §3.3): its flags say what it holds; a mapping may have a checksum.
#[inline]
fn dss_fits(bytes: &[u8], length: usize) -> bool {
    let Some(flags) = bytes.get(3).copied() else { return length > 3 };
    let dss = Dss { flags, ..Dss::default() };
    let wide = |present: u8, eight: u8| match (dss.has(present), dss.has(eight)) {
        (false, _) => 0,
        (true, false) => 4,
        (true, true) => 8,
    };
    let acknowledgement = 4_usize.saturating_add(wide(Dss::DATA_ACK, Dss::DATA_ACK_8));
    if !dss.has(Dss::MAPPING) {
        return length == acknowledgement;
    }
    let whole = acknowledgement.saturating_add(wide(Dss::MAPPING, Dss::DSN_8)).saturating_add(6);
    length == whole || length == whole.saturating_add(2)
}

/// Problem of an option that does not [fit](fits); `bytes` may go beyond it.
#[must_use]
pub fn malformed(bytes: &[u8], length: usize) -> Malformed {
    let third = bytes.get(2).filter(|_| length > 2);
    Malformed { subtype: third.map(|third| third >> 4), length: u8::try_from(length).unwrap_or(u8::MAX) }
}

/// The first malformed option of MPTCP among the options of a packet, of which `recorded` were recorded and which took
/// `announced` bytes by the header. A length below two, or beyond the header, ends the list.
#[must_use]
pub fn first_malformed(recorded: &[u8], announced: usize, tcp_flags: u16) -> Option<Malformed> {
    let mut at = 0_usize;
    while let Some(kind) = recorded.get(at).copied() {
        if kind == 0 {
            return None;
        }
        if kind == 1 {
            at = at.saturating_add(1);
            continue;
        }
        let length = usize::from(*recorded.get(at.saturating_add(1))?);
        let next = at.saturating_add(length);
        let is_whole = length >= 2 && next <= announced;
        let bytes = recorded.get(at..next.max(at)).or(recorded.get(at..)).unwrap_or(&[]);
        if kind == MPTCP && (!is_whole || !fits(bytes, length, tcp_flags)) {
            return Some(malformed(recorded.get(at..).unwrap_or(&[]), length));
        }
        if !is_whole {
            return None;
        }
        at = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_figures_in_the_rfcs() {
        // RFC 8684: figures 4 (MP_CAPABLE), 5 to 7 (MP_JOIN), 9 (DSS), 12 (ADD_ADDR), 13, 11, 15, 14 and 10.
        let with = |third: u8, fourth: u8, length: usize| {
            let mut bytes = vec![30, u8::try_from(length).unwrap(), third, fourth];
            bytes.resize(length.max(4), 0);
            bytes.truncate(length);
            bytes
        };
        let lengths = |third: u8, fourth: u8, flags: u16| -> Vec<usize> {
            (2..=40).filter(|length| fits(&with(third, fourth, *length), *length, flags)).collect()
        };
        let (syn, syn_ack, ack) = (flag::SYN, flag::SYN | flag::ACK, flag::ACK);
        assert_eq!(lengths(0x01, 0x81, syn), [4, 12, 20, 22, 24]);
        assert_eq!(lengths(0x00, 0x81, syn), [12, 20]);
        assert_eq!(
            (lengths(0x10, 0, syn), lengths(0x10, 0, syn_ack), lengths(0x10, 0, ack)),
            (vec![12], vec![16], vec![24])
        );
        assert_eq!(lengths(0x20, 0x01, ack), [8], "DATA_ACK of 4 bytes");
        assert_eq!(lengths(0x20, 0x03, ack), [12], "DATA_ACK of 8 bytes");
        assert_eq!(lengths(0x20, 0x05, ack), [18, 20], "and a mapping with a DSN of 4 bytes, a checksum or none");
        assert_eq!(lengths(0x20, 0x0f, ack), [26, 28], "all of 8 bytes");
        assert_eq!(lengths(0x20, 0x00, ack), [4]);
        assert_eq!(lengths(0x30, 0, ack), [8, 10, 16, 18, 20, 22, 28, 30]);
        assert_eq!(
            (lengths(0x50, 0, ack), lengths(0x60, 0, ack), lengths(0x70, 0, ack)),
            (vec![3, 4], vec![12], vec![12])
        );
        assert_eq!(lengths(0x80, 0, ack), [4]);
        assert_eq!(lengths(0x40, 0, ack).first(), Some(&4));
    }

    #[test]
    fn what_was_not_recorded_is_not_called_malformed() {
        let options = [1, 1, 30, 12, 0x00, 0x81, 1, 2, 3, 4, 5, 6, 7, 8];
        for recorded in 0..=options.len() {
            assert_eq!(first_malformed(&options[..recorded], options.len(), flag::SYN), None, "{recorded} bytes");
        }
        // Length 13 instead of 12: known as soon as version and length are.
        let options = [30, 13, 0x00, 0x81, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1];
        let wrong = Some(Malformed { subtype: Some(subtype::MP_CAPABLE), length: 13 });
        assert_eq!(first_malformed(&options[..2], options.len(), flag::SYN), None);
        assert_eq!(first_malformed(&options[..3], options.len(), flag::SYN), wrong);
        // Three bytes, of which the third is the subtype alone.
        assert_eq!(
            first_malformed(&[30, 3, 0x20, 0], 4, flag::SYN),
            Some(Malformed { subtype: Some(subtype::DSS), length: 3 })
        );
        // The third byte is not its own.
        assert_eq!(first_malformed(&[30, 2, 0x20, 0], 4, flag::ACK), Some(Malformed { subtype: None, length: 2 }));
        // Beyond the header.
        assert_eq!(
            first_malformed(&[30, 12, 0x20, 1], 4, flag::ACK),
            Some(Malformed { subtype: Some(subtype::DSS), length: 12 })
        );
    }
}
