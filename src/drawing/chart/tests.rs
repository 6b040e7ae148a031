use super::super::backend::tests::Record;
use super::super::figure::{Axis, Marks, Panel, Point, Role, Series, Unit};
use super::super::sample;
use super::*;

fn drawn(figure: &Figure, size: (u32, u32)) -> Record {
    let detail = Detail { scale: 1.0, cell: 1.0, most: 1_000_000 };
    draw(figure, size, &Style::default(), detail, Record::default).unwrap()
}

#[test]
fn texts_do_not_cover_each_other() {
    for (name, figure) in sample::all() {
        let texts: Vec<_> = drawn(&figure, (900, 600)).texts.into_iter().filter(|text| text.angle == 0.0).collect();
        for (at, text) in texts.iter().enumerate() {
            for other in &texts[..at] {
                assert!(!text.bounds().overlaps(&other.bounds()), "{name}: {text:?} covers {other:?}");
            }
        }
    }
}

#[test]
fn a_line_that_leaves_its_panel_keeps_its_slope_in_the_picture() {
    // y = 2x - 0.5 in the unit square.
    let unit = || Axis::new("", Unit::Plain).with_range(0.0, 1.0);
    let points = vec![Point { x: 0.0, y: -0.5 }, Point { x: 1.0, y: 1.5 }];
    let panel = Panel::new(unit(), unit()).with_series(Series::new("a", Role::subflow(0), Marks::Lines(points)));
    let figure = Figure::new("").with_panel(panel);
    let sizes = Sizes::new(&Style::default(), 1.0, (900, 600));
    let frame = layout(&figure, &[], &sizes).unwrap().panels[0].frame;
    let place = |x: f64, y: f64| (frame.left + x * frame.width(), frame.bottom - y * frame.height());
    let near = |one: (f64, f64), other: (f64, f64)| (one.0 - other.0).abs() < 1e-3 && (one.1 - other.1).abs() < 1e-3;
    let paths = drawn(&figure, (900, 600)).paths;
    let is_line =
        |path: &Vec<(f64, f64)>| path.len() == 2 && near(path[0], place(0.25, 0.0)) && near(path[1], place(0.75, 1.0));
    assert_eq!(paths.iter().filter(|path| is_line(path)).count(), 1, "{paths:?}");
}

#[test]
fn each_series_is_a_group_with_its_name() {
    let calls = drawn(&sample::small(), (320, 200)).calls;
    assert_eq!(calls.iter().filter(|call| *call == "begin a < b").count(), 1);
    assert_eq!(
        calls.iter().filter(|call| call.starts_with("begin")).count(),
        calls.iter().filter(|call| *call == "end").count()
    );
}
