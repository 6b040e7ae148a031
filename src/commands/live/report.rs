//! News of a live capture, as tables for people and records for programs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use crate::output::{Cell, Report, Table};
use mptcp_trace::analysis::events::EventKind;
use mptcp_trace::analysis::live::{Amount, Happening, News, Of, Rate, Rates};
use mptcp_trace::tracking::{ByRole, Endpoint};
use mptcp_trace::units::grouped;
use mptcp_trace::{ConnectionId, Instant};

/// Lines of one window that people see; the rest is summed up.
const MOST_LINES: usize = 20;
/// Events of one kind, connection and window that people see; the rest is counted.
const MOST_EVENTS: u64 = 20;

/// One record, as JSON prints it.
#[derive(Serialize)]
#[serde(tag = "record", rename_all = "lowercase")]
enum Record<'a> {
    Event(&'a Happening),
    Rate(Rate),
}

/// What people were shown of the current window: of more events of one kind in one connection the rest is counted.
#[derive(Debug, Default)]
pub struct Shown {
    /// By connection and kind, all that there were.
    events: BTreeMap<(ConnectionId, EventKind), u64>,
}

impl Shown {
    /// Whether one more event is to be shown.
    fn takes(&mut self, happening: &Happening) -> bool {
        let count = self.events.entry((happening.mptcpstream, happening.event.event)).or_default();
        *count += 1;
        *count <= MOST_EVENTS
    }

    /// A line for each kind of which not all were shown, at the end of the window.
    fn rest(&mut self, reltime: f64) -> Vec<Vec<Cell>> {
        let events = std::mem::take(&mut self.events).into_iter().filter(|(_, count)| *count > MOST_EVENTS);
        let line = |((connection, kind), count): ((ConnectionId, EventKind), u64)| {
            vec![
                Cell::microseconds(reltime),
                Cell::Integer(connection.0.into()),
                Cell::Text("more".to_string()),
                Cell::Null,
                Cell::name(&kind),
                Cell::Text(format!("{} more in this interval", grouped(count.saturating_sub(MOST_EVENTS)))),
            ]
        };
        events.map(line).collect()
    }
}

/// The news in their order; `origin` is when the first frame was recorded.
#[must_use]
pub fn report(news: &[News], origin: Instant, shown: &mut Shown) -> Report {
    let mut tables: Vec<Table> = Vec::new();
    let mut records = Vec::new();
    let mut add =
        |empty: Table, rows: Vec<Vec<Cell>>| match tables.last_mut().filter(|last| last.columns == empty.columns) {
            Some(last) => last.rows.extend(rows),
            None if rows.is_empty() => {}
            None => tables.push(Table { rows, ..empty }),
        };
    for news in news {
        match news {
            News::Happening(happening) => {
                records.push(Record::Event(happening));
                if shown.takes(happening) {
                    add(events(), vec![event(happening)]);
                }
            }
            News::Rates(rates) => {
                records.extend(rates.records(origin).into_iter().map(Record::Rate));
                add(events(), shown.rest(rates.reltime(origin)));
                add(rates_table(), lines(rates, origin));
            }
        }
    }
    let mut flat = Table::new(&[
        "record",
        "reltime",
        "mptcpstream",
        "tcpstream",
        "towards",
        "packetid",
        "event",
        "detail",
        "client_ip",
        "client_port",
        "server_ip",
        "server_port",
        "window",
        "packets",
        "throughput_bytes",
        "throughput",
        "retransmitted_bytes",
    ]);
    flat.rows.extend(records.iter().map(flat_row));
    Report::new(&json!(records), tables).with_records(flat)
}

fn events() -> Table {
    // The heading is as wide as most names of events, so that columns stand where they will be.
    let event = ("event", "event           ");
    let stream = [("mptcpstream", "mptcp"), ("tcpstream", "tcp")];
    Table::headed(&[("reltime", ""), stream[0], stream[1], ("towards", ""), event, ("detail", "")])
}

fn event(happening: &Happening) -> Vec<Cell> {
    let Happening { event, .. } = happening;
    let mut detail = event.detail.clone();
    if happening.is_first {
        let client = Endpoint { address: happening.client_ip, port: happening.client_port };
        let server = Endpoint { address: happening.server_ip, port: happening.server_port };
        detail.push_str(&format!("; {client} to {server}"));
    }
    vec![
        Cell::microseconds(event.reltime),
        Cell::Integer(happening.mptcpstream.0.into()),
        Cell::Integer(event.tcpstream.0.into()),
        Cell::name(&event.towards),
        Cell::name(&event.event),
        Cell::Text(detail),
    ]
}

