//! A column of the packet table over time: what `tcp_attr` and `mptcp_attr` share.

use crate::packets::LoadedCapture;
use clap::{Arg, ArgMatches};

use super::acks;
use super::panels::panel;
use super::request::{Clockwork, PlotRequest, value};
use super::subject::{Subject, SubjectStream};
use crate::analysis::selection::unknown_column;
use crate::drawing::figure::{Axis, Figure, Marks, Panel, Point, Series, Unit};
use crate::error::{Error, Result};
use crate::packets::cells::{Cells, Class, Value, hexadecimal};
use crate::packets::schema;
use crate::terminal_text::escape;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Role;

/// Up to here every whole number is a double of its own: 2^53.
const EXACT: u64 = 1 << 53;

/// Columns at whose numbers acknowledgements are marked.
const SEQUENCE_NUMBERS: [&str; 2] = ["tcpseq", "tcpseq_raw"];

/// `FIELD`: a column of the packet table.
pub fn argument() -> Arg {
    Arg::new("column")
        .value_name("FIELD")
        .required(true)
        .num_args(1..)
        .help("Columns of the packet table with numbers or times, such as rwnd, tcplen or dsn; see `columns`")
}

/// The figure.
///
/// # Errors
/// [`Error::NotFound`] for a column that is not there, [`Error::Usage`] for one that holds no numbers.
pub fn figure(
    capture: &LoadedCapture,
    subject: &Subject<'_>,
    arguments: &ArgMatches,
    request: &PlotRequest,
) -> Result<Figure> {
    let names: Vec<&str> = arguments.get_many::<String>("column").into_iter().flatten().map(String::as_str).collect();
    if request.acks && !names.iter().any(|name| SEQUENCE_NUMBERS.contains(name)) {
        return Err(Error::Usage(
            "--acks marks sequence numbers: give the column tcpseq or tcpseq_raw, or draw `plot dsn --acks`"
                .to_string(),
        ));
    }
    let mut figure = Figure::new(subject.title(&names.join(", ")));
    for name in names {
        figure = with_column(figure, name, capture, subject, request)?;
    }
    Ok(subject.thinned(figure, capture, request))
}

/// The figure with a panel of that column for each direction.
fn with_column(
    mut figure: Figure,
    name: &str,
    capture: &LoadedCapture,
    subject: &Subject<'_>,
    request: &PlotRequest,
) -> Result<Figure> {
    let column = Column::of(capture, name)?;
    if let Some(about) = column.about() {
        figure = figure.with_caption(about);
    }
    for towards in request.directions() {
        let (panel, base) = column.panel(capture, subject, towards, request);
        if panel.series.is_empty() {
            figure = figure.with_caption(format!("Towards the {}, no packet has a value of {name}.", towards.name()));
        }
        if let Some(base) = base {
            figure = figure.with_caption(format!(
                "Towards the {}, values are shown relative to the smallest, {}, because an axis cannot show such \
                 large numbers exactly.",
                towards.name(),
                column.text(base)
            ));
        }
        figure = figure.with_panel(panel);
    }
    Ok(figure)
}

/// When a packet was recorded, its number in the column, and its `packetid`.
type Cell = (f64, Number, u64);

struct Column {
    cells: Cells,
    unit: Unit,
}

impl Column {
    fn of(capture: &LoadedCapture, name: &str) -> Result<Self> {
        let table = capture.columns_of(&[name])?;
        let column = table.column(name).map_err(|_| unknown_column(&table, name))?;
        let cells = Cells::of(column).map_err(|source| Error::Table { action: "read a column", source })?;
        let unit = match cells.class() {
            Class::Span => Unit::Seconds,
            Class::Whole | Class::Hexadecimal | Class::Float => unit(name),
            Class::Instant => return Err(no_numbers(name, &cells, "`reltime` counts from the first frame")),
            _ => return Err(no_numbers(name, &cells, "try rwnd, tcplen, dsn or dack; `columns` lists them all")),
        };
        Ok(Column { cells, unit })
    }

    fn name(&self) -> &str {
        self.cells.name()
    }

    /// A number as tables print it.
    fn text(&self, number: u64) -> String {
        if self.cells.class() == Class::Hexadecimal { hexadecimal(number, 16) } else { number.to_string() }
    }

