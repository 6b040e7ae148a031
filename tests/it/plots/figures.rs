//! Figures through the public interface: handed in as JSON, hostile, huge.

use std::time::Instant;

use mptcpanalyzer::drawing::figure::{
    Annotation, Arrow, Axis, Bar, Figure, HorizontalStroke, Marks, Panel, Point, Role, RoleKind, Series, Unit,
    VerticalStroke,
};
use mptcpanalyzer::drawing::render::Protocol;
use mptcpanalyzer::drawing::{PictureFormat, Target, render};
use mptcpanalyzer::plots::data::table;
use mptcpanalyzer::terminal_text::is_unsafe;
use proptest::prelude::*;

const KINDS: [PictureFormat; 9] = [
    PictureFormat::Pdf,
    PictureFormat::Svg,
    PictureFormat::Png,
    PictureFormat::Xplot,
    PictureFormat::Text { colour: false },
    PictureFormat::Text { colour: true },
    PictureFormat::Terminal(Protocol::Kitty),
    PictureFormat::Terminal(Protocol::Iterm2),
    PictureFormat::Terminal(Protocol::Sixel),
];

/// One mark of each kind through the same numbers.
fn every_kind(x: f64, y: f64, x_end: f64, y_end: f64, text: &str) -> [Marks; 8] {
    let points = vec![Point { x, y }, Point { x: x_end, y: y_end }, Point { x, y }];
    [
        Marks::Points(points.clone()),
        Marks::Lines(points.clone()),
        Marks::Steps(points.clone()),
        Marks::Ticks(points),
        Marks::VerticalStrokes(vec![VerticalStroke { x, y_low: y, y_high: y_end }]),
        Marks::HorizontalStrokes(vec![HorizontalStroke { x_low: x, x_high: x_end, y }]),
        Marks::Bars(vec![Bar { x_low: x, x_high: x_end, y }]),
        Marks::Arrows(vec![Arrow { from: Point { x, y }, to: Point { x: x_end, y: y_end }, text: text.to_string() }]),
    ]
}

fn figure_of(kinds: impl IntoIterator<Item = Marks>, x: Axis, y: Axis, text: &str) -> Figure {
    let mut panel = Panel::new(x, y).titled(text);
    for (index, marks) in (0..).zip(kinds) {
        let role = Role::of_subflow(RoleKind::ALL[index as usize % RoleKind::ALL.len()], index);
        panel = panel.with_series(Series::new(format!("{text} {index}"), role, marks));
    }
    Figure::new(text).with_caption(text).with_panel(panel)
}

/// Draws in every form, and says what no output may hold.
fn draw_everywhere(figure: &Figure) {
    for kind in KINDS {
        let Ok(drawn) = render(figure, &Target::new(kind)) else { continue };
        assert!(!drawn.is_empty());
        let steering = |text: &str| text.contains(|character| is_unsafe(character) && character != '\n');
        match kind {
            PictureFormat::Svg | PictureFormat::Xplot | PictureFormat::Text { colour: false } => {
                assert!(!steering(std::str::from_utf8(&drawn).unwrap()), "{kind:?}");
            }
            PictureFormat::Text { colour: true } => {
                // Nothing but colours steers the terminal.
                for part in std::str::from_utf8(&drawn).unwrap().split('\x1b').skip(1) {
                    let (colour, rest) = part.split_once('m').unwrap();
                    assert!(colour == "[39" || colour.starts_with("[38;5;"), "{colour:?}");
                    assert!(!steering(rest));
                }
            }
            PictureFormat::Pdf | PictureFormat::Png | PictureFormat::Terminal(_) => {}
        }
    }
}

#[test]
fn a_figure_handed_in_as_json_is_drawn() {
    let text = r#"{
        "title": "Waiting bytes",
        "caption": ["From elsewhere."],
        "panels": [{
            "x": {"label": "time", "unit": "seconds"},
            "y": {"label": "waiting", "unit": "bytes"},
            "series": [
                {"name": "buffer", "role": {"kind": "total"}, "marks": {"steps": [[0, 0], [0.5, 14280], [1.25, 0]]}},
                {"name": "hole", "role": {"kind": "loss", "subflow": 1}, "marks": {"points": [[0.5, 1428]]}}
            ],
            "annotations": [{"x": 0.5, "text": "lost"}]
        }]
    }"#;
    let figure: Figure = serde_json::from_str(text).unwrap();
    for kind in KINDS {
        assert!(!render(&figure, &Target::new(kind)).unwrap().is_empty(), "{kind:?}");
    }
    let svg = String::from_utf8(render(&figure, &Target::new(PictureFormat::Svg)).unwrap()).unwrap();
    for said in ["Waiting bytes", "waiting (kB)", "time (s)", "buffer", "hole", "lost", "From elsewhere."] {
        assert!(svg.contains(&format!(">{said}</text>")), "{said}");
    }
}

