use super::super::figure::{Annotation, Arrow, Axis, Marks, Point, Role, Series};
use super::super::sample;
use super::*;

const PICTURES: [(u32, u32, f64); 9] = [
    (336, 240, 1.0),
    (400, 300, 1.0),
    (450, 330, 1.0),
    (640, 400, 1.0),
    (900, 600, 1.0),
    (600, 1200, 1.0),
    (1600, 500, 1.0),
    (3000, 2000, 1.0),
    (3000, 2000, 3.0),
];

/// Bounds of everything that is written or sampled, with what it is.
fn rooms(layout: &Layout) -> Vec<(String, Rectangle)> {
    let texts = layout.texts.iter().map(|text| (text.content.clone(), text.bounds()));
    let samples = layout.legend.iter().map(|entry| ("a sample".to_string(), entry.sample.grown(-1.0)));
    texts.chain(samples).collect()
}

fn each_layout(mut check: impl FnMut(&str, &Figure, &Layout, &Sizes)) {
    for (name, figure) in sample::all() {
        for style in Style::NAMES {
            for (width, height, scale) in PICTURES {
                let sizes = Sizes::new(&Style::find(style).unwrap(), scale, (width, height));
                let what = format!("{name} in {style} at {width} x {height}, scale {scale}");
                match layout(&figure, &["A note.".to_string()], &sizes) {
                    Ok(layout) => check(&what, &figure, &layout, &sizes),
                    // Only the figure that is meant to have no room may have none.
                    Err(error) => assert!(name == "crowded" && width < 900, "{what}: {error}"),
                }
            }
        }
    }
}

#[test]
fn no_text_is_cut_and_none_covers_another() {
    each_layout(|what, _, layout, sizes| {
        let picture = Rectangle { left: 0.0, top: 0.0, right: sizes.width, bottom: sizes.height };
        let rooms = rooms(layout);
        for (at, (name, room)) in rooms.iter().enumerate() {
            assert!(picture.encloses(room), "{what}: `{name}` at {room:?} is cut");
            for (other, taken) in &rooms[..at] {
                assert!(!taken.overlaps(room), "{what}: `{name}` at {room:?} covers `{other}` at {taken:?}");
            }
        }
    });
}

/// All words that a figure has outside of its numbers; names may be broken behind `_`.
fn words(figure: &Figure) -> std::collections::HashSet<String> {
    let of_panel = |panel: &Panel| {
        let series = panel.series.iter().map(|series| series.name.clone());
        let annotations = panel.annotations.iter().map(|annotation| annotation.text.clone());
        let axes = [&panel.x, &panel.y].map(|axis| axis.categories.iter().cloned().chain([axis.label.clone()]));
        let titles = panel.title.clone().into_iter().chain(axes.into_iter().flatten());
        titles.chain(series).chain(annotations).collect::<Vec<String>>()
    };
    let texts =
        figure.panels.iter().flat_map(of_panel).chain(figure.caption.iter().cloned()).chain([figure.title.clone()]);
    let words = |text: String| {
        text.split(' ').flat_map(|word| word.split_inclusive('_')).map(str::to_string).collect::<Vec<_>>()
    };
    texts.flat_map(words).collect()
}

#[test]
fn titles_of_axes_are_broken_between_words_alone() {
    let mut narrow = 0;
    each_layout(|what, figure, layout, _| {
        let known = words(figure);
        for text in layout.texts.iter().filter(|text| text.angle != 0.0) {
            for word in text.content.split(' ').filter(|word| !word.starts_with('(')) {
                let word = word.trim_end_matches('…');
                assert!(known.contains(word), "{what}: `{word}` in `{}`", text.content);
            }
        }
    });
    // A long title in pictures of all heights: never cut inside a word, and its unit always there.
    let style = Style::default();
    for height in (120..600).step_by(10) {
        let mut figure = sample::time_sequence();
        figure.panels.iter_mut().for_each(|panel| panel.y.label = "aggregation benefit of everything".to_string());
        let Ok(layout) = layout(&figure, &[], &Sizes::new(&style, 1.0, (450, height))) else { continue };
        let texts = layout.texts.iter().map(|text| text.content.as_str()).collect::<Vec<_>>().join(" ");
        assert!(texts.contains("aggregation") && texts.contains("benefit") && texts.contains("everything"), "{texts}");
        narrow += 1;
    }
    assert!(narrow > 20, "{narrow}");
}