    /// Content of the column, in a sentence.
    fn about(&self) -> Option<String> {
        let spec = schema::find(self.name())?;
        let source = if spec.source.is_empty() { String::new() } else { format!(" ({})", spec.source) };
        Some(format!("{}: {}{source}. One mark per packet.", spec.name, spec.about))
    }

    /// One direction, and what its numbers count from where they are too large for an axis.
    fn panel(
        &self,
        capture: &LoadedCapture,
        subject: &Subject<'_>,
        towards: Role,
        request: &PlotRequest,
    ) -> (Panel, Option<u64>) {
        let found: Vec<(&SubjectStream<'_>, Vec<Cell>)> =
            subject.flows.iter().map(|flow| (flow, self.numbers(capture, flow, towards, request))).collect();
        let base = base(found.iter().flat_map(|(_, numbers)| numbers.iter().map(|(_, number, _)| *number)));
        let label = if base.is_some() { format!("{} minus its minimum", self.name()) } else { self.name().to_string() };
        let mut panel = panel(towards, Axis::new("time", Unit::Seconds), Axis::new(label, self.unit));
        for (flow, numbers) in interruptible(found.iter().filter(|(_, numbers)| !numbers.is_empty())) {
            let points = numbers.iter().map(|(x, number, _)| Point { x: *x, y: number.on_axis(base) }).collect();
            let packets = numbers.iter().map(|(_, _, packet)| *packet).collect();
            panel = panel
                .with_series(Series::new(flow.name.as_str(), flow.look(), Marks::Points(points)).of_packets(packets));
            if request.acks && SEQUENCE_NUMBERS.contains(&self.name()) {
                let data = (flow.stream, flow.stream_role(towards));
                let as_sent = self.name() == "tcpseq_raw";
                panel.series.extend(acks::of_stream(capture, data, (flow.index, as_sent), request));
            }
        }
        (panel, base)
    }

    fn numbers(
        &self,
        capture: &LoadedCapture,
        flow: &SubjectStream<'_>,
        towards: Role,
        request: &PlotRequest,
    ) -> Vec<Cell> {
        let clockwork = Clockwork::of(capture);
        let rows = flow.stream.packets.iter().filter_map(|row| {
            let packet = capture.tracking.packets.get(*row)?;
            let row = row.index();
            if flow.stream.towards(packet) != flow.stream_role(towards) {
                return None;
            }
            let segment = capture.segments.get(row)?;
            let seconds = clockwork.seconds(segment.abstime);
            let number = Number::of(&self.cells.value(row))?;
            request.shows(seconds).then_some((seconds, number, segment.packetid()))
        });
        rows.collect()
    }
}

/// The unit that the schema gives to a column.
fn unit(name: &str) -> Unit {
    match schema::find(name).map(|spec| spec.unit) {
        Some("B") => Unit::Bytes,
        Some("s") => Unit::Seconds,
        _ => Unit::Plain,
    }
}

fn no_numbers(name: &str, cells: &Cells, instead: &str) -> Error {
    Error::Usage(format!(
        "column `{}` holds {}, which an axis cannot show: {instead}",
        escape(name),
        cells.class().contents()
    ))
}

#[derive(Clone, Copy)]
enum Number {
    Whole(u64),
    Other(f64),
}

impl Number {
    fn of(cell: &Value<'_>) -> Option<Self> {
        Some(match cell {
            Value::Unsigned(number) | Value::Hexadecimal(number, _) => Number::Whole(*number),
            #[allow(clippy::cast_precision_loss)]
            Value::Signed(number) => Number::Other(*number as f64),
            Value::Float(number) if number.is_finite() => Number::Other(*number),
            Value::Span(span) => Number::Other(span.seconds()),
            _ => return None,
        })
    }

    fn on_axis(self, base: Option<u64>) -> f64 {
        match self {
            Number::Whole(number) => value(number.saturating_sub(base.unwrap_or(0))),
            Number::Other(number) => number,
        }
    }
}

/// The least number, where the largest has no exact place on an axis.
fn base(numbers: impl Iterator<Item = Number>) -> Option<u64> {
    let mut ends: Option<(u64, u64)> = None;
    for number in interruptible(numbers) {
        if let Number::Whole(number) = number {
            let (least, most) = ends.unwrap_or((number, number));
            ends = Some((least.min(number), most.max(number)));
        }
    }
    ends.filter(|(_, most)| *most > EXACT).map(|(least, _)| least)
}
