//! The file of one entry.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | magic |
//! | 4 | version of this layout, little-endian as all numbers |
//! | 4 | length of the JSON |
//! | 8 | length of the table |
//! | 8 | XXH3-64 of the JSON |
//! | … | JSON: the key and the facts |
//! | … | the table in parts of [`ROWS`] rows |
//!
//! Each part:
//!
//! | bytes | content |
//! |---|---|
//! | 4 | length of what follows the sum |
//! | 4 | its length unpacked |
//! | 8 | XXH3-64 of it, with the number of the part and the length unpacked as its seed |
//! | … | an Arrow IPC file in a block of LZ4, without the columns that have no cell in its rows |
//!
//! Arrow has LZ4 as well, but in frames with a checksum of their own, which took a fifth of the time of reading. One
//! thread unpacks a part while another one makes packets of the part before.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use lz4::block;
use polars::prelude::{Column, DataFrame, PolarsResult};
use polars_io::prelude::{IpcReader, IpcWriter};
use polars_io::{SerReader, SerWriter};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::CacheKey;
use mptcp_trace::packets::{CaptureFacts, Dissection};

use crate::packets::{Dissected, exported, schema, table};

const MAGIC: [u8; 8] = *b"mptcp\0\r\n";
const LAYOUT: u32 = 2;
const HEAD: usize = 32;
const PART_HEAD: usize = 16;

/// Rows of a part: few enough for the processor's cache.
const ROWS: usize = 1 << 14;

/// LZ4 makes nothing smaller than by this factor.
const RATIO: usize = 256;

/// An entry could not be written.
pub(super) enum WriteError {
    File(io::Error),
    Encode(String),
}

#[derive(Serialize)]
struct AboutOut<'a> {
    key: &'a CacheKey,
    facts: &'a CaptureFacts,
}

#[derive(Deserialize)]
struct AboutIn {
    key: CacheKey,
    facts: CaptureFacts,
}

/// Writes an entry and returns its size in bytes.
pub(super) fn write(file: &mut File, key: &CacheKey, dissected: &Dissected) -> Result<u64, WriteError> {
    let encode = |error: String| WriteError::Encode(error);
    let about = serde_json::to_vec(&AboutOut { key, facts: &dissected.dissection.facts })
        .map_err(|error| encode(error.to_string()))?;
    let about_length = u32::try_from(about.len()).map_err(|error| encode(error.to_string()))?;
    file.write_all(&[0; HEAD]).and_then(|()| file.write_all(&about)).map_err(WriteError::File)?;
    let mut length: u64 = 0;
    // One part also of a capture without TCP: it says which further fields there are.
    for (index, begin) in (0..dissected.height().max(1)).step_by(ROWS).enumerate() {
        let rows = begin..begin.saturating_add(ROWS).min(dissected.height());
        let table = table::raw_rows(&dissected.dissection.packets, &dissected.extra, rows).and_then(without_empty);
        let part = table.map_err(|error| error.to_string()).and_then(|table| packed(table, index)).map_err(encode)?;
        file.write_all(&part).map_err(WriteError::File)?;
        length = length.saturating_add(part.len() as u64);
    }
    let head = [
        &MAGIC[..],
        &LAYOUT.to_le_bytes(),
        &about_length.to_le_bytes(),
        &length.to_le_bytes(),
        &xxh3_64(&about).to_le_bytes(),
    ]
    .concat();
    file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&head)).map_err(WriteError::File)?;
    Ok(length.saturating_add(u64::from(about_length)).saturating_add(HEAD as u64))
}

/// A part with its head.
fn packed(mut table: DataFrame, index: usize) -> Result<Vec<u8>, String> {
    let mut arrow = Vec::new();
    IpcWriter::new(&mut arrow).finish(&mut table).map_err(|error| error.to_string())?;
    let block = block::compress(&arrow, None, false).map_err(|error| error.to_string())?;
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|error| error.to_string());
    let (packed, unpacked) = (length(&block)?, length(&arrow)?);
    let head = [&packed.to_le_bytes()[..], &unpacked.to_le_bytes(), &sum(&block, unpacked, index).to_le_bytes()];
    Ok([&head.concat()[..], &block].concat())
}

/// Of a part: another one in its place, or another length in its head, has another sum.
fn sum(block: &[u8], unpacked: u32, index: usize) -> u64 {
    xxh3_64_with_seed(block, (index as u64) << 32 | u64::from(unpacked))
}

/// Reads an entry of at most `most` bytes; `None` when it is of another key, an error in words when it cannot be
/// trusted.
pub(super) fn read(file: &mut File, wanted: &CacheKey, most: u64) -> Result<Option<Dissected>, String> {
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    let mut bytes = [0; HEAD];
    file.read_exact(&mut bytes).map_err(not_whole)?;
    let head = Head::of(&bytes).ok_or_else(foreign)?;
    // Looked at before the rest is read: a file without content may claim any length, and reading it would take that
    // memory.
    let body_length = u64::from(head.about_length).saturating_add(head.table_length);
    if length != body_length.saturating_add(HEAD as u64) {
        return Err(foreign());
    }
    if length > most {
        return Err("larger than `cache_limit`".to_string());
    }
    let mut about = Vec::new();
    Read::by_ref(file).take(u64::from(head.about_length)).read_to_end(&mut about).map_err(not_whole)?;
    if xxh3_64(&about) != head.sum {
        return Err(foreign());
    }
    let about: AboutIn = serde_json::from_slice(&about).map_err(|error| error.to_string())?;
    if about.key != *wanted {
        return Ok(None);
    }
    let mut reader = table::Reader::default();
    let parts = Parts { file: BufReader::with_capacity(1 << 18, file.take(head.table_length)), index: 0 };
    ahead(parts, |table| reader.take(&table?).map_err(|error| error.to_string()))?;
    let (packets, extra) = reader.finish();
    // Parts are in order, and so are the rows of each.
    if !packets.segments.windows(2).all(|pair| matches!(pair, [one, next] if one.packetid() < next.packetid())) {
        return Err(foreign());
    }
    Ok(Some(Dissected { dissection: Dissection { packets, facts: about.facts }, extra }))
}