#[test]
fn figures_grow_until_their_labels_and_panels_have_room() {
    let style = Style::find("latex").unwrap();
    let column = Size { width: 336, height: 240 };
    let mut figure = sample::time_sequence();
    assert_eq!(figure.panels.len(), 2);
    figure.panels.truncate(1);
    let alone = roomy(&figure, &style, column);
    figure.panels = vec![figure.panels[0].clone(); 6];
    let six = roomy(&figure, &style, column);
    assert!(six.width == 336 && six.height > 2 * alone.height && six.height <= 960, "{alone:?} {six:?}");
    // What is refused says which size has room.
    let sizes = Sizes::new(&style, 3.125, (1050, 750));
    let Err(DrawError::TooSmall { size: Size { width: 336, height: 240 }, enough: Some(enough), .. }) =
        layout(&figure, &[], &sizes)
    else {
        panic!()
    };
    assert!(layout(&figure, &[], &Sizes::new(&style, 1.0, (enough.width, enough.height))).is_ok(), "{enough:?}");
}

#[test]
fn nothing_but_data_stands_in_a_panel() {
    each_layout(|what, _, layout, _| {
        for placed in &layout.panels {
            for (name, room) in rooms(layout) {
                assert!(
                    !placed.frame.grown(-0.5).overlaps(&room),
                    "{what}: `{name}` at {room:?} is in {:?}",
                    placed.frame
                );
            }
        }
    });
}

#[test]
fn panels_stand_above_each_other_with_flush_frames() {
    each_layout(|what, figure, layout, _| {
        assert_eq!(layout.panels.len(), figure.panels.len());
        for pair in layout.panels.windows(2) {
            assert!(pair[0].frame.bottom <= pair[1].frame.top, "{what}");
            assert_eq!((pair[0].frame.left, pair[0].frame.right), (pair[1].frame.left, pair[1].frame.right), "{what}");
            assert!((pair[0].frame.height() - pair[1].frame.height()).abs() <= 1.0, "{what}");
        }
    });
}

#[test]
fn every_series_is_in_the_legend_once() {
    let sizes = Sizes::new(&Style::default(), 1.0, (900, 600));
    let layout = layout(&sample::time_sequence(), &[], &sizes).unwrap();
    let names = names(&sample::time_sequence());
    assert_eq!((names.len(), layout.legend.len()), (8, 8));
    for (name, _) in names {
        assert_eq!(layout.texts.iter().filter(|text| text.content == name).count(), 1, "{name}");
    }
}

#[test]
fn a_legend_without_room_says_how_many_it_leaves_out() {
    let sizes = Sizes::new(&Style::default(), 1.0, (900, 600));
    let layout = layout(&sample::crowded(), &[], &sizes).unwrap();
    let hidden = names(&sample::crowded()).len() - layout.legend.len();
    assert!(hidden > 0 && layout.texts.iter().any(|text| text.content == format!("… and {hidden} more")));
}

#[test]
fn only_the_lowest_of_panels_that_share_x_has_numbers() {
    let sizes = Sizes::new(&Style::default(), 1.0, (900, 600));
    let placed = layout(&sample::time_sequence(), &[], &sizes).unwrap();
    let seconds = |layout: &Layout| layout.texts.iter().filter(|text| text.content == "time (s)").count();
    assert_eq!(seconds(&placed), 1);
    let mut other = sample::time_sequence();
    other.panels[0].x.range = Some((0.0, 3.0));
    assert_eq!(seconds(&layout(&other, &[], &sizes).unwrap()), 2);
}

