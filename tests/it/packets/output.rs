//! A packet table as long as a real transfer, in every form.

use std::time::Instant;

use mptcpanalyzer::analysis::filter::Filter;
use mptcpanalyzer::delimiter::Delimiter;
use mptcpanalyzer::output::{Cell, Format, RenderOptions, Report, Table, render};
use mptcpanalyzer::packets::schema::ColumnType;
use polars::prelude::{Column, DataFrame};

use crate::support::program::Home;

const ROWS: usize = 90_000;

/// Ten columns such as `dump` prints, packet `n` being `n` ms after the first and on stream `n % 4`.
fn frame() -> DataFrame {
    let ids: Vec<u64> = (1..=ROWS as u64).collect();
    let times: Vec<i64> = (0..ROWS as i64).map(|id| id * 1_000_000).collect();
    let small: Vec<u32> = ids.iter().map(|id| (*id % 4) as u32).collect();
    let dest: Vec<&str> = ids.iter().map(|id| if id % 2 == 0 { "client" } else { "server" }).collect();
    let keys: Vec<Option<u64>> = ids.iter().map(|id| (id % 3 == 0).then_some(*id)).collect();
    let mut columns = vec![
        Column::new("packetid".into(), &ids),
        Column::new("reltime".into(), &times).cast(&ColumnType::Span.data_type()).unwrap(),
        Column::new("abstime".into(), &times).cast(&ColumnType::Instant.data_type()).unwrap(),
        Column::new("tcpdest".into(), &dest),
        Column::new("sendkey".into(), &keys),
    ];
    for name in ["tcpstream", "tcpseq", "tcpack", "tcplen", "rwnd"] {
        columns.push(Column::new(name.into(), &small));
    }
    DataFrame::new(ROWS, columns).unwrap()
}

fn rendered(report: &Report, format: Format) -> String {
    let start = Instant::now();
    let mut output = Vec::new();
    let options = RenderOptions { format, human_readable: false, delimiter: Delimiter::COMMA, width: None };
    render(report, &options, &mut output).unwrap();
    println!("{format:?}: {} rows in {:?}", ROWS, start.elapsed());
    String::from_utf8(output).unwrap()
}

#[test]
fn a_long_table_comes_out_whole_in_every_form() {
    let report = Report::of_frame(frame()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&rendered(&report, Format::Json)).unwrap();
    let records = json.as_array().unwrap();
    assert_eq!(records.len(), ROWS);
    assert_eq!(records[89_999]["packetid"], 90_000);
    assert_eq!(records[89_999]["reltime"], 89.999);
    assert_eq!(records[89_999]["sendkey"], "0x0000000000015f90");
    let lines = rendered(&report, Format::Ndjson);
    assert_eq!(lines.lines().count(), ROWS);
    assert!(lines.lines().all(|line| line.starts_with("{\"packetid\":") && line.ends_with('}')));
    let csv = rendered(&report, Format::Csv);
    assert_eq!(csv.lines().count(), ROWS + 1);
    assert_eq!(
        csv.lines().next_back().unwrap(),
        "90000,89.999000000,1970-01-01T00:01:29.999000000Z,client,0x0000000000015f90,0,0,0,0,0"
    );
    let table = rendered(&report, Format::Table);
    assert_eq!(table.lines().count(), ROWS + 2);
}

#[test]
fn a_condition_over_a_long_table() {
    let start = Instant::now();
    let filter =
        Filter::parse("tcpstream == 2 and (sendkey is null or reltime >= 89.9) and tcpdest == 'client'").unwrap();
    let kept = filter.apply(&frame()).unwrap();
    println!("{} of {ROWS} rows in {:?}", kept.height(), start.elapsed());
    // 22,500 ids are 2 modulo 4, 7,500 of them multiples of 3; from 89.9 s on, ids 89,901 to 90,000 have eight such.
    assert_eq!(kept.height(), 22_500 - 7_500 + 8);
}

/// `examples/client.pcapng` has 5,445 TCP packets (tshark), of which `dump` prints 20.
#[test]
fn rows_that_are_left_out_are_said_in_every_form() {
    let home = Home::new();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/client.pcapng");
    for format in ["json", "ndjson", "csv"] {
        let done = home.run(&["-l", example, "dump", "packetid", "--format", format], "");
        assert_eq!((done.code, done.messages.as_str()), (Some(0), "warning: … 5,425 more; -n 0 for all\n"), "{format}");
        assert!(!done.results.contains("more"), "{format}");
        let done = home.run(&["-l", example, "dump", "packetid", "-n", "0", "--format", format], "");
        assert_eq!(done.messages, "", "{format}");
    }
    let done = home.run(&["-l", example, "dump", "packetid"], "");
    assert_eq!(done.messages, "");
    assert!(done.results.ends_with("… 5,425 more; -n 0 for all\n"), "{}", done.results);
}

/// Long texts in a table of several columns are towers of words; as blocks each has the width of the terminal.
#[test]
fn rows_with_long_texts_are_blocks() {
    let mut table = Table::new(&["severity", "finding", "packets", "shows", "next"]).as_blocks(2);
    let text = |text: &str| Cell::Text(text.to_string());
    table.rows.push(vec![
        text("problem"),
        text("a"),
        text("1, 2"),
        text("one two three four"),
        text("look \u{1b}[31m"),
    ]);
    table.rows.push(vec![text("notice"), text("b"), Cell::Null, text("five"), Cell::Null]);
    let report = Report::new(&(), vec![table]).with_notes(vec!["2 findings".to_string()]);
    let mut output = Vec::new();
    let options =
        RenderOptions { format: Format::Table, human_readable: false, delimiter: Delimiter::COMMA, width: Some(26) };
    render(&report, &options, &mut output).unwrap();
    let wanted = "\
problem  a
  packets  1, 2
  shows    one two three
           four
  next     look \\u{1b}[31m

notice  b
  shows    five

2 findings
";
    assert_eq!(String::from_utf8(output).unwrap(), wanted);
}
