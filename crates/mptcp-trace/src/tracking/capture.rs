//! A tracked capture, ready for analyses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::copies::{self, Copies};
use super::duplicates::{Duplicates, duplicates};
use super::order::{FileOrder, OrderWatch};
use super::point_of_view::PointOfView;
use super::repeats::Repeats;
use super::tracker::{Tracked, Tracker};
use super::{Connection, Role, Stream, Tracking, numbering};
use crate::error::{Error, Numbered, Result};
use crate::interrupt::{self, interruptible};
use crate::packets::frames::Frames;
use crate::packets::native;
use crate::packets::segment::Segments;
use crate::packets::{CaptureFacts, Dissection, Packets, SoFar};
use crate::{AddressLabels, ConnectionId, Instant, PacketRow, StreamId};

/// A tracked capture: its packets and what they mean together.
#[derive(Debug, Clone)]
pub struct Capture {
    /// The file, as it was named.
    pub path: PathBuf,
    /// The packets, in the order of time.
    pub segments: Segments,
    /// The frame around each.
    pub frames: Arc<Frames>,
    /// Facts of the file besides the packets.
    pub facts: CaptureFacts,
    /// Their meaning together.
    pub tracking: Tracking,
    /// Facts about the order of the file.
    pub order: FileOrder,
    /// The copies in the file, where packets were recorded more than once.
    pub copies: Option<Copies>,
    /// Packets that the path doubled.
    pub duplicates: Duplicates,
    /// Sender of these packets.
    pub view: PointOfView,
    /// Names of the interfaces or networks that addresses belong to, for those who know them.
    pub address_labels: AddressLabels,
    origin: Instant,
    earliest: Instant,
    /// The rows of the packets in the dissection, where these are not all in its order.
    rows: Option<Vec<PacketRow>>,
    /// All packets of the file, where these are not all.
    whole: Option<Arc<Packets>>,
}

