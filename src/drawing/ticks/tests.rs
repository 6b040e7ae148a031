use proptest::prelude::*;

use super::*;

fn ticks(unit: Unit, low: f64, high: f64, most: usize) -> (String, Vec<String>) {
    let ticks = Ticks::new(&Axis::new("", unit), Range { low, high }, most);
    (ticks.unit, ticks.ticks.into_iter().map(|tick| tick.label).collect())
}

fn logarithmic_ticks(unit: Unit, low: f64, high: f64, most: usize) -> Vec<String> {
    let ticks = Ticks::new(&Axis::new("", unit).logarithmic(), Range { low, high }, most);
    ticks.ticks.into_iter().map(|tick| tick.label).collect()
}

fn expect(found: (String, Vec<String>), unit: &str, labels: &[&str]) {
    assert_eq!((found.0.as_str(), found.1.iter().map(String::as_str).collect::<Vec<_>>()), (unit, labels.to_vec()));
}

#[test]
fn steps_are_one_two_or_five() {
    expect(ticks(Unit::Plain, 0.0, 10.0, 6), "", &["0", "2", "4", "6", "8", "10"]);
    expect(ticks(Unit::Plain, 0.0, 10.0, 5), "", &["0", "5", "10"]);
    expect(ticks(Unit::Plain, -1.0, 1.0, 5), "", &["-1.0", "-0.5", "0.0", "0.5", "1.0"]);
    expect(ticks(Unit::Plain, 0.0, 0.3, 4), "", &["0.0", "0.1", "0.2", "0.3"]);
    expect(ticks(Unit::Plain, 90_001.0, 90_003.0, 3), "", &["90,001", "90,002", "90,003"]);
}

