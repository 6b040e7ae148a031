use super::super::backend::tests::Record;
use super::super::figure::{
    Arrow, Axis, HorizontalStroke, Marks, Panel, Point, Role, RoleKind, Series, Unit, VerticalStroke,
};
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

fn panel_of(series: Series) -> Figure {
    let panel = Panel::new(Axis::new("time", Unit::Seconds), Axis::new("number", Unit::Bytes));
    Figure::new("").with_panel(panel.with_series(series))
}

/// The calls between the beginning and the end of the series `name`.
fn calls_of(record: &Record, name: &str) -> Vec<String> {
    let begin = format!("begin {name}");
    record.calls.iter().skip_while(|call| **call != begin).skip(1).take_while(|call| *call != "end").cloned().collect()
}

/// With the colour of their subflow, SACK blocks differ from its data by their ends, and stand apart where they are dense.
#[test]
fn reported_blocks_have_the_colour_of_their_subflow_and_ends_of_their_own() {
    for style in Style::NAMES {
        let style = Style::find(style).unwrap();
        for subflow in 0..9 {
            let colour = |kind| style.look(Role::of_subflow(kind, subflow)).colour;
            assert_eq!(colour(RoleKind::Sack), colour(RoleKind::Subflow));
        }
    }
    let strokes = |count: u32| {
        let stroke = |at: u32| VerticalStroke { x: f64::from(at), y_low: 10.0, y_high: 90.0 };
        Marks::VerticalStrokes((0..count).map(stroke).collect())
    };
    let lines = |kind, count| {
        let drawn = drawn(&panel_of(Series::new("one", Role::of_subflow(kind, 1), strokes(count))), (900, 600));
        let lines = calls_of(&drawn, "one").into_iter().find(|call| call.contains("lines")).unwrap();
        lines.split(' ').next().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!((lines(RoleKind::Subflow, 3), lines(RoleKind::Sack, 3)), (3, 9));
    // Some 830 pixels are a column each for data, and seven pixels are one for blocks: three lines each.
    let (data, blocks) = (lines(RoleKind::Subflow, 5000), lines(RoleKind::Sack, 5000));
    assert!((700..900).contains(&data) && (300..400).contains(&blocks), "{data} {blocks}");
}

/// Level lines at values, such as the round trips of `cwnd`, have a mark each, also behind others of the same height. Lanes
/// with names have some.
#[test]
fn each_level_has_its_mark() {
    let marks = |height: fn(u32) -> f64, lanes: bool| {
        let stroke = |at: u32| HorizontalStroke { x_low: f64::from(at), x_high: f64::from(at) + 0.8, y: height(at) };
        let levels = Marks::HorizontalStrokes((0..40).map(stroke).collect());
        let mut figure = panel_of(Series::new("one", Role::subflow(0), levels));
        if lanes {
            figure.panels[0].y = Axis::of_categories("", ["zero", "one"]);
        }
        let drawn = drawn(&figure, (900, 600));
        let marks = calls_of(&drawn, "one").into_iter().find(|call| call.contains("Circle")).unwrap();
        marks.split(' ').next().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(marks(|at| f64::from(at % 7), false), 40);
    assert_eq!(marks(|_| 1.0, false), 40);
    assert!(marks(|_| 1.0, true) < 20);
}

/// Texts of messages stay off the axis that they are wider than their arrows beside, in every style.
#[test]
fn texts_of_messages_keep_their_distance_from_the_axis() {
    let names = Axis::of_categories("", ["client", "server", "another"]);
    let times = Axis { reversed: true, ..Axis::of_categories("time", ["0.1 s", "0.2 s"]).with_range(-1.0, 1.5) };
    let arrow =
        |y: f64, text: &str| Arrow { from: Point { x: 0.0, y }, to: Point { x: 1.0, y }, text: text.to_string() };
    let arrows = vec![arrow(0.0, "ADD_ADDR id 2, 10.0.2.2, HMAC valid"), arrow(1.0, "ADD_ADDR echo id 2, 10.0.2.2")];
    let series = Series::new("one", Role::subflow(0), Marks::Arrows(arrows));
    let figure = Figure::new("").with_panel(Panel::new(names, times).with_series(series));
    for style in Style::NAMES {
        let style = Style::find(style).unwrap();
        for size in [(336, 240), (336, 400), (400, 300), (900, 600)] {
            let detail = Detail { scale: 1.0, cell: 1.0, most: 1_000_000 };
            let plan = layout(&figure, &[], &Sizes::new(&style, 1.0, size)).unwrap();
            let frame = plan.panels[0].frame;
            let texts = draw(&figure, size, &style, detail, Record::default).unwrap().texts;
            let texts: Vec<_> = texts.iter().filter(|text| text.content.starts_with("ADD_")).collect();
            assert_eq!(texts.len(), 2, "{size:?}");
            for text in texts {
                let (bounds, gap) = (text.bounds(), text.size * 0.3);
                assert!(bounds.left - frame.left > gap && frame.right - bounds.right > gap, "{size:?}: {text:?}");
            }
        }
    }
}