impl Capture {
    /// Reads the capture file `path`, or standard input as `-`, and tracks it. Packets of link types that are not
    /// understood are left out, with a warning in [`CaptureFacts::warnings`].
    ///
    /// # Errors
    /// [`Error::Read`] when it cannot be read, or is neither pcap nor pcapng; [`Error::Interrupted`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut tracker = Tracker::default();
        let dissected = native::dissect_watched(path, native::DissectOptions { partial: true }, &mut tracker);
        let dissection = dissected.map_err(|failure| failure.of(path))?;
        Self::tracked_from(path.to_path_buf(), dissection, PointOfView::default(), Some(tracker))
    }

    /// Tracks a dissection. Of packets that were recorded more than once the copies nearest to the clients count.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn new(path: PathBuf, dissection: Dissection) -> Result<Self> {
        Self::seen_from(path, dissection, PointOfView::default())
    }

    /// Tracks the packets of a dissection that count from this point of view.
    ///
    /// # Errors
    /// As [`Capture::new`]; [`Error::NoInterface`] for an interface that nothing was recorded on, [`Error::OnePlace`]
    /// for a place where packets were recorded in one alone.
    pub fn seen_from(path: PathBuf, dissection: Dissection, view: PointOfView) -> Result<Self> {
        Self::tracked_from(path, dissection, view, None)
    }

    /// The same; `tracker` has taken in the packets of the dissection while it was made.
    ///
    /// # Errors
    /// As [`Capture::seen_from`].
    pub fn tracked_from(
        path: PathBuf,
        dissection: Dissection,
        view: PointOfView,
        tracker: Option<Tracker>,
    ) -> Result<Self> {
        let tracker = tracker.filter(|tracker| tracker.height() == dissection.packets.height());
        let Dissection { packets, facts } = dissection;
        let Some(interface) = &view.interface else {
            return Self::of_packets(path, packets, facts, view, tracker);
        };
        let rows = rows_of_interface(&path, &packets, &facts, interface)?;
        let narrowed = packets.select(&rows, packets.origin);
        let mut capture = Self::of_packets(path, narrowed, facts, view, None)?;
        let within = capture.rows.take();
        capture.rows = Some(match within {
            Some(within) => within.iter().filter_map(|row| rows.get(row.index()).copied()).collect(),
            None => rows,
        });
        capture.whole = Some(Arc::new(packets));
        Ok(capture)
    }

    /// The same file, seen from another point of view.
    ///
    /// # Errors
    /// As [`Capture::seen_from`].
    pub fn viewed_from(&self, view: PointOfView) -> Result<Self> {
        let dissection = Dissection { packets: self.in_file_order(), facts: self.facts.clone() };
        let seen = Self::seen_from(self.path.clone(), dissection, view)?;
        Ok(Capture { address_labels: self.address_labels.clone(), ..seen })
    }

    /// All packets of the file, in its order.
    fn in_file_order(&self) -> Packets {
        if let Some(whole) = &self.whole {
            return whole.as_ref().clone();
        }
        let packets = self.packets();
        let Some(rows) = &self.rows else { return packets };
        let mut order: Vec<(PacketRow, PacketRow)> = rows.iter().copied().zip((0..).map(PacketRow)).collect();
        order.sort_unstable();
        let order: Vec<PacketRow> = order.into_iter().map(|(_, place)| place).collect();
        packets.select(&order, self.origin)
    }

    /// The packets that count, in the order of time.
    #[must_use]
    pub fn packets(&self) -> Packets {
        Packets {
            segments: self.segments.clone(),
            frames: Arc::clone(&self.frames),
            origin: self.origin,
            earliest: self.earliest,
        }
    }

    /// The rows that the packets have in the dissection; `None` where they are all of them, in its order.
    #[must_use]
    pub fn rows(&self) -> Option<&[PacketRow]> {
        self.rows.as_deref()
    }

    fn of_packets(
        path: PathBuf,
        packets: Packets,
        facts: CaptureFacts,
        view: PointOfView,
        tracker: Option<Tracker>,
    ) -> Result<Self> {
        let tracker = tracker.unwrap_or_else(|| tracker_of(&packets.segments, &packets.frames));
        let Tracked { tracking, mut repeats, order } = tracker.finish(&packets.segments);
        let mut capture = Capture {
            path,
            tracking,
            origin: packets.origin,
            earliest: packets.earliest,
            segments: packets.segments,
            frames: packets.frames,
            facts,
            order: FileOrder::default(),
            copies: None,
            duplicates: Duplicates::default(),
            view,
            address_labels: AddressLabels::default(),
            rows: None,
            whole: None,
        };
        interrupt::check()?;
        let (rows, elsewhere) = capture.look(order, &repeats);
        interrupt::check()?;
        if let Some(rows) = rows {
            repeats = capture.keep(rows, &elsewhere);
        }
        if capture.view.only_there && capture.copies.is_none() {
            return Err(Error::OnePlace(capture.path));
        }
        capture.duplicates = duplicates(&capture.segments, &capture.frames, &capture.tracking, &repeats);
        capture.duplicates.mark(&mut capture.tracking);
        // After Ctrl-C what was tracked is not whole.
        interrupt::check()?;
        Ok(capture)
    }

    /// Finds out in which order packets count, and which do: their rows, where those are not all in the order of the
    /// file; and those among them that were recorded elsewhere alone.
    fn look(&mut self, order: OrderWatch, repeats: &Repeats) -> (Option<Vec<PacketRow>>, Vec<PacketRow>) {
        let (order, by_time) = order.finish(&self.segments, &self.frames);
        let subject = copies::Subject {
            segments: &self.segments,
            frames: &self.frames,
            tracking: &self.tracking,
            by_time: by_time.as_deref(),
        };
        let found = copies::find(subject, repeats, &self.view);
        self.order = order;
        let Some(found) = found else { return (by_time, Vec::new()) };
        let left_out = found.copies.left_out > 0;
        self.copies = Some(found.copies);
        (if left_out { Some(found.rows) } else { by_time }, found.elsewhere)
    }

    /// Takes the packets of these rows, in this order; streams keep their numbers. Returns which of them bring nothing new.
    fn keep(&mut self, rows: Vec<PacketRow>, elsewhere: &[PacketRow]) -> Repeats {
        let whole = self.in_file_order();
        let Packets { segments, frames, origin, .. } = whole.select(&rows, self.earliest);
        (self.segments, self.frames, self.origin) = (segments, frames, origin);
        let Tracked { tracking, repeats, .. } = tracker_of(&self.segments, &self.frames).finish(&self.segments);
        self.tracking = numbering::as_in_file(tracking, &self.tracking, &rows);
        for (row, packet) in interruptible(rows.iter().zip(&mut self.tracking.packets)) {
            packet.elsewhere = elsewhere.binary_search(row).is_ok();
        }
        self.whole = (rows.len() < whole.height()).then(|| Arc::new(whole));
        self.rows = Some(rows);
        repeats
    }

    /// When the first frame of the file was recorded: what relative times count from.
    #[must_use]
    pub fn origin(&self) -> Instant {
        self.origin
    }

    /// When the first and the last packet of a stream were recorded.
    #[must_use]
    pub fn span_of(&self, stream: &Stream) -> Option<(Instant, Instant)> {
        let mut times = stream.packets.iter().filter_map(|row| Some(self.segments.get(row.index())?.abstime));
        if self.copies.is_none() && !self.order.clock_set_back {
            // In the order of time.
            let first = times.next()?;
            return Some((first, times.next_back().unwrap_or(first)));
        }
        times.fold(None, |span, time| {
            let (first, last) = span.unwrap_or((time, time));
            Some((first.min(time), last.max(time)))
        })
    }

    /// The file's name without its directory, and the point of view, for the prompt; not escaped.
    #[must_use]
    pub fn name(&self) -> String {
        let file = self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        self.view.name(&file)
    }

    /// The name of what a stream runs over: the label of the address that the client has on it (of a subflow, the
    /// connection's), or else of the server's.
    #[must_use]
    pub fn path_label(&self, stream: StreamId) -> Option<&str> {
        let (stream, subflow) = (self.tracking.stream(stream)?, self.tracking.subflow(stream));
        let end = |role| subflow.map_or(role, |subflow| Tracking::mptcp_towards(subflow, role));
        let [client, server] = [Role::Client, Role::Server].map(|role| stream.endpoint(end(role)).address);
        self.address_labels.of(client).or_else(|| self.address_labels.of(server))
    }

    /// Numbers of the TCP streams.
    #[must_use]
    pub fn tcp_stream_ids(&self) -> Vec<StreamId> {
        self.tracking.streams.iter().map(|stream| stream.id).collect()
    }

    /// Numbers of the MPTCP connections, without those that are part of another.
    #[must_use]
    pub fn mptcp_stream_ids(&self) -> Vec<ConnectionId> {
        self.tracking.whole_connections().map(|connection| connection.id).collect()
    }

    /// The TCP stream of that number.
    ///
    /// # Errors
    /// [`Error::Absent`].
    pub fn tcp_stream(&self, id: StreamId) -> Result<&Stream> {
        self.tracking.stream(id).ok_or_else(|| self.absent(Numbered::TcpStream, id.0, self.tracking.streams.len()))
    }

    /// The MPTCP connection of that number.
    ///
    /// # Errors
    /// [`Error::Absent`], [`Error::PartOf`].
    pub fn mptcp_connection(&self, id: ConnectionId) -> Result<&Connection> {
        let count = self.tracking.connections.len();
        let connection =
            self.tracking.connection(id).ok_or_else(|| self.absent(Numbered::MptcpConnection, id.0, count))?;
        match connection.part_of {
            None => Ok(connection),
            Some(whole) => Err(Error::PartOf { number: id, whole }),
        }
    }

    fn absent(&self, what: Numbered, number: u32, count: usize) -> Error {
        Error::Absent { what, number, count, path: self.path.clone() }
    }
}

