use super::*;

fn figure() -> Figure {
    let strokes = vec![VerticalStroke { x: 0.25, y_low: 1.0, y_high: 1429.0 }];
    let arrow = Arrow { from: Point { x: 0.0, y: 0.5 }, to: Point { x: 1.0, y: 0.75 }, text: "SYN".into() };
    Figure::new("t")
        .with_caption("c")
        .with_panel(
            Panel::new(Axis::new("time", Unit::Seconds), Axis::new("dsn", Unit::Bytes).with_range(0.0, 2000.0))
                .titled("p")
                .with_series(Series::new("one", Role::subflow(0), Marks::VerticalStrokes(strokes)))
                .with_annotation(Annotation::at(0.25, "join")),
        )
        .with_panel(
            Panel::new(
                Axis::of_categories("", ["client", "server"]),
                Axis::new("time", Unit::Seconds).reversed().logarithmic(),
            )
            .with_series(Series::new("m", Role::of(RoleKind::Event), Marks::Arrows(vec![arrow])))
            .with_annotation(Annotation::at_point(0.0, 1.0, "here")),
        )
}

fn complaint(change: impl FnOnce(&mut Figure)) -> String {
    let mut figure = figure();
    change(&mut figure);
    figure.validate().unwrap_err().to_string()
}

#[test]
fn a_figure_goes_through_json_unchanged() {
    let text = serde_json::to_string(&figure()).unwrap();
    assert!(text.contains(r#""marks":{"vertical_strokes":[[0.25,1.0,1429.0]]}"#), "{text}");
    assert!(text.contains(r#""role":{"kind":"subflow","subflow":0}"#), "{text}");
    assert_eq!(serde_json::from_str::<Figure>(&text).unwrap(), figure());
    assert_eq!(figure().validate(), Ok(()));
}

#[test]
fn json_may_leave_out_what_has_a_default() {
    let text = r#"{"title":"t","panels":[{"x":{"label":"time","unit":"seconds"},"y":{"label":"n","unit":"count"},
        "series":[{"name":"a","role":{"kind":"total"},"marks":{"points":[[1,2],[3,4.5]]}}]}]}"#;
    let figure: Figure = serde_json::from_str(text).unwrap();
    let points = vec![Point { x: 1.0, y: 2.0 }, Point { x: 3.0, y: 4.5 }];
    let panel = Panel::new(Axis::new("time", Unit::Seconds), Axis::new("n", Unit::Count)).with_series(Series::new(
        "a",
        Role::of(RoleKind::Total),
        Marks::Points(points),
    ));
    assert_eq!(figure, Figure::new("t").with_panel(panel));
    for wrong in [
        text.replace("\"title\"", "\"titel\""),
        text.replace("4.5", "null"),
        text.replace("4.5", "1e999"),
        text.replace("\"points\"", "\"dots\""),
        text.replace("[1,2]", "[1,2,3]"),
    ] {
        assert!(serde_json::from_str::<Figure>(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn every_kind_of_role_has_its_json_name() {
    for kind in RoleKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
}

#[test]
fn what_cannot_be_drawn_is_named() {
    assert_eq!(complaint(|figure| figure.panels.clear()), "the figure has no panel; give it at least one");
    for value in [f64::NAN, f64::INFINITY, -1e101] {
        let said = complaint(|figure| {
            figure.panels[0].series[0].name = "a\u{1b}".into();
            figure.panels[0].series[0].marks = Marks::Lines(vec![Point { x: 0.0, y: value }]);
        });
        let expected = format!(
            "the series `a\\u{{1b}}` has the value {value}, which cannot be drawn; omit it, or give a finite number"
        );
        assert_eq!(said, expected);
    }
    let said = complaint(|figure| figure.panels[0].annotations[0].y = Some(f64::NAN));
    assert!(said.starts_with("the annotation `join` has the value NaN"), "{said}");
    let said = complaint(|figure| figure.panels[0].y.range = Some((3.0, 3.0)));
    assert_eq!(said, "the axis `dsn` cannot go from 3 to 3: give the smaller number first");
    let said = complaint(|figure| figure.panels[0].y.range = Some((f64::NAN, 3.0)));
    assert!(said.ends_with("both ends must be finite numbers"), "{said}");
    let said = complaint(|figure| figure.panels[1].y.range = Some((0.0, 3.0)));
    assert!(said.ends_with("a logarithmic axis must start above zero"), "{said}");
}

#[test]
fn sizes_are_bounded() {
    let said = complaint(|figure| figure.title = "x".repeat(2001));
    assert_eq!(said, "the figure has 2,001 characters in one text, more than the limit of 2,000; give it fewer");
    let said = complaint(|figure| figure.panels = vec![figure.panels[0].clone(); 17]);
    assert!(said.starts_with("the figure has 17 panels, more than the limit of 16"), "{said}");
    let said = complaint(|figure| figure.panels[0].series = vec![figure.panels[0].series[0].clone(); 601]);
    assert!(said.contains("601 series in a panel"), "{said}");
    let said = complaint(|figure| figure.panels[0].annotations = vec![Annotation::at(0.0, ""); 10_001]);
    assert!(said.contains("10,001 annotations in a panel"), "{said}");
    let said = complaint(|figure| figure.panels[1].x.categories = vec![String::new(); 257]);
    assert!(said.contains("257 names on an axis"), "{said}");
    let said = complaint(|figure| figure.caption = vec![String::new(); 33]);
    assert!(said.contains("33 caption lines"), "{said}");
}
