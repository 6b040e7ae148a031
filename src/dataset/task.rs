//! One capture to analyse: which file, under which name, with which labels.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// How an analysis ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All of the file was read.
    Ok,
    /// The file is cut, damaged, or has frames that are not understood: what could be read was analyzed.
    Partial,
    /// Nothing could be read.
    Error,
    /// It took longer than it may.
    Timeout,
    /// It needed more memory than it may have.
    Memory,
    /// The process that analyzed it ended without an answer.
    Crashed,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 6] =
        [Status::Ok, Status::Partial, Status::Error, Status::Timeout, Status::Memory, Status::Crashed];

    /// As in the table `captures`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Partial => "partial",
            Status::Error => "error",
            Status::Timeout => "timeout",
            Status::Memory => "memory",
            Status::Crashed => "crashed",
        }
    }

    /// Whether the tables have rows of the capture.
    #[must_use]
    pub fn has_rows(self) -> bool {
        matches!(self, Status::Ok | Status::Partial)
    }

    /// The status of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// One of the files that a capture was recorded into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    path: Vec<u8>,
    size: Option<u64>,
    mtime: Option<i64>,
}

/// One capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The path, as bytes: it need not be UTF-8. That of several files is their folder with a pattern.
    path: Vec<u8>,
    /// The files, in order of their names, if it is several joined together; empty otherwise.
    parts: Vec<Part>,
    /// Its name in the dataset.
    pub name: String,
    /// Its key: 16 hexadecimal digits.
    pub capture: String,
    /// Size, bytes; `None` where the system did not say.
    pub size: Option<u64>,
    /// Last modification, microseconds since 1970.
    pub mtime: Option<i64>,
    /// Label columns of the run, in order, with the value that this capture has.
    pub labels: Vec<(String, Option<String>)>,
    /// Fingerprint of what the rows depend on besides the file and the program.
    pub options: String,
}

impl Task {
    /// The task of a file; `name` is its name as bytes.
    #[must_use]
    pub fn new(path: &Path, name: &[u8], metadata: Option<&Metadata>) -> Self {
        Task {
            path: path.as_os_str().as_bytes().to_vec(),
            parts: Vec::new(),
            name: readable(name),
            capture: format!("{:016x}", xxh3_64(name)),
            size: metadata.map(Metadata::len),
            mtime: metadata.and_then(modified),
            labels: Vec::new(),
            options: String::new(),
        }
    }

    /// The task of files that are one capture: its size is that of all, and it was modified when the last of them was.
    #[must_use]
    pub fn joined(pattern: &Path, name: &[u8], files: &[PathBuf]) -> Self {
        let mut task = Task::new(pattern, name, None);
        for file in files {
            let metadata = fs::metadata(file).ok();
            task.parts.push(Part {
                path: file.as_os_str().as_bytes().to_vec(),
                size: metadata.as_ref().map(Metadata::len),
                mtime: metadata.as_ref().and_then(modified),
            });
        }
        let sizes = task.parts.iter().map(|part| part.size);
        task.size = sizes.sum::<Option<u64>>();
        task.mtime = task.parts.iter().filter_map(|part| part.mtime).max();
        task
    }

    /// Number of files.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.parts.len().max(1) as u64
    }

    /// The files that it is joined from; none where it is one file.
    #[must_use]
    pub fn parts(&self) -> Vec<PathBuf> {
        self.parts.iter().map(|part| path_of(&part.path)).collect()
    }

    /// The same as text.
    #[must_use]
    pub fn parts_text(&self) -> Vec<String> {
        self.parts.iter().map(|part| readable(&part.path)).collect()
    }

    /// What of its files the size and the time of the whole do not say; nothing where it is one file.
    #[must_use]
    pub fn state_of_parts(&self) -> impl Serialize {
        let parts = self.parts.iter();
        let names = parts.map(|part| (path_of(&part.path).file_name().map(|name| readable(name.as_bytes())), part));
        names.map(|(name, part)| (name, part.size, part.mtime)).collect::<Vec<_>>()
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        path_of(&self.path)
    }

    /// The path as text; bytes that are not UTF-8 as `\xNN`.
    #[must_use]
    pub fn path_text(&self) -> String {
        readable(&self.path)
    }

    /// The share of the captures that it belongs to, of so many, from 0.
    #[must_use]
    pub fn shard(&self, of: u64) -> u64 {
        u64::from_str_radix(&self.capture, 16).unwrap_or(0).checked_rem(of).unwrap_or(0)
    }
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

fn modified(metadata: &Metadata) -> Option<i64> {
    let modified = metadata.modified().ok()?;
    let microseconds = match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).ok()?,
        Err(before) => i64::try_from(before.duration().as_micros()).ok()?.checked_neg()?,
    };
    Some(microseconds)
}

/// Text of a name; what is not UTF-8 in it as `\xNN`.
fn readable(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_named_by_its_name_alone_and_falls_into_one_shard() {
        let one = Task::new(Path::new("/a/x.pcap"), b"x.pcap", None);
        let other = Task::new(Path::new("/b/x.pcap"), b"x.pcap", None);
        // python3 -c 'import xxhash; print(xxhash.xxh3_64_hexdigest(b"x.pcap"))'
        assert_eq!((one.capture.len(), &one.capture), (16, &other.capture));
        for of in 1..5 {
            assert!(one.shard(of) < of);
            assert_eq!(one.shard(of), other.shard(of));
        }
    }

    #[test]
    fn a_name_need_not_be_text() {
        let task = Task::new(Path::new("x"), b"a\xffb\n", None);
        assert_eq!(task.name, "a\\xffb\n");
        assert_ne!(task.capture, Task::new(Path::new("x"), b"a\\xffb\n", None).capture);
    }
}