/// All of these packets, tracked.
fn tracker_of(segments: &Segments, frames: &Frames) -> Tracker {
    let mut tracker = Tracker::default();
    tracker.take(SoFar { segments, flows: segments.flows(), frames }, PacketRow(0));
    tracker
}

/// The rows of the packets that were recorded on an interface: by its name, or else by its number.
fn rows_of_interface(path: &Path, packets: &Packets, facts: &CaptureFacts, wanted: &str) -> Result<Vec<PacketRow>> {
    let frames = &packets.frames;
    let height = u32::try_from(packets.height()).unwrap_or(u32::MAX);
    let on = |row: &PacketRow| frames.mark(*row).interface;
    let named = |row: &PacketRow| on(row).is_some_and(|(place, _)| frames.interface_name(place) == Some(wanted));
    let rows: Vec<PacketRow> = (0..height).map(PacketRow).filter(named).collect();
    if !rows.is_empty() {
        return Ok(rows);
    }
    let number = wanted.parse::<u8>().ok().filter(|number| *number < u8::MAX);
    let rows: Vec<PacketRow> =
        (0..height).map(PacketRow).filter(|row| number.is_some() && on(row).map(|(_, id)| id) == number).collect();
    if !rows.is_empty() {
        return Ok(rows);
    }
    let names: Vec<String> = facts
        .interfaces
        .iter()
        .map(|interface| interface.name.clone().unwrap_or_else(|| interface.id.to_string()))
        .collect();
    let there = match names.as_slice() {
        [] => "the file names no interfaces".to_string(),
        names => format!("it has {}", names.join(", ")),
    };
    Err(Error::NoInterface { path: path.to_path_buf(), wanted: wanted.to_string(), there })
}