#[test]
fn the_name_of_a_file_tells_its_form() {
    let told = |name: &str| PictureFormat::of_name(std::path::Path::new(name));
    assert_eq!((told("a.svg"), told("a.b.PNG")), (Some(PictureFormat::Svg), Some(PictureFormat::Png)));
    assert_eq!(
        (told("dir.svg/a.xpl"), told("a.txt")),
        (Some(PictureFormat::Xplot), Some(PictureFormat::Text { colour: false }))
    );
    assert_eq!(told("a.pdf"), Some(PictureFormat::Pdf));
    assert_eq!((told("a.eps"), told("svg"), told("")), (None, None, None));
}

#[test]
fn what_cannot_be_drawn_is_refused_in_every_form() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e200] {
        for marks in every_kind(0.0, value, 1.0, 1.0, "") {
            let figure = figure_of([marks], Axis::new("x", Unit::Plain), Axis::new("y", Unit::Plain), "t");
            for kind in KINDS {
                let said = render(&figure, &Target::new(kind)).unwrap_err().to_string();
                assert!(said.contains("which cannot be drawn"), "{said}");
            }
        }
    }
}

#[test]
fn sizes_without_end_or_room_are_refused() {
    let figure = figure_of([], Axis::new("x", Unit::Plain), Axis::new("y", Unit::Plain), "t");
    for (width, height) in [(0, 0), (100, 600), (900, 100), (10_001, 600), (u32::MAX, u32::MAX)] {
        for kind in [PictureFormat::Svg, PictureFormat::Png, PictureFormat::Terminal(Protocol::Sixel)] {
            let said = render(&figure, &Target::new(kind).sized(width, height)).unwrap_err().to_string();
            let expected = format!("cannot draw a plot of {width}x{height} pixels; use 160x120 to 10000x10000");
            assert_eq!(said, expected);
        }
    }
    let said =
        render(&figure, &Target::new(PictureFormat::Text { colour: true }).sized(39, 24)).unwrap_err().to_string();
    assert_eq!(said, "cannot draw a plot of 39x24 characters; use 40x12 to 1000x1000");
    let said = render(&figure, &Target { dpi: 5000.0, ..Target::new(PictureFormat::Png) }).unwrap_err().to_string();
    assert_eq!(said, "resolution of 5000 dots per inch out of range; use 24 to 1200");
}

#[test]
fn figures_with_little_in_them_are_drawn() {
    let axes = || (Axis::new("x", Unit::Seconds), Axis::new("y", Unit::Bytes));
    let empty = every_kind(0.0, 0.0, 0.0, 0.0, "").map(|marks| match marks {
        Marks::Arrows(_) => Marks::Arrows(Vec::new()),
        Marks::Bars(_) => Marks::Bars(Vec::new()),
        _ => Marks::Points(Vec::new()),
    });
    let same = every_kind(5.0, 7.0, 5.0, 7.0, "here");
    let one = [Marks::Points(vec![Point { x: 3.0, y: 4.0 }])];
    let huge = every_kind(0.0, 9.2e18, 1e-9, 9.3e18, "");
    for marks in [Vec::from(empty), Vec::from(same), Vec::from(one), Vec::from(huge), Vec::new()] {
        let (x, y) = axes();
        let figure = figure_of(marks, x, y, "title");
        for kind in KINDS {
            render(&figure, &Target::new(kind)).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        }
        assert_eq!(
            table(&figure).unwrap().height(),
            figure.panels[0].series.iter().map(|series| series.marks.len()).sum::<usize>()
        );
    }
}

