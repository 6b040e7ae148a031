//! Writes a [`Report`] in a [`Format`].

use std::io::{self, BufWriter, Write};

use super::paint::{Paint, Painted};
use super::{Format, Report, columnar, delimited, json, text_table};
use crate::delimiter::Delimiter;
use crate::error::{Error, Result};

/// What a terminal cannot show.
pub const NOT_TEXT: &str = "Parquet and Arrow are not text: add `-o FILE`, or redirect the output to a file or program";

/// Options of writing a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderOptions {
    /// The form.
    pub format: Format,
    /// Unit prefixes for people (`1.9 MB`) instead of plain integers; machines always get plain ones.
    pub human_readable: bool,
    /// Separator of CSV fields.
    pub delimiter: Delimiter,
    /// Columns available on the terminal; `None` when the output is not a terminal and nothing is folded.
    pub width: Option<u16>,
}

/// Writes `report` to `output`.
///
/// # Errors
/// When `output` cannot be written, or is a terminal and the form is not text; a closed pipe is [`crate::error::Error::OutputClosed`].
pub fn render(report: &Report, options: &RenderOptions, output: &mut dyn Write) -> Result<()> {
    render_painted(report, options, None, output)
}

/// As [`render`], with colours in tables.
///
/// # Errors
/// As [`render`].
pub fn render_painted(
    report: &Report,
    options: &RenderOptions,
    paint: Option<&Paint<'_>>,
    output: &mut dyn Write,
) -> Result<()> {
    if options.format.is_binary() && options.width.is_some() {
        return Err(Error::Usage(NOT_TEXT.to_string()));
    }
    write_buffered(report, options, paint, output).map_err(|error| Error::file("write", "the output", error))
}

