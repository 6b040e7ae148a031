//! Units of the columns of results, by name: programs get plain numbers, and a name is the key of the same value in JSON.

/// The type of a column in which no row has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    Whole,
    Real,
}

/// Last parts of names with the unit of such columns, and whether they hold whole numbers. The longest one that fits
/// counts: `hol_delay_max` is a time, `segment_max` an amount of bytes.
const ENDINGS: &[(&str, &str, Numbers)] = &{
    use Numbers::{Real, Whole};
    [
        ("bytes", "B", Whole),
        ("bytes_waited", "B", Whole),
        ("mean_bytes", "B", Real),
        ("length", "B", Whole),
        ("segment_min", "B", Whole),
        ("segment_max", "B", Whole),
        ("window_min", "B", Whole),
        ("window_max", "B", Whole),
        ("receive_buffer", "B", Whole),
        ("send_buffer", "B", Whole),
        ("without_loss", "B", Whole),
        ("with_timeouts", "B", Whole),
        ("recommended", "B", Whole),
        ("in_flight_max", "B", Whole),
        ("rate", "B/s", Real),
        ("rate_sum", "B/s", Real),
        ("reltime", "s", Real),
        ("duration", "s", Real),
        ("rtt", "s", Real),
        ("rtt_max", "s", Real),
        ("rto", "s", Real),
        ("delay", "s", Real),
        ("age", "s", Real),
        ("late_by", "s", Real),
        ("reinj_delta", "s", Real),
        ("blocked_time", "s", Real),
        ("established_after", "s", Real),
        ("syn_ack_after", "s", Real),
        ("ack_after", "s", Real),
        ("since_first", "s", Real),
        ("since_last", "s", Real),
        ("since_activity", "s", Real),
        ("first", "s", Real),
        ("last", "s", Real),
        ("first_data", "s", Real),
        ("last_data", "s", Real),
        ("idle", "s", Real),
        ("offset", "s", Real),
        ("offset_uncertainty", "s", Real),
        ("offset_at_reference", "s", Real),
        ("round_trip", "s", Real),
        ("span", "s", Real),
        // Of times, unless a longer name says what of.
        ("min", "s", Real),
        ("p25", "s", Real),
        ("median", "s", Real),
        ("p75", "s", Real),
        ("p90", "s", Real),
        ("p95", "s", Real),
        ("p97", "s", Real),
        ("p98", "s", Real),
        ("p99", "s", Real),
        ("max", "s", Real),
        ("mean", "s", Real),
        ("stdev", "s", Real),
        ("ppm", "ppm", Real),
        ("bits", "bits", Real),
        ("score", "bits", Real),
        ("ttl_min", "hops", Whole),
        ("ttl_max", "hops", Whole),
    ]
};

/// The unit of a column of that name in the result of a command, and whether it holds whole numbers.
pub(super) fn of(name: &str) -> Option<(&'static str, Numbers)> {
    let ends =
        |ending: &str| name.strip_suffix(ending).is_some_and(|before| before.is_empty() || before.ends_with('_'));
    let fitting = ENDINGS.iter().filter(|(ending, ..)| ends(ending));
    fitting.max_by_key(|(ending, ..)| ending.len()).map(|(_, unit, numbers)| (*unit, *numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_ending_counts() {
        for (name, unit) in [
            ("hol_delay_max", Some("s")),
            ("segment_max", Some("B")),
            ("ttl_max", Some("hops")),
            ("direction_mean_bytes", Some("B")),
            ("skew_uncertainty_ppm", Some("ppm")),
            ("packets", None),
            ("kilobytes", None),
            ("rtt_from", None),
        ] {
            assert_eq!(of(name).map(|(unit, _)| unit), unit, "{name}");
        }
        assert_eq!(of("direction_mean_bytes"), Some(("B", Numbers::Real)));
    }
}
