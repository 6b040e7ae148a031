//! `study NAME DATASET`

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, ValueHint, value_parser};

use super::shared::drawing::{Drawing, FigureNumbers};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::dataset::layout::Layout;
use crate::described;
use crate::drawing::figure::Unit;
use crate::error::{Error, Result};
use crate::output::{Cell, Report, Table};
use crate::plots::panels::without_empty;
use crate::studies::numbers::{Number, StudyNumbers};
use crate::studies::selection::Selection;
use crate::studies::{Population, STUDIES, Study};
use mptcp_trace::units::grouped;

/// Asks a dataset.
pub struct StudyCommand;

impl Described for StudyCommand {
    fn name(&self) -> &'static str {
        "study"
    }

    fn summary(&self) -> &'static str {
        "Answer a question over all captures of a dataset, with a figure and numbers"
    }

    fn details(&self) -> &'static str {
        "DATASET is a folder that `analyze` wrote. `study NAME --help` says what is counted and how; `list_studies` lists \
         all. The figure is drawn as `plot` draws: in the terminal, or with --out into a file (svg, pdf, png; csv, json \
         and parquet for the plotted values). The numbers follow as a table. --numbers prints them alone, with --format \
         as JSON or CSV.\n\n\
         --by draws one line, box or bar per value of a label (or of a column, such as version). --where selects: a \
         condition in SQL on the columns of the table that is counted, which are described in docs/dataset.md."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let command =
            command.subcommand_required(true).subcommand_value_name("NAME").subcommand_help_heading("Studies");
        command.disable_help_subcommand(true).subcommands(STUDIES.all().map(definition))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "analyze ./examples --out ./ds; study durations ./ds",
                purpose: "how long connections last, in the terminal",
            },
            Example {
                line: "analyze ./examples --out ./ds; study sizes ./ds --where \"subflows > 1\" -o sizes.pdf",
                purpose: "for a paper: connections with several subflows",
            },
            Example {
                line: "analyze ./examples --out ./ds; study subflow_counts ./ds --by version --numbers --format json",
                purpose: "the numbers alone, by version of MPTCP",
            },
        ]
    }
}

impl Command for StudyCommand {
    fn category(&self) -> Category {
        Category::Studies
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, arguments: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        let Some((name, arguments)) = arguments.subcommand() else {
            return Err(Error::Usage("no study given; `list_studies` lists them all".to_string()));
        };
        let study = STUDIES
            .find(name)
            .ok_or_else(|| Error::Usage(format!("unknown study `{name}`; `list_studies` lists them all")))?;
        let drawing = Drawing::asked_for(arguments)?;
        let folder = arguments.get_one::<PathBuf>("dataset").cloned().unwrap_or_default();
        let dataset = Layout::open(&folder)?;
        // While it is read, it is not compacted.
        let _together = dataset.together()?;
        let text = |name: &str| arguments.get_one::<String>(name).map(String::as_str);
        let wanted = Selection {
            condition: text("where"),
            by: text("by"),
            distinct_content: arguments.get_flag("distinct_content"),
        };
        let population = Population::select(&dataset, study, &wanted)?;
        let studied = study.study(arguments, &population)?;
        let mut figure = without_empty(studied.figure);
        figure.caption.push(said_of(study, &population, &wanted));
        figure.caption.extend(population.notes().iter().cloned());
        let mut drawing = drawing.of(figure, arguments);
        let report = report(&studied.numbers).with_notes(population.notes().to_vec());
        drawing.numbers = Some(FigureNumbers { report, alone: arguments.get_flag("numbers") });
        Ok(Outcome::Drawing(Box::new(drawing)))
    }
}

/// How many were counted, and which.
fn said_of(study: &dyn Study, population: &Population<'_>, wanted: &Selection<'_>) -> String {
    let counted = format!("Selected: {} {}", grouped(population.len() as u64), study.subject().name());
    match wanted.condition {
        Some(condition) => format!("{counted} with {condition}."),
        None => format!("{counted}."),
    }
}

/// The clap definition of one study: its own arguments, then those that all share.
pub(super) fn definition(study: &'static dyn Study) -> clap::Command {
    let subject = study.subject().name();
    let dataset = Arg::new("dataset")
        .value_name("DATASET")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::DirPath)
        .help("Folder that `analyze` wrote");
    let shared = [
        Arg::new("by")
            .long("by")
            .value_name("LABEL")
            .help(format!("Groups: a label of the captures, or a column of {subject}")),
        Arg::new("where")
            .long("where")
            .value_name("EXPR")
            .help(format!("Only {subject} that this condition in SQL holds for")),
        Arg::new("distinct_content")
            .long("distinct-content")
            .action(ArgAction::SetTrue)
            .help("Count captures once that agree in size, packets and times: copies of one file"),
        Arg::new("numbers")
            .long("numbers")
            .action(ArgAction::SetTrue)
            .help("Only the numbers, in the form of --format or --out: txt, csv, json, ndjson, parquet"),
    ];
    Drawing::with_arguments(described::definition(study).arg(dataset).args(shared))
}

/// The numbers as a table.
fn report(numbers: &StudyNumbers) -> Report {
    let grouped = numbers.0.iter().any(|number| number.group.is_some());
    let parts = numbers.0.iter().any(|number| number.of.is_some());
    let row = |number: &Number, people: bool| {
        let text = |text: &str| Cell::Text(text.to_string());
        let whole = |count: Option<u64>| count.map_or(Cell::Null, |count| Cell::Integer(count.into()));
        let mut row = Vec::new();
        if grouped || !people {
            row.push(number.group.as_deref().map_or(Cell::Null, text));
        }
        row.extend([text(&number.quantity), cell(number, people)]);
        if !people {
            row.push(text(number.unit));
        }
        if parts || !people {
            row.extend([whole(number.count), whole(number.of)]);
        }
        row
    };
    let mut columns = vec!["quantity", "value"];
    if grouped {
        columns.insert(0, "group");
    }
    if parts {
        columns.extend(["count", "of"]);
    }
    let mut table = Table::new(&columns);
    let mut records = Table::new(&["group", "quantity", "value", "unit", "count", "of"]);
    table.rows.extend(numbers.0.iter().map(|number| row(number, true)));
    records.rows.extend(numbers.0.iter().map(|number| row(number, false)));
    Report::new(&numbers.0, vec![table]).with_records(records)
}

/// The value with its unit for people, or as it is.
fn cell(number: &Number, people: bool) -> Cell {
    let Some(value) = number.value else { return Cell::Null };
    let is = |unit: Unit| number.unit == unit.name();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    match value {
        value if !people => Cell::Number(value),
        value if is(Unit::Seconds) => Cell::microseconds(value),
        value if is(Unit::Share) => Cell::Share(value),
        value if is(Unit::BytesPerSecond) => Cell::BytesPerSecond(value),
        value if is(Unit::Bytes) && value >= 0.0 && value.fract() == 0.0 => Cell::Bytes(value as u64),
        value if is(Unit::Count) && value.fract() == 0.0 => Cell::Integer(value as i128),
        value => Cell::Number(value),
    }
}
