//! JSON documents and lines. Keys keep their order; nothing in them steers a terminal.

use std::io::{self, Write};
use std::ops::Range;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::in_parts::in_parts;
use super::{FrameRows, Report};
use crate::terminal_text;

/// One document, indented by two blanks, with a line feed at the end.
pub(super) fn document(report: &Report, output: &mut dyn Write) -> io::Result<()> {
    match &report.frame {
        Some(frame) => rows(frame, output),
        None => pretty(&report.data.value()?, output),
    }
}

/// One element of an array per line; anything that is not an array on one line.
pub(super) fn lines(report: &Report, output: &mut dyn Write) -> io::Result<()> {
    if let Some(frame) = &report.frame {
        return in_parts(frame.height(), output, |rows| {
            let mut lines = Vec::new();
            frame.part(rows).try_for_each(|row| line(&row, &mut lines)).map(|()| lines)
        });
    }
    match report.data.value()? {
        Value::Array(records) => records.iter().try_for_each(|record| line(record, output)),
        other => line(&other, output),
    }
}

/// The rows of a frame, as [`pretty`] writes an array of them: each part is an array of its own, without its brackets.
fn rows(frame: &FrameRows, output: &mut dyn Write) -> io::Result<()> {
    output.write_all(b"[")?;
    in_parts(frame.height(), output, |rows| {
        let mut part = if rows.start == 0 { Vec::new() } else { b",".to_vec() };
        let (mut array, own) = (Vec::new(), Part { frame, rows });
        own.serialize(&mut Serializer::with_formatter(&mut array, Safe { layout: PrettyFormatter::new() }))?;
        part.extend_from_slice(array.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"\n]")).unwrap_or(&array));
        Ok(part)
    })?;
    output.write_all(if frame.height() == 0 { b"]\n" } else { b"\n]\n" })
}

/// Some rows of a frame.
struct Part<'a> {
    frame: &'a FrameRows,
    rows: Range<usize>,
}

impl Serialize for Part<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.frame.part(self.rows.clone()))
    }
}

fn pretty(value: &impl Serialize, output: &mut dyn Write) -> io::Result<()> {
    let layout = Safe { layout: PrettyFormatter::new() };
    value.serialize(&mut Serializer::with_formatter(&mut *output, layout))?;
    output.write_all(b"\n")
}

fn line(value: &impl Serialize, output: &mut dyn Write) -> io::Result<()> {
    let layout = Safe { layout: serde_json::ser::CompactFormatter };
    value.serialize(&mut Serializer::with_formatter(&mut *output, layout))?;
    output.write_all(b"\n")
}

/// A layout that also writes as `\uXXXX` what JSON allows raw but a terminal would obey.
struct Safe<F> {
    layout: F,
}

impl<F: Formatter> Formatter for Safe<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, character)) = terminal_text::first_unsafe(rest) {
            let (before, after) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = after.get(character.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.begin_array(writer)
    }
    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_array(writer)
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.layout.begin_array_value(writer, first)
    }
    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_array_value(writer)
    }
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.begin_object(writer)
    }
    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_object(writer)
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.layout.begin_object_key(writer, first)
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.begin_object_value(writer)
    }
    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_object_value(writer)
    }
}