/// Takes what `things` gives, one after the other; another thread asks for the next one meanwhile, if there are some.
fn ahead<T: Send, E>(
    things: impl Iterator<Item = T> + Send,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let things = Mutex::new(things);
    let next = || things.lock().unwrap_or_else(PoisonError::into_inner).next();
    let Some(first) = next() else { return Ok(()) };
    let Some(second) = next() else { return take(first) };
    thread::scope(|scope| {
        let (send, receive): (SyncSender<T>, Receiver<T>) = sync_channel(1);
        // Nobody takes it after a failure.
        let give = move || while next().is_some_and(|thing| send.send(thing).is_ok()) {};
        let beside = thread::Builder::new().name("cache".to_string()).spawn_scoped(scope, give);
        [first, second].into_iter().chain(receive).try_for_each(&mut take)?;
        match beside {
            Ok(_) => Ok(()),
            // Where the system starts no thread, this one does all.
            Err(_) => std::iter::from_fn(next).try_for_each(take),
        }
    })
}

/// The parts of a table.
struct Parts<R> {
    file: R,
    /// The number of the next one.
    index: usize,
}

impl<R: Read> Parts<R> {
    /// The next one; nothing at the end.
    fn read(&mut self) -> Result<Option<DataFrame>, String> {
        let mut head = Vec::with_capacity(PART_HEAD);
        self.file.by_ref().take(PART_HEAD as u64).read_to_end(&mut head).map_err(not_whole)?;
        if head.is_empty() {
            return Ok(None);
        }
        let (length, rest) = head.split_first_chunk().ok_or_else(foreign)?;
        let (unpacked, rest) = rest.split_first_chunk().ok_or_else(foreign)?;
        let (expected, _) = rest.split_first_chunk().ok_or_else(foreign)?;
        let (length, unpacked) = (u32::from_le_bytes(*length), u32::from_le_bytes(*unpacked));
        let mut block = Vec::with_capacity((length as usize).min(1 << 20));
        self.file.by_ref().take(u64::from(length)).read_to_end(&mut block).map_err(not_whole)?;
        if block.len() as u64 != u64::from(length) || sum(&block, unpacked, self.index) != u64::from_le_bytes(*expected)
        {
            return Err(foreign());
        }
        // A forged one cannot make it ask for more memory than its size allows.
        let unpacked = i32::try_from(unpacked).ok().filter(|_| unpacked as usize <= block.len().saturating_mul(RATIO));
        let unpacked = unpacked.ok_or_else(foreign)?;
        self.index = self.index.saturating_add(1);
        let arrow = block::decompress(&block, Some(unpacked)).map_err(|error| error.to_string())?;
        let table = IpcReader::new(Cursor::new(arrow)).finish().and_then(with_empty);
        // An entry may be forged, its sums right.
        exported::check(table.map_err(|error| error.to_string())?).map(Some)
    }
}

impl<R: Read> Iterator for Parts<R> {
    type Item = Result<DataFrame, String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// The columns but for those of the packet table that have no cell at all.
fn without_empty(table: DataFrame) -> PolarsResult<DataFrame> {
    let height = table.height();
    let empty = |column: &Column| column.null_count() == height && schema::find(column.name()).is_some();
    let columns = table.into_columns().into_iter().filter(|column| height == 0 || !empty(column));
    DataFrame::new(height, columns.collect())
}

/// The table with those columns again. Where not even packets have numbers, it is not a table of ours and stays as it is.
fn with_empty(table: DataFrame) -> PolarsResult<DataFrame> {
    if table.column("packetid").is_err() {
        return Ok(table);
    }
    let height = table.height();
    let absent = schema::packet_columns().filter(|spec| table.column(spec.name).is_err());
    let absent: Vec<Column> =
        absent.map(|spec| Column::full_null(spec.name.into(), height, &spec.kind.data_type())).collect();
    let mut columns = table.into_columns();
    columns.extend(absent);
    DataFrame::new(height, columns)
}

fn not_whole(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => foreign(),
        _ => error.to_string(),
    }
}

fn foreign() -> String {
    "damaged, or from another version".to_string()
}

/// The head of an entry of this layout.
struct Head {
    about_length: u32,
    table_length: u64,
    sum: u64,
}

impl Head {
    fn of(bytes: &[u8; HEAD]) -> Option<Head> {
        let rest = bytes.strip_prefix(&MAGIC)?.strip_prefix(&LAYOUT.to_le_bytes())?;
        let (about_length, rest) = rest.split_first_chunk()?;
        let (table_length, rest) = rest.split_first_chunk()?;
        let (sum, _) = rest.split_first_chunk()?;
        Some(Head {
            about_length: u32::from_le_bytes(*about_length),
            table_length: u64::from_le_bytes(*table_length),
            sum: u64::from_le_bytes(*sum),
        })
    }
}
