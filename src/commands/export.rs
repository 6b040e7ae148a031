//! `export`: the packet table as CSV, Parquet or Arrow.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, ValueHint};

use super::dump::{condition, condition_argument};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::analysis::selection::{self, Selection};
use crate::arguments;
use crate::error::{Error, Result};
use crate::packets::exported::{Parts, TableForm, write_parts};
use crate::packets::portable::portable;
use crate::temporary;
use crate::terminal_text::escape;
use crate::whole_file::{Force, ending_alone, is_capture, refuse_capture};
use mptcp_trace::units::counted;
use mptcp_trace::{ConnectionId, StreamId};

/// Writes packets to a file for other programs, and for loading again.
#[derive(Debug)]
pub struct Export;

impl Described for Export {
    fn name(&self) -> &'static str {
        "export"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["tocsv"]
    }

    fn summary(&self) -> &'static str {
        "Export the packet table to a CSV, Parquet or Arrow file"
    }

    fn details(&self) -> &'static str {
        "The file extension selects the format: .csv, .parquet, or .arrow, .ipc, .feather for Arrow IPC; --format \
         overrides it. `-` is standard output, as CSV unless --format says otherwise. An existing file is replaced once the new one is complete. `load_pcap` can read a CSV file \
         unless --columns omitted some.\n\n\
         Times are seconds, keys and tokens hexadecimal text with `0x`. In CSV, null is an empty field, instants RFC 3339, list items \
         joined by `;`. Parquet and Arrow keep the other column types, 64-bit numbers included, and have the unit of each \
         column in its field metadata.\n\n\
         --towards refers to roles in the MPTCP connection with --mptcpstream, and in the TCP stream otherwise. `help \
         dump` explains --where."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let stream = |name, value| {
            Arg::new(name)
                .long(name)
                .value_name(value)
                .value_parser(clap::value_parser!(u32))
                .allow_negative_numbers(false)
        };
        command
            .arg(
                Arg::new("out")
                    .value_name("OUT")
                    .required_unless_present("also_out")
                    .value_parser(clap::value_parser!(PathBuf))
                    .value_hint(ValueHint::AnyPath)
                    .help("File to write; - is standard output"),
            )
            .arg(stream("tcpstream", "N").help("Only packets of this TCP stream").conflicts_with("mptcpstream"))
            .arg(stream("mptcpstream", "N").help("Only packets of this MPTCP connection"))
            .arg(arguments::towards().help("Only packets towards this end"))
            .arg(condition_argument())
            .arg(
                Arg::new("columns")
                    .long("columns")
                    .value_name("COLUMN,…")
                    .value_delimiter(',')
                    .help("Only these columns, in this order"),
            )
            .arg(
                // Not called "format": that is the form in which a report is printed.
                Arg::new("form")
                    .long("format")
                    .value_name("FORM")
                    .value_parser(clap::value_parser!(TableForm))
                    .help("File format, whatever the file name"),
            )
            .arg(
                // As every other command has it.
                Arg::new("also_out")
                    .short('o')
                    .long("output")
                    .value_name("FILE")
                    .value_parser(clap::value_parser!(PathBuf))
                    .value_hint(ValueHint::AnyPath)
                    .conflicts_with("out")
                    .help("Same as OUT, as other commands have it"),
            )
            .arg(arguments::force())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "export packets.csv", purpose: "the whole table, for a spreadsheet or pandas" },
            Example { line: "export data.parquet --mptcpstream 0 --towards server", purpose: "one direction" },
            Example {
                line: "tocsv stream0.csv --tcpstream 0 --columns packetid,reltime,tcplen",
                purpose: "three columns",
            },
        ]
    }
}