#[test]
fn a_picture_without_room_is_refused() {
    let mut figure = sample::time_sequence();
    figure.panels = vec![figure.panels[0].clone(); 16];
    let sizes = Sizes::new(&Style::default(), 1.0, (400, 300));
    let said = layout(&figure, &[], &sizes).unwrap_err().to_string();
    assert!(said.starts_with("400x300 is too small for 16 panels with titles, names and numbers; use"), "{said}");
}

#[test]
fn equal_texts_beside_each_other_are_one_with_their_number() {
    let mut figure = sample::time_sequence();
    figure.panels.truncate(1);
    let (least, most) = (0.0, 10.0);
    figure.panels[0].x.range = Some((least, most));
    let events = [(1.0, "MP_JOIN"), (1.1, "ADD_ADDR"), (1.2, "MP_JOIN"), (1.3, "MP_JOIN"), (8.0, "MP_JOIN")];
    figure.panels[0].annotations = events.iter().map(|(x, text)| Annotation::at(*x, *text)).collect();
    let layout = layout(&figure, &[], &Sizes::new(&Style::default(), 1.0, (900, 600))).unwrap();
    let count = |content: &str| layout.texts.iter().filter(|text| text.content == content).count();
    assert_eq!((count("MP_JOIN ×3"), count("MP_JOIN"), count("ADD_ADDR")), (1, 1, 1));
    assert_eq!(layout.panels[0].risers.len(), 5, "each has its line");
    assert!(!layout.unlabelled);
}

/// In a column of a paper, six ends have no room beside each other.
#[test]
fn every_lifeline_has_its_whole_name() {
    let names =
        ["fd00:1::1", "10.0.2.1", "fd00:2::1", "fd00:1::2", "10.0.2.2", "fd00:2::2"].map(|end| format!("host {end}"));
    let arrow = Arrow { from: Point { x: 0.0, y: 0.0 }, to: Point { x: 5.0, y: 0.0 }, text: "SYN".to_string() };
    let down = Axis::of_categories("time (subflow)", ["0.0000 s (Wi-Fi)"]).reversed();
    let series = Series::new("subflow 0", Role::subflow(0), Marks::Arrows(vec![arrow]));
    let panel = Panel::new(Axis::of_categories("", names.clone()), down).with_series(series);
    let sizes = Sizes::new(&Style::find("latex").unwrap(), 1.0, (336, 480));
    let layout = layout(&Figure::new("").with_panel(panel), &[], &sizes).unwrap();
    assert_eq!(layout.panels[0].x.len(), 6);
    for name in &names {
        assert!(layout.texts.iter().any(|text| text.content == *name && text.angle == -90.0), "{name}");
    }
}

#[test]
fn smaller_letters_go_before_a_cut_legend() {
    let mut figure = sample::time_sequence();
    figure.caption = vec!["A sentence about what it shows. ".repeat(12)];
    let style = Style::default();
    for height in (230..600).step_by(10) {
        let Ok(layout) = layout(&figure, &[], &Sizes::new(&style, 1.0, (450, height))) else { continue };
        assert_eq!(layout.legend.len(), names(&figure).len(), "{height}");
    }
}

#[test]
fn titles_that_go_above_their_panels_push_nothing_out() {
    let style = Style::default();
    let mut figure = sample::distribution();
    figure.caption.clear();
    figure.panels = vec![figure.panels[0].clone(); 6];
    for (index, panel) in figure.panels.iter_mut().enumerate() {
        panel.title = None;
        panel.y.label = format!("quantity number {index} of many");
    }
    let mut placed = 0;
    for height in (200..500).step_by(5) {
        let Ok(layout) = layout(&figure, &[], &Sizes::new(&style, 1.0, (336, height))) else { continue };
        let picture = Rectangle { left: 0.0, top: 0.0, right: 336.0, bottom: f64::from(height) };
        rooms(&layout)
            .iter()
            .for_each(|(name, room)| assert!(picture.encloses(room), "{height}: `{name}` at {room:?}"));
        placed += 1;
    }
    assert!(placed > 20, "{placed}");
}
