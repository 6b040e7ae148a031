use serde_json::json;

use super::*;
use crate::drawing::figure::*;
use crate::output::FrameRows;

#[test]
fn every_mark_is_a_row_with_exact_values() {
    let largest = 9_007_199_254_740_992.0;
    let panel = Panel::new(Axis::new("t", Unit::Seconds), Axis::new("dsn", Unit::Bytes))
        .titled("up")
        .with_series(
            Series::new(
                "one",
                Role::subflow(1),
                Marks::VerticalStrokes(vec![VerticalStroke { x: 0.123_456_789, y_low: 1.0, y_high: largest }]),
            )
            .of_packets(vec![17]),
        )
        .with_series(Series::new(
            "ack",
            Role::of(RoleKind::Acknowledgement),
            Marks::Steps(vec![Point { x: 1.0, y: 2.0 }]),
        ))
        .with_annotation(Annotation::at(0.5, "join"));
    let panel = Panel { direction: Some("server".to_string()), ..panel };
    let table = table(&Figure::new("").with_panel(panel)).unwrap();
    let rows = serde_json::to_value(FrameRows::new(table).unwrap()).unwrap();
    let common = json!({"panel_title": "up", "x_axis": "t", "x_unit": "seconds", "y_axis": "dsn", "y_unit": "bytes",
        "towards": "server", "x_name": null, "y_name": null, "x_end_name": null});
    let mut expected = json!([
        {"panel": 1, "series": "one", "role": "subflow", "subflow": 1, "marks": "vertical_strokes",
         "x": 0.123_456_789, "y": 1, "x_end": null, "y_end": 9_007_199_254_740_992_i64, "label": null},
        {"panel": 1, "series": "ack", "role": "acknowledgement", "subflow": null, "marks": "steps",
         "x": 1.0, "y": 2, "x_end": null, "y_end": null, "label": null},
        {"panel": 1, "series": "annotation", "role": null, "subflow": null, "marks": null,
         "x": 0.5, "y": null, "x_end": null, "y_end": null, "label": "join"},
    ]);
    for (row, packet) in expected.as_array_mut().unwrap().iter_mut().zip([json!(17), json!(null), json!(null)]) {
        let row = row.as_object_mut().unwrap();
        row.extend(common.as_object().unwrap().clone());
        row.insert("packetid".to_string(), packet);
    }
    assert_eq!(rows, expected);
}

#[test]
fn columns_are_whole_only_where_every_value_is() {
    let figure = |unit, y: f64| {
        let marks = Marks::Points(vec![Point { x: 1.0, y }]);
        Figure::new("").with_panel(
            Panel::new(Axis::new("x", Unit::Plain), Axis::new("y", unit)).with_series(Series::new(
                "",
                Role::subflow(0),
                marks,
            )),
        )
    };
    let kind = |figure: &Figure| table(figure).unwrap().column("y").unwrap().dtype().to_string();
    assert_eq!(kind(&figure(Unit::Bytes, 3.0)), "i64");
    assert_eq!(kind(&figure(Unit::Count, 3.0)), "i64");
    assert_eq!(kind(&figure(Unit::Bytes, 3.5)), "f64");
    assert_eq!(kind(&figure(Unit::Bytes, 1e20)), "f64");
    assert_eq!(kind(&figure(Unit::Plain, 3.0)), "f64");
    let mut two = figure(Unit::Bytes, 3.0);
    two.panels.extend(figure(Unit::Seconds, 3.0).panels);
    assert_eq!(kind(&two), "f64");
}

/// 125,000 bytes per second are 1 Mbit/s, and a quarter is 25 %.
#[test]
fn values_are_in_the_unit_that_the_axis_names() {
    let panel = Panel::new(Axis::new("share", Unit::Share), Axis::new("rate", Unit::BytesPerSecond)).with_series(
        Series::new("one", Role::subflow(0), Marks::Bars(vec![Bar { x_low: 0.25, x_high: 0.5, y: 125_000.0 }])),
    );
    let table = table(&Figure::new("").with_panel(panel)).unwrap();
    let row = &serde_json::to_value(FrameRows::new(table).unwrap()).unwrap()[0];
    assert_eq!((&row["x"], &row["x_end"], &row["y"]), (&json!(25.0), &json!(50.0), &json!(1_000_000.0)));
    assert_eq!((&row["x_unit"], &row["y_unit"]), (&json!("percent"), &json!("bits_per_second")));
}

#[test]
fn strokes_bars_and_arrows_have_two_ends() {
    let kinds = [
        Marks::HorizontalStrokes(vec![HorizontalStroke { x_low: 1.0, x_high: 2.0, y: 3.0 }]),
        Marks::Bars(vec![Bar { x_low: 4.0, x_high: 5.0, y: 6.0 }]),
        Marks::Arrows(vec![Arrow {
            from: Point { x: 7.0, y: 8.0 },
            to: Point { x: 9.0, y: 10.0 },
            text: "SYN".into(),
        }]),
        Marks::Lines(Vec::new()),
    ];
    let mut panel = Panel::new(Axis::new("x", Unit::Plain), Axis::new("y", Unit::Plain));
    panel.series.extend(kinds.map(|marks| Series::new("s", Role::of(RoleKind::Event), marks)));
    let rows = FrameRows::new(table(&Figure::new("").with_panel(panel)).unwrap()).unwrap();
    let rows: Vec<Vec<String>> =
        rows.rows().map(|row| row.values().skip(5).take(5).map(|value| value.machine_text()).collect()).collect();
    assert_eq!(rows, [["1", "3", "2", "", ""], ["4", "6", "5", "", ""], ["7", "8", "9", "10", "SYN"]]);
}
