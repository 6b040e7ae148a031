use super::super::super::backend::svg::tests::same_as_kept;
use super::super::super::figure::{Annotation, Axis, Marks, Panel, Point, Role, Series, Unit};
use super::super::super::sample;
use super::*;

fn text(figure: &Figure, width: u32, height: u32, colour: bool) -> String {
    document(figure, Size { width, height }, &Style::default(), colour).unwrap()
}

fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    for (index, part) in text.split("\x1b[").enumerate() {
        plain.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    plain
}

#[test]
fn figures_are_drawn_as_they_were() {
    same_as_kept("time_sequence.txt", &text(&sample::time_sequence(), 80, 24, false));
    same_as_kept("ladder.txt", &text(&sample::ladder(), 80, 24, false));
    same_as_kept("time_sequence_dots.txt", &without_colours(&text(&sample::time_sequence(), 100, 34, true)));
}

#[test]
fn every_line_fits_the_terminal() {
    for (name, figure) in sample::all() {
        for (width, height) in [(80, 24), (100, 30), (120, 40), (200, 50)] {
            for colour in [false, true] {
                match document(&figure, Size { width, height }, &Style::default(), colour) {
                    Ok(text) => {
                        assert!(text.lines().count() <= height as usize, "{name} at {width} x {height}");
                        for line in without_colours(&text).lines() {
                            assert!(line.width() <= width as usize, "{name} at {width} x {height}: {line}");
                            assert_eq!(line.trim_end(), line, "no blanks at the end");
                        }
                    }
                    Err(error) => assert!(name == "crowded" && height < 40, "{name} at {width} x {height}: {error}"),
                }
            }
        }
    }
}

#[test]
fn without_colours_there_is_no_escape_and_each_series_has_its_sign() {
    let plain = text(&sample::time_sequence(), 80, 24, false);
    assert!(!plain.contains('\x1b'));
    for entry in ["o 10.0.1.1 → 10.0.1.2", "x 10.0.2.1", "* 10.0.3.1", "+ fd00::4:1", "# DATA_ACK", "@ edge", "& all"]
    {
        assert!(plain.contains(entry), "{entry} in\n{plain}");
    }
}

#[test]
fn with_colours_each_series_has_its_own_and_every_line_ends_without() {
    let coloured = text(&sample::time_sequence(), 80, 24, true);
    // Blue (0, 114, 178) is nearest to the palette's (0, 95, 175), number 25; orange (230, 159, 0) to (215, 175, 0), 178.
    assert!(coloured.contains("\x1b[38;5;25m┃\x1b[39m 10.0.1.1"), "{coloured:?}");
    assert!(coloured.contains("\x1b[38;5;178m┃\x1b[39m 10.0.2.1"), "{coloured:?}");
    for line in coloured.lines() {
        let last = line.rfind("\x1b[");
        assert!(last.is_none_or(|at| line[at..].starts_with("\x1b[39m")), "{line:?}");
    }
}

#[test]
fn a_lone_series_is_drawn_in_dots() {
    // From the lower left to the upper right: a straight line of dots.
    let points = vec![Point { x: 0.0, y: 0.0 }, Point { x: 1.0, y: 1.0 }];
    let panel =
        Panel::new(Axis::new("x", Unit::Plain).with_range(0.0, 1.0), Axis::new("y", Unit::Plain).with_range(0.0, 1.0))
            .with_series(Series::new("line", Role::subflow(0), Marks::Lines(points)));
    let drawn = text(&Figure::new("").with_panel(panel), 40, 15, false);
    let rows: Vec<&str> = drawn.lines().filter(|line| line.contains(['┤', '│'])).collect();
    // Further left in each row, from the last column to the first.
    let starts = rows.iter().map(|row| row.chars().position(|dots| ('\u{2801}'..='\u{28ff}').contains(&dots)).unwrap());
    let starts: Vec<usize> = starts.collect();
    assert!(starts.windows(2).all(|pair| pair[0] > pair[1]), "{drawn}");
    assert_eq!((rows[0].chars().count(), starts.last()), (40, Some(&5)), "{drawn}");
    assert!(drawn.contains("━━ line"), "{drawn}");
}

#[test]
fn hostile_text_reaches_no_terminal() {
    let evil = "a\x1b[31m\n\u{202e}\u{7}\u{9b}";
    let panel = Panel::new(Axis::new(evil, Unit::Plain), Axis::of_categories(evil, [evil, evil]))
        .titled(evil)
        .with_series(Series::new(evil, Role::subflow(0), Marks::Points(vec![Point { x: 1.0, y: 0.0 }])))
        .with_annotation(Annotation::at(1.0, evil))
        .with_annotation(Annotation::at_point(1.0, 1.0, evil));
    let drawn = text(&Figure::new(evil).with_caption(evil).with_panel(panel), 80, 24, false);
    assert!(!drawn.contains(|character| crate::terminal_text::is_unsafe(character) && character != '\n'), "{drawn:?}");
}

#[test]
fn wide_characters_count_twice() {
    let panel = Panel::new(Axis::new("時間", Unit::Seconds), Axis::new("日本", Unit::Bytes))
        .with_series(Series::new("漢字".repeat(60), Role::subflow(0), Marks::Points(vec![Point { x: 1.0, y: 1.0 }])))
        .with_annotation(Annotation::at_point(1.0, 1.0, "漢字"));
    let drawn = text(&Figure::new("題".repeat(100)).with_panel(panel), 80, 24, false);
    assert!(drawn.contains("漢字") && drawn.lines().all(|line| line.width() <= 80), "{drawn}");
}
