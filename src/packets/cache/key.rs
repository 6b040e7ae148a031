//! The key of a cache entry.

use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::packets::schema;
use mptcp_trace::units::hexadecimal;

/// All that a dissection depends on: when any of it differs, the capture is dissected again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheKey {
    /// The canonical path in hexadecimal, because a path need not be text.
    path: String,
    /// Size in bytes.
    size: u64,
    /// When the file was last written, before or after 1970: the sign, whole seconds, nanoseconds.
    modified: (bool, u64, u32),
    /// [`schema::VERSION`].
    schema: u32,
    /// Names and types of the columns, so that a schema changed without a new version is noticed as well.
    columns: String,
    /// The dissector and its version.
    dissector: String,
    /// Requests beyond the schema: profile, extra fields.
    fields: Vec<String>,
}

impl CacheKey {
    /// The key of the file `path` as it is now, dissected by `dissector` (name and version) with `fields` (whatever
    /// else changes the table: the profile, further fields). Take it before the dissection: a capture that is still
    /// being written then misses next time.
    ///
    /// # Errors
    /// When the file is not there or its size and time cannot be asked for.
    pub fn of(path: &Path, dissector: &str, fields: &[String]) -> io::Result<CacheKey> {
        let canonical = fs::canonicalize(path)?;
        let metadata = fs::metadata(&canonical)?;
        let modified = match metadata.modified()?.duration_since(UNIX_EPOCH) {
            Ok(after) => (true, after.as_secs(), after.subsec_nanos()),
            Err(before) => (false, before.duration().as_secs(), before.duration().subsec_nanos()),
        };
        let columns: Vec<String> =
            schema::packet_columns().map(|column| format!("{}:{}", column.name, column.kind.name())).collect();
        Ok(CacheKey {
            path: hexadecimal(canonical.as_os_str().as_encoded_bytes()),
            size: metadata.len(),
            modified,
            schema: schema::VERSION,
            columns: hexadecimal(&Sha256::digest(columns.join(","))),
            dissector: dissector.to_string(),
            fields: fields.to_vec(),
        })
    }

    /// A name for the file of the entry: 128 bits in hexadecimal.
    pub(super) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            // With its length in front, so that no two keys run together to the same text.
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        add(self.path.as_bytes());
        add(&self.size.to_le_bytes());
        add(&[u8::from(self.modified.0)]);
        add(&self.modified.1.to_le_bytes());
        add(&self.modified.2.to_le_bytes());
        add(&self.schema.to_le_bytes());
        add(self.columns.as_bytes());
        add(self.dissector.as_bytes());
        for field in &self.fields {
            add(field.as_bytes());
        }
        hexadecimal(hash.finalize().get(..16).unwrap_or_default())
    }
}