fn rates_table() -> Table {
    Table::headed(&[
        ("reltime", ""),
        ("mptcpstream", "mptcp"),
        ("tcpstream", "tcp"),
        ("throughput_server", "to server"),
        ("packets_server", "pkt/s"),
        ("throughput_client", "to client"),
        ("packets_client", "pkt/s"),
        ("retransmitted_bytes", "sent again"),
    ])
}

/// The lines of a window: connections of one active subflow take one, and the busiest lines come first where there are
/// too many.
fn lines(rates: &Rates, origin: Instant) -> Vec<Vec<Cell>> {
    let mut shown: Vec<(Of, ByRole<Amount>)> =
        rates.lines().filter(|(of, _)| !matches!(of, Of::Connection(_, 1))).collect();
    let bytes = |amounts: &ByRole<Amount>| amounts.server.bytes.saturating_add(amounts.client.bytes);
    let mut rest = Vec::new();
    if shown.len() > MOST_LINES {
        shown.sort_by_key(|(_, amounts)| std::cmp::Reverse(bytes(amounts)));
        rest = shown.split_off(MOST_LINES);
    }
    let row = |connection: String, stream: String, amounts: &ByRole<Amount>| {
        let throughput = |amount: Amount| Cell::BytesPerSecond(rates.per_second(amount.bytes));
        let packets = |amount: Amount| Cell::Number((rates.per_second(amount.packets) * 10.0).round() / 10.0);
        vec![
            Cell::microseconds(rates.reltime(origin)),
            Cell::Text(connection),
            Cell::Text(stream),
            throughput(amounts.server),
            packets(amounts.server),
            throughput(amounts.client),
            packets(amounts.client),
            Cell::Bytes(amounts.server.again.saturating_add(amounts.client.again)),
        ]
    };
    let mut rows: Vec<Vec<Cell>> = shown
        .iter()
        .map(|(of, amounts)| match of {
            Of::Connection(connection, _) => row(connection.to_string(), "all".to_string(), amounts),
            Of::Subflow(connection, stream) => row(connection.to_string(), stream.to_string(), amounts),
            Of::Plain => row("none".to_string(), "all".to_string(), amounts),
        })
        .collect();
    if !rest.is_empty() {
        // Whole connections hold what their subflows do.
        let parts = rest.iter().filter(|(of, _)| !matches!(of, Of::Connection(..)));
        let sum = parts.fold(ByRole::<Amount>::default(), |mut sum, (_, amounts)| {
            sum.server.add(amounts.server);
            sum.client.add(amounts.client);
            sum
        });
        rows.push(row("more".to_string(), rest.len().to_string(), &sum));
    }
    rows
}

fn flat_row(record: &Record<'_>) -> Vec<Cell> {
    let number = |number: u64| Cell::Integer(number.into());
    let mut cells = match record {
        Record::Event(happening) => {
            let Happening { event, .. } = happening;
            vec![
                Cell::Text("event".to_string()),
                Cell::seconds(event.reltime),
                number(happening.mptcpstream.0.into()),
                number(event.tcpstream.0.into()),
                Cell::name(&event.towards),
                number(event.packetid),
                Cell::name(&event.event),
                Cell::Text(event.detail.clone()),
                Cell::Text(happening.client_ip.to_string()),
                number(happening.client_port.into()),
                Cell::Text(happening.server_ip.to_string()),
                number(happening.server_port.into()),
            ]
        }
        Record::Rate(rate) => {
            let stream = |stream: Option<u32>| stream.map_or(Cell::Null, |stream| number(stream.into()));
            let mut cells = vec![
                Cell::Text("rate".to_string()),
                Cell::seconds(rate.reltime),
                stream(rate.mptcpstream.map(|id| id.0)),
                stream(rate.tcpstream.map(|id| id.0)),
                Cell::name(&rate.towards),
            ];
            cells.resize(12, Cell::Null);
            cells.extend([
                Cell::seconds(rate.window),
                number(rate.packets),
                Cell::Bytes(rate.throughput_bytes),
                Cell::BytesPerSecond(rate.throughput),
                Cell::Bytes(rate.retransmitted_bytes),
            ]);
            cells
        }
    };
    cells.resize(17, Cell::Null);
    cells
}