fn write_buffered(
    report: &Report,
    options: &RenderOptions,
    paint: Option<&Paint<'_>>,
    output: &mut dyn Write,
) -> io::Result<()> {
    let mut buffer = BufWriter::with_capacity(1 << 16, output);
    match options.format {
        Format::Table => {
            let form = text_table::Form { human: options.human_readable, width: options.width, paint };
            match paint {
                Some(_) => text_table::write(report, form, &mut Painted(&mut buffer))?,
                None => text_table::write(report, form, &mut buffer)?,
            }
        }
        Format::Json => json::document(report, &mut buffer)?,
        Format::Ndjson => json::lines(report, &mut buffer)?,
        Format::Csv => delimited::write(report, options.delimiter, options.width.is_some(), &mut buffer)?,
        Format::Parquet => columnar::parquet(report, &mut buffer)?,
        Format::Arrow => columnar::arrow(report, &mut buffer)?,
    }
    buffer.flush()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::{Cell, Table};
    use mptcp_trace::Span;

    fn report() -> Report {
        let mut table = Table::new(&["tcpstream", "kind", "bytes", "duration", "rate", "share", "backup"])
            .titled("Subflows of connection 0");
        table.rows.push(vec![
            Cell::Integer(0),
            Cell::Text("initial".into()),
            Cell::Bytes(1_949_999),
            Cell::Span(Span::from_nanoseconds(12_345_678)),
            Cell::BytesPerSecond(650_000.0),
            Cell::Share(0.1234),
            Cell::Boolean(false),
        ]);
        table.rows.push(vec![
            Cell::Integer(12),
            Cell::Text("jo\x1b[31m,in".into()),
            Cell::Null,
            Cell::Span(Span::from_nanoseconds(-1)),
            Cell::Null,
            Cell::Share(1.0),
            Cell::Boolean(true),
        ]);
        let data = json!([{"tcpstream": 0, "kind": "initial"}, {"tcpstream": 12, "kind": "\x1b\u{9b}\u{202e}"}]);
        Report::new(&data, vec![table]).with_notes(vec!["one\nnote".into()])
    }

    fn rendered(report: &Report, format: Format, human_readable: bool, width: Option<u16>) -> String {
        let mut output = Vec::new();
        render(report, &RenderOptions { format, human_readable, delimiter: Delimiter::COMMA, width }, &mut output)
            .unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn tables_align_and_escape() {
        assert_eq!(
            rendered(&report(), Format::Table, false, None),
            "\
Subflows of connection 0
tcpstream  kind               bytes      duration        rate    share  backup
------------------------------------------------------------------------------
        0  initial          1949999   0.012345678  650000 B/s   12.3 %  no
       12  jo\\u{1b}[31m,in        -  -0.000000001           -  100.0 %  yes

one\\u{a}note
"
        );
    }

    #[test]
    fn people_may_have_prefixes() {
        let text = rendered(&report(), Format::Table, true, None);
        for expected in ["1.9 MB", "12.3 ms", "5.2 Mbit/s", "12.3 %", "-1 ns"] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
    }

    #[test]
    fn a_narrow_terminal_folds() {
        let text = rendered(&report(), Format::Table, false, Some(60));
        assert!(text.lines().skip(1).all(|line| line.chars().count() <= 60), "{text}");
        assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
    }

    #[test]
    fn texts_fold_at_blanks_and_nothing_else_is_cut() {
        let mut table = Table::new(&["check", "detail"]);
        table.rows.push(vec![Cell::Text("tshark".into()), Cell::Text("one two three four five six".into())]);
        let report = Report::new(&json!([]), vec![table]);
        assert_eq!(
            rendered(&report, Format::Table, false, Some(24)),
            "\
check   detail
---------------------
tshark  one two three
        four five six
"
        );
    }

    #[test]
    fn rows_that_do_not_fit_become_blocks() {
        let mut table = Table::headed(&[("tcpstream", "tcp\nstream"), ("client", "")]);
        table.rows.push(vec![Cell::Integer(0), Cell::Text("[2001:db8::1]:43958".into())]);
        table.rows.push(vec![Cell::Integer(1), Cell::Text("one two three".into())]);
        let report = Report::new(&json!([]), vec![table]);
        assert_eq!(
            rendered(&report, Format::Table, false, Some(20)),
            "\
tcp stream  0
client      [2001:db8::1]:43958

tcp stream  1
client      one two
            three
"
        );
        assert_eq!(
            rendered(&report, Format::Table, false, Some(40)),
            concat!(
                "   tcp\n",
                "stream  client\n",
                "---------------------------\n",
                "     0  [2001:db8::1]:43958\n",
                "     1  one two three\n",
            )
        );
        assert!(rendered(&report, Format::Csv, false, None).starts_with("tcpstream,client\n"));
    }

    #[test]
    fn times_have_six_digits_where_these_say_all() {
        let mut table = Table::new(&["a", "b"]);
        table.rows.push(vec![
            Cell::Span(Span::from_nanoseconds(1_500_000_000)),
            Cell::Span(Span::from_nanoseconds(1_500_000_000)),
        ]);
        table.rows.push(vec![Cell::Span(Span::from_nanoseconds(-1_000)), Cell::Span(Span::from_nanoseconds(1))]);
        let report = Report::new(&json!([]), vec![table]);
        assert_eq!(
            rendered(&report, Format::Table, false, None),
            "        a            b\n----------------------\n 1.500000  1.500000000\n-0.000001  0.000000001\n"
        );
        assert!(rendered(&report, Format::Csv, false, None).contains("-0.000001000,0.000000001"));
    }

    #[test]
    fn no_rows_says_so() {
        let report = Report::new(&json!([]), vec![Table::new(&["a", "b"])]);
        assert_eq!(rendered(&report, Format::Table, false, None), "a  b\n----\n(none)\n");
        assert_eq!(rendered(&report, Format::Csv, false, None), "a,b\n");
        assert_eq!(rendered(&report, Format::Json, false, None), "[]\n");
        assert_eq!(rendered(&report, Format::Ndjson, false, None), "");
    }

    #[test]
    fn json_is_pretty_and_harmless() {
        let expected = "\
[
  {
    \"tcpstream\": 0,
    \"kind\": \"initial\"
  },
  {
    \"tcpstream\": 12,
    \"kind\": \"\\u001b\\u009b\\u202e\"
  }
]
";
        let text = rendered(&report(), Format::Json, true, None);
        assert_eq!(text, expected);
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back, report().data.value().unwrap(), "escaping changes nothing for a program");
    }

    #[test]
    fn json_lines_are_one_an_element() {
        let text = rendered(&report(), Format::Ndjson, false, None);
        assert_eq!(
            text,
            "{\"tcpstream\":0,\"kind\":\"initial\"}\n{\"tcpstream\":12,\"kind\":\"\\u001b\\u009b\\u202e\"}\n"
        );
        let object = Report::new(&json!({"z": 1, "a": [1]}), Vec::new());
        assert_eq!(rendered(&object, Format::Ndjson, false, None), "{\"z\":1,\"a\":[1]}\n");
    }

    #[test]
    fn csv_is_plain_and_quoted_where_needed() {
        assert_eq!(
            rendered(&report(), Format::Csv, true, None),
            "tcpstream,kind,bytes,duration,rate,share,backup\n\
             0,initial,1949999,0.012345678,650000,0.1234,false\n\
             12,\"jo\x1b[31m,in\",,-0.000000001,,1,true\n"
        );
        let on_terminal = rendered(&report(), Format::Csv, false, Some(80));
        assert!(on_terminal.contains("jo\\u{1b}[31m,in"), "{on_terminal}");
    }

    #[test]
    fn records_take_the_place_of_tables_in_csv() {
        let mut records = Table::new(&["flat"]);
        records.rows.push(vec![Cell::Integer(1)]);
        records.rows.push(Vec::new());
        let text = rendered(&report().with_records(records), Format::Csv, false, None);
        assert_eq!(text, "flat\n1\n\"\"\n");
    }

    struct Closed(io::ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_told_apart() {
        for format in [Format::Table, Format::Json, Format::Ndjson, Format::Csv] {
            let options = RenderOptions { format, human_readable: false, delimiter: Delimiter::COMMA, width: None };
            let error = render(&report(), &options, &mut Closed(io::ErrorKind::BrokenPipe)).unwrap_err();
            assert!(matches!(error, Error::OutputClosed), "{error:?}");
            let error = render(&report(), &options, &mut Closed(io::ErrorKind::StorageFull)).unwrap_err();
            assert!(matches!(error, Error::File { action: "write", .. }), "{error:?}");
        }
    }
}
