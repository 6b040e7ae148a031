//! What acknowledgements said beyond how far the data came, as marks at sequence numbers: SACK blocks, duplicate ACKs,
//! windows of zero. Users of tcptrace know them from its time-sequence graphs.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction};

use super::dsn::shown;
use super::request::{Clockwork, PlotRequest, value};
use crate::drawing::figure::{Marks, Point, Role as FigureRole, RoleKind, Series, VerticalStroke};
use mptcp_trace::PacketRow;
use mptcp_trace::analysis::ack_marks::{AckMark, AckMarkKind, AckMarks, ack_marks};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::data::{DataSequence, Mappings};
use mptcp_trace::tracking::{Capture, Connection, Role, Stream, Tracking};

/// Subflows whose marks are in their colours at most.
const TOLD_APART: usize = 16;
/// Mappings that are looked up for one SACK block at most.
const MOST_MAPPINGS: usize = 64;
/// The kinds of marks, with their names in the legend.
const KINDS: [(AckMarkKind, &str, RoleKind); 3] = [
    (AckMarkKind::Sack, "SACK", RoleKind::Sack),
    (AckMarkKind::Duplicate, "duplicate ACK", RoleKind::DuplicateAck),
    (AckMarkKind::ZeroWindow, "zero window", RoleKind::ZeroWindow),
];

/// `--acks`.
pub fn argument() -> Arg {
    Arg::new("acks")
        .long("acks")
        .action(ArgAction::SetTrue)
        .help("Mark what the receiver reported at sequence numbers: SACK blocks, duplicate ACKs and windows of zero")
}

/// The marks of one kind: strokes of SACK blocks, points of the others, and the packet of each.
#[derive(Default)]
struct Found {
    strokes: Vec<VerticalStroke>,
    points: Vec<Point>,
    packets: Vec<u64>,
}

impl Found {
    fn stroke(&mut self, x: f64, (y_low, y_high): (f64, f64), packet: u64) {
        self.strokes.push(VerticalStroke { x, y_low, y_high });
        self.packets.push(packet);
    }

    fn point(&mut self, x: f64, y: f64, packet: u64) {
        self.points.push(Point { x, y });
        self.packets.push(packet);
    }

    fn series(self, name: &str, role: FigureRole) -> Series {
        let marks =
            if self.strokes.is_empty() { Marks::Points(self.points) } else { Marks::VerticalStrokes(self.strokes) };
        Series::new(name, role, marks).of_packets(self.packets)
    }
}

/// The marks of the data of a stream that travel towards `towards` *of the stream*, at its sequence numbers: relative ones,
/// or those `as_sent`. With them the acknowledgements themselves.
pub fn of_stream(
    capture: &Capture,
    (stream, towards): (&Stream, Role),
    (subflow, as_sent): (u32, bool),
    request: &PlotRequest,
) -> Vec<Series> {
    let all = ack_marks(&capture.segments, &capture.tracking, stream);
    let all = all.get(towards);
    let clockwork = Clockwork::of(capture);
    let number = |position| value((if as_sent { AckMarks::raw(position) } else { all.relative(position) }).into());
    let steps = interruptible(&all.advances).map(|(row, time, position)| {
        (Point { x: clockwork.seconds(*time), y: number(*position) }, packet(capture, *row))
    });
    let (steps, packets) = request.steps_with(steps).into_iter().unzip();
    let look = |kind| FigureRole::of_subflow(kind, subflow);
    let mut series = vec![Series::new("ACK", look(RoleKind::Acknowledgement), Marks::Steps(steps)).of_packets(packets)];
    for (kind, name, role) in KINDS {
        let mut found = Found::default();
        for mark in of_kind(all, kind) {
            let (x, packet) = (clockwork.seconds(mark.time), packet(capture, mark.row));
            let low = number(mark.start);
            match kind {
                _ if !request.shows(x) => {}
                AckMarkKind::Sack => found.stroke(x, (low, low + value(mark.end.saturating_sub(mark.start))), packet),
                _ => found.point(x, low, packet),
            }
        }
        series.push(found.series(name, look(role)));
    }
    series.retain(|series| !series.marks.is_empty());
    series
}

