use super::super::super::figure::{Axis, Figure, Marks, Panel, Point, Role, Series, Unit};
use super::super::super::sample;
use super::super::super::{PictureFormat, Target, render};

fn svg(figure: &Figure, width: u32, height: u32) -> String {
    String::from_utf8(render(figure, &Target::new(PictureFormat::Svg).sized(width, height)).unwrap()).unwrap()
}

/// With `UPDATE_FIGURES` set the file is written again, to be looked at before it is committed.
pub(in super::super::super) fn same_as_kept(name: &str, drawn: &str) {
    let path = format!("{}/tests/figures/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_FIGURES").is_some() {
        std::fs::write(&path, drawn).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(drawn, kept, "tests/figures/{name} differs; UPDATE_FIGURES=1 updates it");
}

#[test]
fn a_small_figure_is_drawn_as_it_was() {
    let drawn = svg(&sample::small(), 320, 200);
    same_as_kept("small.svg", &drawn);
    assert_eq!(drawn, svg(&sample::small(), 320, 200), "the same figure gives the same bytes");
}

#[test]
fn text_stays_text_in_a_named_font() {
    let drawn = svg(&sample::small(), 320, 200);
    assert!(drawn.contains("font-family=\"DejaVu Sans, Verdana, sans-serif\""));
    assert!(drawn.contains("<title>A &amp; B</title>") && drawn.contains(">A &amp; B</text>"), "{drawn}");
    assert!(drawn.contains("<g><title>a &lt; b</title>") && drawn.contains(">a &lt; b</text>"), "{drawn}");
    assert!(drawn.contains(">sent (kB)</text>") && drawn.contains("rotate(-90 "), "{drawn}");
}

#[test]
fn hostile_text_cannot_leave_its_element() {
    let evil = "</text><script>alert(\"1\")</script>&amp;\u{1b}[31m\u{202e}\u{0}\n\u{ffff}]]>";
    let panel = Panel::new(Axis::new(evil, Unit::Plain), Axis::new(evil, Unit::Plain))
        .titled(evil)
        .with_series(Series::new(evil, Role::subflow(0), Marks::Points(vec![Point { x: 1.0, y: 2.0 }])));
    let drawn = svg(&Figure::new(evil).with_caption(evil).with_panel(panel), 1600, 900);
    assert!(!drawn.contains("<script") && drawn.contains("&lt;script&gt;alert(&quot;1&quot;)"), "{drawn}");
    let steering = |character: char| crate::terminal_text::is_unsafe(character) && character != '\n';
    assert!(!drawn.contains(steering) && !drawn.contains(['\u{fffe}', '\u{ffff}']));
    assert_eq!(drawn.matches("<text").count(), drawn.matches("</text>").count());
}

#[test]
fn a_million_points_of_each_kind_stay_below_two_megabytes() {
    let mut dice = sample::Dice::new(5);
    let points: Vec<Point> = (0..1_000_000).map(|at| Point { x: f64::from(at), y: dice.roll() * 1e9 }).collect();
    let strokes = points.iter().map(|point| super::super::super::figure::VerticalStroke {
        x: point.x,
        y_low: point.y,
        y_high: point.y + 1e6,
    });
    let kinds = [
        Marks::VerticalStrokes(strokes.collect()),
        Marks::Points(points.clone()),
        Marks::Steps(points.clone()),
        Marks::Ticks(points.clone()),
        Marks::Lines(points),
    ];
    let mut panel = Panel::new(Axis::new("time", Unit::Seconds), Axis::new("bytes", Unit::Bytes));
    for (index, marks) in (0..).zip(kinds) {
        // A ring has the longest outline of all marks.
        panel = panel.with_series(Series::new(
            format!("{index}"),
            Role::subflow(if index == 1 { 5 } else { index }),
            marks,
        ));
    }
    let drawn = svg(&Figure::new("many").with_panel(panel), 3000, 2000);
    assert!(drawn.len() < 2_000_000, "{} bytes", drawn.len());
}
