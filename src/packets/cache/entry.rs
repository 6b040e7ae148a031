//! The file of one entry.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | magic |
//! | 4 | version of this layout, little-endian as all numbers |
//! | 4 | length of the JSON |
//! | 8 | length of the table |
//! | 8 | XXH3-64 of all that follows |
//! | … | JSON: the key and the facts |
//! | … | the table as an Arrow IPC file, LZ4: read as fast as uncompressed, a fraction of the size |

use std::fs::File;
use std::io::{self, BufWriter, Cursor, Read, Seek, SeekFrom, Write};

use polars_io::ipc::IpcCompression;
use polars_io::prelude::{IpcReader, IpcWriter};
use polars_io::{SerReader, SerWriter};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::CacheKey;
use mptcp_trace::packets::{CaptureFacts, Dissection};

use crate::packets::{Dissected, exported, table};

const MAGIC: [u8; 8] = *b"mptcp\0\r\n";
const LAYOUT: u32 = 1;
const HEAD: usize = 32;

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
    let about = serde_json::to_vec(&AboutOut { key, facts: &dissected.dissection.facts })
        .map_err(|error| WriteError::Encode(error.to_string()))?;
    let about_length = u32::try_from(about.len()).map_err(|error| WriteError::Encode(error.to_string()))?;
    file.write_all(&[0; HEAD]).map_err(WriteError::File)?;
    let mut body = Summed { inner: BufWriter::with_capacity(256 * 1024, file), sum: Xxh3::new(), length: 0 };
    body.write_all(&about).map_err(WriteError::File)?;
    let table = dissected.raw();
    let mut table = table.map_err(|error| WriteError::Encode(error.to_string()))?;
    let written = IpcWriter::new(&mut body).with_compression(Some(IpcCompression::LZ4)).finish(&mut table);
    written.map_err(|error| match error {
        polars::error::PolarsError::IO { error, .. } => {
            WriteError::File(io::Error::new(error.kind(), error.to_string()))
        }
        other => WriteError::Encode(other.to_string()),
    })?;
    let (sum, length) = (body.sum.digest(), body.length);
    let file = body.inner.into_inner().map_err(|error| WriteError::File(error.into_error()))?;
    let head = [
        &MAGIC[..],
        &LAYOUT.to_le_bytes(),
        &about_length.to_le_bytes(),
        &length.saturating_sub(u64::from(about_length)).to_le_bytes(),
        &sum.to_le_bytes(),
    ]
    .concat();
    file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&head)).map_err(WriteError::File)?;
    Ok(length.saturating_add(HEAD as u64))
}

/// Reads an entry of at most `most` bytes; `None` when it is whole but of another key, an error in words when it cannot
/// be trusted.
pub(super) fn read(file: &mut File, wanted: &CacheKey, most: u64) -> Result<Option<Dissected>, String> {
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    let mut bytes = [0; HEAD];
    file.read_exact(&mut bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => foreign(),
        _ => error.to_string(),
    })?;
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
    let mut body = Vec::new();
    file.take(body_length).read_to_end(&mut body).map_err(|error| error.to_string())?;
    if xxh3_64(&body) != head.sum {
        return Err(foreign());
    }
    let (about, table) = body.split_at_checked(head.about_length as usize).ok_or_else(foreign)?;
    let about: AboutIn = serde_json::from_slice(about).map_err(|error| error.to_string())?;
    if about.key != *wanted {
        return Ok(None);
    }
    let table = IpcReader::new(Cursor::new(table)).finish().map_err(|error| error.to_string())?;
    // An entry may be forged, its checksum right.
    let (packets, extra) = table::read(&exported::check(table)?).map_err(|error| error.to_string())?;
    Ok(Some(Dissected { dissection: Dissection { packets, facts: about.facts }, extra }))
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

/// Sums up what is written through it.
struct Summed<W> {
    inner: W,
    sum: Xxh3,
    length: u64,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.sum.update(bytes.get(..count).unwrap_or(bytes));
        self.length = self.length.saturating_add(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
