use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const NO_LIMIT: usize = usize::MAX;

/// Rows that are lit in each column of pixels when vertical lines are drawn: the picture itself, drawn naively.
fn lit(strokes: &[Stroke]) -> BTreeSet<(i64, i64)> {
    let mut lit = BTreeSet::new();
    for (x, one, other) in strokes {
        let (top, bottom) = (one.min(*other).floor() as i64, one.max(*other).floor() as i64);
        lit.extend((top..=bottom).map(|row| (x.floor() as i64, row)));
    }
    lit
}

/// First, lowest, highest and last y of each run of points within one column.
fn outline(points: &[PixelPoint]) -> Vec<(i64, [f64; 4])> {
    let mut columns: Vec<(i64, [f64; 4])> = Vec::new();
    for (x, y) in points {
        let column = x.floor() as i64;
        match columns.last_mut() {
            Some((same, four)) if *same == column => {
                *four = [four[0], four[1].min(*y), four[2].max(*y), *y];
            }
            _ => columns.push((column, [*y; 4])),
        }
    }
    columns
}

fn extremes(places: &[PixelPoint]) -> BTreeMap<i64, (i64, i64)> {
    let mut columns = BTreeMap::new();
    for (x, y) in places {
        let row = y.floor() as i64;
        let (low, high) = columns.entry(x.floor() as i64).or_insert((row, row));
        (*low, *high) = ((*low).min(row), (*high).max(row));
    }
    columns
}

prop_compose! {
    fn places()(places in prop::collection::vec((0.0_f64..40.0, 0.0_f64..60.0), 0..400)) -> Vec<PixelPoint> {
        places
    }
}

proptest! {
    #[test]
    fn marks_light_the_same_pixels(places in places()) {
        let kept = marks(&places, 1.0, NO_LIMIT);
        let pixels = |places: &[PixelPoint]| places.iter().map(|(x, y)| (x.floor() as i64, y.floor() as i64)).collect::<BTreeSet<_>>();
        prop_assert_eq!(pixels(&kept), pixels(&places));
        prop_assert_eq!(extremes(&kept), extremes(&places));
        prop_assert_eq!(kept.len(), pixels(&places).len());
    }

    #[test]
    fn strokes_light_the_same_pixels(
        drawn in prop::collection::vec((0.0_f64..20.0, 0.0_f64..60.0, 0.0_f64..60.0), 0..40),
    ) {
        let kept = strokes(&drawn, 1.0, NO_LIMIT);
        prop_assert_eq!(lit(&kept), lit(&drawn));
        prop_assert!(kept.len() <= drawn.len());
    }

    #[test]
    fn lines_keep_first_lowest_highest_and_last_of_each_column(mut points in places(), sorted in any::<bool>()) {
        if sorted {
            points.sort_by(|one, other| one.0.total_cmp(&other.0));
        }
        let kept = line(&points, 1.0, NO_LIMIT).concat();
        prop_assert_eq!(outline(&kept), outline(&points));
        prop_assert!(kept.len() <= 4 * outline(&points).len());
        // In their order, and none that was not there.
        let mut rest = points.iter();
        prop_assert!(kept.iter().all(|place| rest.any(|other| other == place)));
    }

    #[test]
    fn a_limit_holds_and_columns_keep_their_extent(places in places(), most in 16_usize..100) {
        prop_assert!(marks(&places, 1.0, most).len() <= most);
        let kept = line(&places, 1.0, most);
        prop_assert!(kept.len() <= most.max(40));
        let around = |places: &[PixelPoint]| {
            let rows: Vec<_> = places.iter().map(|(_, y)| *y).collect();
            (rows.iter().copied().fold(f64::MAX, f64::min), rows.iter().copied().fold(f64::MIN, f64::max))
        };
        prop_assert_eq!(around(&kept.concat()), around(&places));
    }
}

#[test]
fn a_million_points_become_a_few_thousand() {
    let scattered = |i: u32| f64::from(u32::try_from(u64::from(i) * 7919 % 600_011).unwrap()) / 1000.0;
    let many: Vec<PixelPoint> = (0..1_000_000).map(|i| (f64::from(i) / 1000.0, scattered(i))).collect();
    assert!(line(&many, 1.0, NO_LIMIT).concat().len() <= 4000);
    let upright: Vec<Stroke> = many.iter().map(|(x, y)| (*x, *y, *y + 3.0)).collect();
    assert!(strokes(&upright, 1.0, 20_000).len() <= 20_000);
    assert!(marks(&many, 1.0, 20_000).len() <= 20_000);
}

#[test]
fn a_scribble_becomes_its_extent() {
    let scribble: Vec<PixelPoint> =
        (0..100_000).map(|i| (if i % 2 == 0 { 0.5 } else { 99.5 }, f64::from(i % 500))).collect();
    let drawn = line(&scribble, 1.0, 1000);
    assert_eq!(drawn, vec![vec![(0.5, 0.0), (0.5, 498.0)], vec![(99.5, 1.0), (99.5, 499.0)]]);
}

#[test]
fn pairs_with_the_same_ends_are_one() {
    let arrows = [((0.1, 0.1), (5.0, 5.0)), ((0.2, 0.2), (5.1, 5.1)), ((0.1, 0.1), (7.0, 5.0))];
    assert_eq!(pairs(&arrows, 1.0, NO_LIMIT, |arrow| *arrow), [arrows[0], arrows[2]]);
}

#[test]
fn nothing_and_single_things_stay() {
    assert_eq!(line(&[], 1.0, 10), vec![Vec::<PixelPoint>::new()]);
    assert_eq!(line(&[(1.0, 2.0)], 1.0, 10), vec![vec![(1.0, 2.0)]]);
    assert_eq!(strokes(&[(1.2, 5.0, 2.0)], 1.0, 10), vec![(1.5, 2.0, 5.0)]);
    assert!(marks(&[], 1.0, 10).is_empty());
}