/// The marks of the data of a connection that travel towards `towards`, at the data sequence numbers that the bytes have
/// which subflows report or ask for. A window of zero is at the highest DATA_ACK, because the window is that of the data.
pub fn of_data(
    capture: &Capture,
    connection: &Connection,
    towards: Role,
    (sequence, origin): (&DataSequence, u64),
    request: &PlotRequest,
) -> Vec<Series> {
    let mappings = Mappings::of(&capture.segments, &capture.tracking, connection);
    let highest = highest(sequence);
    let clockwork = Clockwork::of(capture);
    let apart = connection.subflows.len() <= TOLD_APART;
    let mut found = BTreeMap::<(usize, Option<u32>), Found>::new();
    for (index, id) in connection.subflows.iter().enumerate().filter(|(_, id)| request.shows_subflow(**id)) {
        let Some((stream, subflow)) = capture.tracking.stream(*id).zip(capture.tracking.subflow(*id)) else { continue };
        let all = ack_marks(&capture.segments, &capture.tracking, stream);
        let all = all.get(Tracking::mptcp_towards(subflow, towards));
        let look = u32::try_from(index).ok().filter(|_| apart);
        for (rank, (kind, ..)) in KINDS.iter().enumerate() {
            let found = found.entry((rank, look)).or_default();
            let carried = |bytes| mappings.carried_by(towards, index, bytes, MOST_MAPPINGS);
            let expected = |position: u64| {
                let next = carried((position, position.saturating_add(1))).first().map(|(start, _)| *start);
                next.or_else(|| carried((position.saturating_sub(1), position)).last().map(|(_, end)| *end))
            };
            for mark in of_kind(all, *kind) {
                let (x, packet) = (clockwork.seconds(mark.time), packet(capture, mark.row));
                if !request.shows(x) {
                    continue;
                }
                let place = match kind {
                    AckMarkKind::Sack => {
                        for (start, end) in carried((mark.start, mark.end)) {
                            found.stroke(x, (shown(start, origin), shown(end, origin)), packet);
                        }
                        None
                    }
                    AckMarkKind::Duplicate => expected(mark.start),
                    AckMarkKind::ZeroWindow => {
                        let before = highest.partition_point(|(row, _)| *row <= mark.row).checked_sub(1);
                        let acknowledged = before.and_then(|at| highest.get(at)).map(|(_, next)| *next);
                        acknowledged.or_else(|| expected(mark.start))
                    }
                };
                if let Some(place) = place {
                    found.point(x, shown(place, origin), packet);
                }
            }
        }
    }
    let named = |((rank, subflow), found): ((usize, Option<u32>), Found)| {
        let (_, name, kind) = KINDS.get(rank)?;
        Some(found.series(name, FigureRole { kind: *kind, subflow }))
    };
    found.into_iter().filter_map(named).collect()
}

fn of_kind(all: &AckMarks, kind: AckMarkKind) -> impl Iterator<Item = &AckMark> {
    interruptible(all.marks.iter().filter(move |mark| mark.kind == kind))
}

/// Each time that the DATA_ACK grew: the packet's row, and the next byte that is expected.
fn highest(sequence: &DataSequence) -> Vec<(PacketRow, u64)> {
    let mut highest: Vec<(PacketRow, u64)> = Vec::new();
    for ack in interruptible(&sequence.acknowledged) {
        if highest.last().is_none_or(|(_, next)| ack.next > *next) {
            highest.push((ack.row, ack.next));
        }
    }
    highest
}

fn packet(capture: &Capture, row: PacketRow) -> u64 {
    // Every row has a packet; packets are numbered from 1.
    capture.segments.get(row.index()).map_or(0, |segment| segment.packetid())
}