#[test]
fn one_prefix_serves_the_axis() {
    expect(ticks(Unit::Bytes, 0.0, 2_080_000.0, 5), "MB", &["0.0", "0.5", "1.0", "1.5", "2.0"]);
    expect(ticks(Unit::Bytes, 0.0, 999.0, 3), "B", &["0", "500"]);
    expect(ticks(Unit::Bytes, 0.0, 250_000.0, 6), "kB", &["0", "50", "100", "150", "200", "250"]);
    expect(ticks(Unit::Seconds, 0.0, 1.5, 4), "s", &["0.0", "0.5", "1.0", "1.5"]);
    expect(ticks(Unit::Seconds, 0.0, 0.045, 5), "ms", &["0", "10", "20", "30", "40"]);
    expect(ticks(Unit::Seconds, 0.0, 3e-6, 4), "µs", &["0", "1", "2", "3"]);
    expect(ticks(Unit::Share, 0.0, 1.0, 3), "%", &["0", "50", "100"]);
    expect(ticks(Unit::Count, 0.0, 2_500_000.0, 6), "millions", &["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]);
    // 1.25 MB/s are 10 Mbit/s.
    expect(ticks(Unit::BytesPerSecond, 0.0, 1_250_000.0, 3), "Mbit/s", &["0", "5", "10"]);
}

#[test]
fn nobody_counts_half_a_packet() {
    expect(ticks(Unit::Count, 0.0, 2.0, 10), "", &["0", "1", "2"]);
    expect(ticks(Unit::Bytes, 0.0, 3.0, 10), "B", &["0", "1", "2", "3"]);
}

#[test]
fn logarithmic_ticks_carry_their_own_units() {
    assert_eq!(logarithmic_ticks(Unit::Seconds, 0.001, 10.0, 6), ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
    assert_eq!(logarithmic_ticks(Unit::Bytes, 900.0, 30_000.0, 9), ["1 kB", "2 kB", "5 kB", "10 kB", "20 kB"]);
    assert_eq!(
        logarithmic_ticks(Unit::BytesPerSecond, 125.0, 125_000.0, 4),
        ["1 kbit/s", "10 kbit/s", "100 kbit/s", "1 Mbit/s"]
    );
    assert_eq!(logarithmic_ticks(Unit::Plain, 1e-30, 1e30, 4), ["1×10⁻¹⁶", "1", "1×10¹⁶"]);
    assert_eq!(logarithmic_ticks(Unit::Count, 1.0, 1e6, 9), ["1", "10", "100", "1000", "10,000", "1×10⁵", "1×10⁶"]);
    assert_eq!(logarithmic_ticks(Unit::Seconds, 0.021, 0.024, 4), ["21 ms", "22 ms", "23 ms", "24 ms"]);
}

#[test]
fn names_stand_at_whole_numbers() {
    let axis = Axis::of_categories("", ["a", "b", "c", "d"]);
    let labels = |most| Ticks::new(&axis, Range { low: -0.5, high: 3.5 }, most).ticks;
    assert_eq!(labels(4).len(), 4);
    assert_eq!(labels(2).iter().map(|tick| tick.value).collect::<Vec<_>>(), [0.0, 2.0]);
}

#[test]
fn a_shortened_label_keeps_the_unit() {
    let axis = Axis::new("bytes that waited for others in the receiver's buffer", Unit::Bytes);
    let ticks = Ticks::new(&axis, Range { low: 0.0, high: 3e6 }, 4);
    let labels = ticks.shorter_labels(&axis);
    assert_eq!(labels[0], ticks.label(&axis));
    assert_eq!(labels[1], "bytes that waited for others in the receiver's… (MB)");
    assert_eq!(labels[7..], ["bytes that… (MB)", "bytes… (MB)", "(MB)"]);
}

#[test]
fn the_label_of_the_axis_has_the_unit() {
    let axis = Axis::new("data sequence number", Unit::Bytes);
    let ticks = Ticks::new(&axis, Range { low: 0.0, high: 3e6 }, 4);
    assert_eq!(ticks.label(&axis), "data sequence number (MB)");
    assert_eq!(ticks.label(&Axis::new("", Unit::Bytes)), "MB");
    let names = Axis::of_categories("host", ["a"]);
    assert_eq!(Ticks::new(&names, Range { low: -0.5, high: 0.5 }, 4).label(&names), "host");
}

proptest! {
    #[test]
    fn ticks_lie_inside_in_order_and_are_few(
        low in -1e12_f64..1e12, span in 1e-6_f64..1e12, most in 1_usize..30, unit in 0_usize..6,
    ) {
        let units = [Unit::Seconds, Unit::Bytes, Unit::BytesPerSecond, Unit::Count, Unit::Share, Unit::Plain];
        // Ranges narrower than the numbers have digits for are widened before (see `extent`).
        let span = span.max(low.abs() * 1e-9);
        let range = Range { low, high: low + span };
        let found = Ticks::new(&Axis::new("", units[unit]), range, most).ticks;
        prop_assert!(found.len() <= most);
        for tick in &found {
            prop_assert!(tick.value >= range.low - span * 1e-6 && tick.value <= range.high + span * 1e-6);
        }
        for pair in found.windows(2) {
            prop_assert!(pair[0].value < pair[1].value);
            prop_assert_ne!(&pair[0].label, &pair[1].label);
        }
    }

    #[test]
    fn no_range_of_doubles_hangs_or_floods(low in proptest::num::f64::ANY, high in proptest::num::f64::ANY, most in 0_usize..20) {
        for axis in [Axis::new("", Unit::Bytes), Axis::new("", Unit::Seconds).logarithmic()] {
            let found = Ticks::new(&axis, Range { low, high }, most);
            prop_assert!(found.ticks.len() <= 1001);
        }
    }
}

#[test]
fn panels_that_measure_the_same_share_a_prefix_where_numbers_stay_readable() {
    let shared = |unit, greatest: &[f64]| {
        let chosen = common_prefix(unit, greatest.iter().map(|high| Range { low: 0.0, high: *high }));
        chosen.map(|chosen| Ticks::prefixed(&Axis::new("", unit), Range { low: 0.0, high: 1.0 }, 2, chosen).unit)
    };
    assert_eq!(shared(Unit::Bytes, &[2_500_000.0, 500_000.0]).as_deref(), Some("MB"));
    assert_eq!(shared(Unit::Bytes, &[2_500_000.0, 60_000.0]).as_deref(), Some("MB"), "0.06 MB");
    // 0.005 MB would have three decimals; 2,500 kB have four digits.
    assert_eq!(shared(Unit::Bytes, &[2_500_000.0, 5000.0]).as_deref(), Some("kB"));
    assert_eq!(shared(Unit::Bytes, &[25_000_000.0, 5000.0]), None);
    assert_eq!(shared(Unit::Seconds, &[2.0, 0.02]).as_deref(), Some("ms"));
    assert_eq!(shared(Unit::Seconds, &[0.4, 1.5]).as_deref(), Some("s"));
    assert_eq!(shared(Unit::BytesPerSecond, &[125_000.0, 12_500.0]).as_deref(), Some("Mbit/s"), "1 and 0.1 Mbit/s");
    assert_eq!(shared(Unit::Count, &[]), None);
    // Little variation of a large value would have many decimals in the larger unit.
    let ranges = [Range { low: 0.0, high: 2_300_000.0 }, Range { low: 64_450.0, high: 65_200.0 }];
    assert_eq!(common_prefix(Unit::Bytes, ranges.into_iter()), Some(65_200.0), "kB");
    let half = Ticks::prefixed(&Axis::new("", Unit::Bytes), Range { low: 0.0, high: 500_000.0 }, 3, 2_500_000.0);
    expect((half.unit, half.ticks.into_iter().map(|tick| tick.label).collect()), "MB", &["0.0", "0.2", "0.4"]);
}
