use super::super::super::backend::svg::tests::same_as_kept;
use super::super::super::figure::{Annotation, Bar, HorizontalStroke, Marks, VerticalStroke};
use super::super::super::sample;
use super::super::super::style::Style;
use super::*;

const COLOURS: [&str; 10] = ["white", "green", "red", "blue", "yellow", "purple", "orange", "magenta", "pink", "black"];
const MARKS: [&str; 16] = [
    "x",
    "dot",
    "plus",
    "box",
    "diamond",
    "utick",
    "dtick",
    "ltick",
    "rtick",
    "htick",
    "vtick",
    "uarrow",
    "darrow",
    "larrow",
    "rarrow",
    "invisible",
];
const TEXTS: [&str; 5] = ["ctext", "atext", "btext", "ltext", "rtext"];

/// Checks every line against the commands in xplot's own demonstration files, and returns how often each came.
fn parse(file: &str) -> std::collections::BTreeMap<String, usize> {
    let mut counts = std::collections::BTreeMap::new();
    let mut lines = file.lines();
    let mut open = false;
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split(' ').collect();
        if !open {
            if line == "new_plotter" {
                continue;
            }
            let known = |name: &&str| ["timeval", "dtime", "double", "signed", "unsigned"].contains(name);
            assert!(words.len() == 2 && words.iter().all(known), "coordinates: {line}");
            open = true;
            continue;
        }
        assert!(line.is_ascii() && !line.contains(|c: char| c.is_control()), "{line:?}");
        let numbers = words.iter().skip(1).filter(|word| word.parse::<f64>().is_ok_and(f64::is_finite)).count();
        match words[0] {
            "go" => open = false,
            "title" | "xlabel" | "ylabel" => {
                assert_eq!(words.len(), 1);
                lines.next().expect("a line of text");
            }
            "line" => assert_eq!((words.len(), numbers), (5, 4), "{line}"),
            word if COLOURS.contains(&word) => assert_eq!(words.len(), 1, "{line}"),
            word if MARKS.contains(&word) => assert_eq!((words.len(), numbers), (3, 2), "{line}"),
            word if TEXTS.contains(&word) => {
                assert_eq!((words.len(), numbers), (3, 2), "{line}");
                assert!(!lines.next().expect("a line of text").trim().is_empty());
            }
            _ => panic!("no command of xplot: {line}"),
        }
        *counts.entry(words[0].to_string()).or_insert(0) += 1;
    }
    assert!(!open, "ended by `go`");
    counts
}

#[test]
fn every_line_is_a_command_of_xplot() {
    for (name, figure) in sample::all() {
        let counts = parse(&document(&figure, &Style::default()));
        assert_eq!(counts["go"], figure.panels.len(), "{name}");
        assert_eq!(counts["title"], figure.panels.len(), "{name}");
    }
}

#[test]
fn a_small_figure_is_written_as_it_was() {
    same_as_kept("small.xpl", &document(&sample::small(), &Style::default()));
}

#[test]
fn no_value_is_thinned_away() {
    let figure = sample::time_sequence();
    let strokes: usize = figure.panels[0].series[..4].iter().map(|series| series.marks.len()).sum();
    let counts = parse(&document(&figure, &Style::default()));
    assert_eq!((counts["uarrow"], counts["darrow"]), (strokes, strokes));
}

#[test]
fn times_are_written_as_tcptrace_writes_them() {
    let file = document(&sample::small(), &Style::default());
    assert!(file.starts_with("timeval double\ntitle\nA & B\nxlabel\ntime\nylabel\nsent (bytes)\n"), "{file}");
    assert!(file.contains("\nwhite\ndarrow 0.100000 0\nuarrow 0.100000 400\nline 0.100000 0 0.100000 400\n"), "{file}");
    // What runs downwards is negative, as in tcptrace's time line.
    let ladder = document(&sample::ladder(), &Style::default());
    assert!(ladder.starts_with("double dtime\n") && ladder.contains("\nline 0 -0.000000 1 -0.019000\n"), "{ladder}");
}

#[test]
fn times_before_the_start_are_no_timeval() {
    let point = |x: f64| Point { x, y: 1.0 };
    let panel = Panel::new(Axis::new("t", Unit::Seconds), Axis::new("y", Unit::Plain)).with_series(Series::new(
        "a",
        Role::subflow(0),
        Marks::Points(vec![point(-1.0), point(2.0)]),
    ));
    assert!(document(&Figure::new("").with_panel(panel), &Style::default()).starts_with("dtime double\n"));
}

#[test]
fn every_kind_of_mark_and_hostile_text_keep_the_grammar() {
    let kinds = [
        Marks::Points(vec![Point { x: 1.0, y: -1e100 }]),
        Marks::Ticks(vec![Point { x: 1e100, y: 2.0 }]),
        Marks::Lines(vec![Point { x: 1.0, y: 9_007_199_254_740_993.0 }]),
        Marks::Steps(Vec::new()),
        Marks::VerticalStrokes(vec![VerticalStroke { x: 0.0, y_low: 0.0, y_high: -0.0 }]),
        Marks::HorizontalStrokes(vec![HorizontalStroke { x_low: 0.0, x_high: 1e-300, y: 1.0 }]),
        Marks::Bars(vec![Bar { x_low: 0.0, x_high: 1.0, y: 2.0 }]),
        Marks::Arrows(vec![Arrow { text: "a\ngo\nb →".into(), ..Arrow::default() }]),
    ];
    let mut panel = Panel::new(Axis::new("x\ngo", Unit::Plain), Axis::new("µ", Unit::Share)).titled("\u{1b}\n日本");
    for (index, marks) in (0..).zip(kinds) {
        panel = panel.with_series(Series::new(format!("{index}\nline 1 2 3"), Role::subflow(index), marks));
    }
    let panel = panel.with_annotation(Annotation::at(0.5, "\n")).with_annotation(Annotation::at_point(0.5, 1.0, ""));
    parse(&document(&Figure::new("t").with_panel(panel), &Style::default()));
}
