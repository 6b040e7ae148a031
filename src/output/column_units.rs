//! Units of the columns of results, by name: programs get plain numbers, and a name is the key of the same value in JSON.

/// The type of a column in which no row has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    Whole,
    Real,
}

/// What names of fields of objects around a row begin with, the longer ones first.
const OBJECTS: [&str; 7] =
    ["direction_blame_", "setup_joins_", "head_of_line_", "direction_", "tcpstream_", "setup_", "reasons_"];

/// What stands behind the name of a quantity of which a row has a distribution.
const STATISTICS: [&str; 12] =
    ["min", "p25", "median", "p75", "p90", "p95", "p97", "p98", "p99", "max", "mean", "stdev"];

/// Names with the unit of such columns, and whether they hold whole numbers.
const NAMES: &[(&str, &str, Numbers)] = &{
    use Numbers::{Real, Whole};
    [
        ("bytes_waited", "B", Whole),
        ("mean_bytes", "B", Real),
        ("length", "B", Whole),
        ("mss_client", "B", Whole),
        ("mss_server", "B", Whole),
        ("receive_buffer", "B", Whole),
        ("send_buffer", "B", Whole),
        ("snap_length", "B", Whole),
        ("without_loss", "B", Whole),
        ("with_timeouts", "B", Whole),
        ("recommended", "B", Whole),
        ("rate", "B/s", Real),
        ("rate_sum", "B/s", Real),
        ("reltime", "s", Real),
        ("duration", "s", Real),
        ("handshake_rtt", "s", Real),
        ("rto", "s", Real),
        ("forward_delay", "s", Real),
        ("backward_delay", "s", Real),
        ("age", "s", Real),
        ("window_limited", "s", Real),
        ("late_by", "s", Real),
        ("reinj_delta", "s", Real),
        ("blocked_time", "s", Real),
        ("established", "s", Real),
        ("established_after", "s", Real),
        ("end", "s", Real),
        ("syn_ack_after", "s", Real),
        ("ack_after", "s", Real),
        ("since_first", "s", Real),
        ("since_last", "s", Real),
        ("since_activity", "s", Real),
        ("first", "s", Real),
        ("last", "s", Real),
        ("first_data", "s", Real),
        ("last_data", "s", Real),
        ("first_ack", "s", Real),
        ("last_ack", "s", Real),
        ("fin_ack", "s", Real),
        ("idle", "s", Real),
        ("stopped", "s", Real),
        ("resumed", "s", Real),
        ("returned", "s", Real),
        ("gap", "s", Real),
        ("offset", "s", Real),
        ("offset_uncertainty", "s", Real),
        ("offset_at_reference", "s", Real),
        ("round_trip", "s", Real),
        ("span", "s", Real),
        ("skew_ppm", "ppm", Real),
        ("skew_uncertainty_ppm", "ppm", Real),
        ("score", "bits", Real),
        ("bits", "bits", Real),
        ("wscale_client", "bits", Whole),
        ("wscale_server", "bits", Whole),
    ]
};

/// Quantities, also with one of [`STATISTICS`] behind them. A distribution without a name is one of times.
const QUANTITIES: &[(&str, &str, Numbers)] = &{
    use Numbers::{Real, Whole};
    [
        ("", "s", Real),
        ("delay", "s", Real),
        ("hol_delay", "s", Real),
        ("rtt", "s", Real),
        ("earlier", "s", Real),
        ("pairs_saved", "s", Real),
        ("in_flight", "B", Whole),
        ("segment", "B", Whole),
        ("window", "B", Whole),
        ("ttl", "hops", Whole),
    ]
};

/// The unit of a column of that name in the result of a command, and whether it holds whole numbers.
pub(super) fn of(name: &str) -> Option<(&'static str, Numbers)> {
    let name = OBJECTS.iter().find_map(|object| name.strip_prefix(object)).unwrap_or(name);
    let listed = NAMES.iter().chain(QUANTITIES).find(|(known, ..)| !known.is_empty() && *known == name);
    if let Some((_, unit, numbers)) = listed {
        return Some((unit, *numbers));
    }
    if name == "bytes" || name.ends_with("_bytes") {
        return Some(("B", Numbers::Whole));
    }
    let (quantity, statistic) = name.rsplit_once('_').unwrap_or(("", name));
    if !STATISTICS.contains(&statistic) {
        return None;
    }
    let (_, unit, numbers) = QUANTITIES.iter().find(|(known, ..)| *known == quantity)?;
    // The mean of whole numbers is not one.
    Some((unit, if matches!(statistic, "mean" | "stdev") { Numbers::Real } else { *numbers }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_its_unit_or_nothing() {
        use Numbers::{Real, Whole};
        for (name, expected) in [
            ("hol_delay_max", Some(("s", Real))),
            ("max", Some(("s", Real))),
            ("segment_max", Some(("B", Whole))),
            ("in_flight_mean", Some(("B", Real))),
            ("ttl_max", Some(("hops", Whole))),
            ("direction_mean_bytes", Some(("B", Real))),
            ("direction_throughput_bytes", Some(("B", Whole))),
            ("direction_rate", Some(("B/s", Real))),
            ("skew_uncertainty_ppm", Some(("ppm", Real))),
            ("packets", None),
            ("kilobytes", None),
            ("rtt_from", None),
            ("altitude_max", None),
            ("loss_rate", None),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
    }
}