#[test]
fn a_million_points_are_drawn_in_bounded_size() {
    let scattered = |index: u32| f64::from(index.wrapping_mul(2_654_435_761) >> 8);
    let points: Vec<Point> = (0..1_000_000).map(|at| Point { x: f64::from(at), y: scattered(at) }).collect();
    // To and fro: no two neighbours in one column.
    let wild = (0..1_000_000).map(|at| Point { x: scattered(at), y: scattered(at + 9) }).collect();
    let strokes = points.iter().map(|point| VerticalStroke { x: point.x, y_low: point.y, y_high: point.y + 1428.0 });
    let figure = figure_of(
        [Marks::VerticalStrokes(strokes.collect()), Marks::Points(points), Marks::Lines(wild)],
        Axis::new("time", Unit::Seconds),
        Axis::new("data sequence number", Unit::Bytes),
        "many",
    );
    for kind in KINDS {
        let started = Instant::now();
        let drawn = render(&figure, &Target::new(kind)).unwrap();
        let limit = match kind {
            PictureFormat::Xplot => 400_000_000,
            PictureFormat::Text { .. } => 30_000,
            PictureFormat::Svg => 2_000_000,
            _ => 8_000_000,
        };
        assert!(drawn.len() < limit, "{kind:?}: {} bytes", drawn.len());
        assert!(started.elapsed().as_secs() < 60, "{kind:?}: {:?}", started.elapsed());
    }
}

#[test]
fn steering_characters_reach_no_output() {
    let evil = "a\x1b]0;b\x07\u{9b}31m\u{202e}c\u{200b}\r\n\t<&\">\u{ffff}";
    let mut figure = figure_of(
        every_kind(0.0, 1.0, 2.0, 3.0, evil),
        Axis::new(evil, Unit::Seconds),
        Axis::new(evil, Unit::Bytes),
        evil,
    );
    figure.panels[0].annotations = vec![Annotation::at(1.0, evil), Annotation::at_point(1.0, 2.0, evil)];
    draw_everywhere(&figure);
    let names = Axis::of_categories(evil, vec![evil; 3]);
    let ladder =
        figure_of(every_kind(0.0, 0.0, 1.0, 1.0, evil), names, Axis::new(evil, Unit::Seconds).reversed(), evil);
    draw_everywhere(&ladder);
}

fn axis() -> impl Strategy<Value = Axis> {
    let units = [Unit::Seconds, Unit::Bytes, Unit::BytesPerSecond, Unit::Count, Unit::Share, Unit::Plain];
    let range = prop::option::of((-1e3_f64..1e3, -1e3_f64..1e3));
    (prop::sample::select(units.to_vec()), any::<bool>(), any::<bool>(), range, 0_usize..4).prop_map(
        |(unit, logarithmic, reversed, range, names)| {
            let mut axis = Axis::new("label", unit);
            if logarithmic {
                axis = axis.logarithmic();
            }
            axis.reversed = reversed;
            axis.range = range;
            axis.categories = (0..names).map(|name| format!("name {name}")).collect();
            axis
        },
    )
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -10.0_f64..10.0,
        1 => prop::num::f64::ANY,
        1 => prop::sample::select([0.0, -0.0, 1e100, -1e100, 1e-300, 9_007_199_254_740_993.0, 5e-324].to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_figure_makes_a_renderer_panic(
        x in axis(), y in axis(),
        values in prop::collection::vec((value(), value(), value(), value()), 0..4),
        text in ".{0,40}",
        width in 100_u32..700, height in 100_u32..500,
    ) {
        let kinds = values.iter().flat_map(|(x, y, x_end, y_end)| every_kind(*x, *y, *x_end, *y_end, &text));
        let mut figure = figure_of(kinds, x, y, &text);
        for (x, y, ..) in &values {
            figure.panels[0].annotations.push(Annotation::at(*x, text.as_str()));
            figure.panels[0].annotations.push(Annotation::at_point(*x, *y, text.as_str()));
        }
        let valid = figure.validate().is_ok();
        for kind in KINDS {
            let size = if matches!(kind, PictureFormat::Text { .. }) { (width / 4, height / 8) } else { (width, height) };
            let drawn = render(&figure, &Target::new(kind).sized(size.0, size.1));
            prop_assert!(valid || drawn.is_err());
        }
        draw_everywhere(&figure);
    }
}