impl Command for Export {
    fn category(&self) -> Category {
        Category::Captures
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let Some(out) = arguments.get_one::<PathBuf>("out").or_else(|| arguments.get_one("also_out")) else {
            return Err(Error::Usage("no output file given; name one: `export OUT`".to_string()));
        };
        if arguments.get_one::<TableForm>("form").is_none() && TableForm::of_name(out).is_none() && is_capture(out) {
            let name = escape(&out.to_string_lossy()).into_owned();
            let sentence =
                format!("{name} is a capture; name the file to write behind it: `export {name} packets.csv`");
            return Err(Error::Usage(sentence));
        }
        let to_output = out.as_os_str() == "-";
        let asked = arguments.get_one::<TableForm>("form").copied();
        let form = if to_output { asked.unwrap_or(TableForm::Csv) } else { form(out, asked)? };
        let chosen = Selection {
            tcpstream: arguments.get_one("tcpstream").copied().map(StreamId),
            mptcpstream: arguments.get_one("mptcpstream").copied().map(ConnectionId),
            towards: arguments::role(arguments),
            condition: condition(arguments)?,
        };
        let capture = session.capture()?;
        let force = arguments::forced(arguments);
        refuse_capture(out, force)?;
        let names: Option<Vec<&String>> = arguments.get_many("columns").map(Iterator::collect);
        let selected = selection::packets(capture, &chosen, names.as_deref())?;
        // CSV is text, and is read back.
        let of = |rows| match form {
            TableForm::Csv => selected.of(rows),
            TableForm::Parquet | TableForm::Arrow => portable(&selected.of(rows)?)
                .map_err(|source| Error::Table { action: "export the packet table", source }),
        };
        let prepare = || selected.prepare();
        let table = Parts { columns: of(0..0)?, height: selected.height(), of: &of, prepare: &prepare };
        let columns = table.columns.width();
        if to_output {
            let failed = |source| Error::file("write", std::env::temp_dir(), source);
            let file = temporary::file(".export").map_err(failed)?;
            write_parts(table, file.path(), form, session.config.delimiter, Force::Given)?;
            return Ok(Outcome::Copied(file, form != TableForm::Csv));
        }
        let rows = write_parts(table, out, form, session.config.delimiter, force)?;
        Ok(Outcome::Done(vec![sentence(rows, columns, out)]))
    }
}

fn form(out: &Path, asked: Option<TableForm>) -> Result<TableForm> {
    asked.or_else(|| TableForm::of_name(out)).ok_or_else(|| {
        let name = escape(&out.to_string_lossy()).into_owned();
        let unknown = format!("unknown file extension of {name}; use .csv, .parquet or .arrow, or add --format csv");
        Error::Usage(ending_alone(out).unwrap_or(unknown))
    })
}

fn sentence(rows: usize, columns: usize, out: &Path) -> String {
    let (rows, columns) = (counted(rows, "packet"), counted(columns, "column"));
    format!("wrote {rows}, {columns}, to {}", escape(&out.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_comes_from_the_name_or_the_option() {
        assert_eq!(form(Path::new("a.parquet"), None).unwrap(), TableForm::Parquet);
        assert_eq!(form(Path::new("a.parquet"), Some(TableForm::Csv)).unwrap(), TableForm::Csv);
        let error = form(Path::new("a\x1b.xls"), None).unwrap_err().to_string();
        assert_eq!(error, "unknown file extension of a\\u{1b}.xls; use .csv, .parquet or .arrow, or add --format csv");
    }

    #[test]
    fn what_was_written_is_counted() {
        assert_eq!(sentence(1, 1, Path::new("x.csv")), "wrote 1 packet, 1 column, to x.csv");
    }

    #[test]
    fn arguments_are_well_formed() {
        Export.arguments(clap::Command::new("export")).debug_assert();
        super::super::dump::Dump.arguments(clap::Command::new("dump")).debug_assert();
        super::super::columns::Columns.arguments(clap::Command::new("columns")).debug_assert();
    }

    #[test]
    fn without_a_capture_it_says_so() {
        let mut session = Session::new(crate::config::Config::default(), None);
        let command = Export.arguments(clap::Command::new("export").no_binary_name(true));
        let arguments = command.try_get_matches_from(["out.csv", "--tcpstream", "0"]).unwrap();
        assert!(matches!(Export.run(&arguments, &mut session), Err(Error::NothingLoaded)));
    }
}
