//! What commands share: the configuration, the settings in force and the loaded capture.

use std::path::Path;
use std::sync::Arc;

use crate::analysis::checksum::{ChecksumResult, Checksums};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::output::Format;
use crate::packets::cache::Cache;
use crate::packets::{self, LoadError, LoadOptions, tshark};
use crate::tracking::{Capture, Connection};

/// The state that commands read and change.
#[derive(Debug)]
pub struct Session {
    /// The configuration as read at start.
    pub config: Config,
    /// Form of results when a command line does not say; starts as configured.
    pub format: Format,
    /// Unit prefixes for people; starts as configured.
    pub human_readable: bool,
    /// Where dissected captures are kept; `None` when no place could be found.
    pub cache: Option<Cache>,
    /// Dissect again even when the cache has the capture (`--no-cache`).
    pub regenerate: bool,
    /// Show progress on standard error; true only when it is a terminal.
    pub progress: bool,
    capture: Option<Capture>,
}

impl Session {
    /// A session with nothing loaded.
    #[must_use]
    pub fn new(config: Config, cache: Option<Cache>) -> Self {
        Session {
            format: config.format,
            human_readable: config.human_readable,
            config,
            cache,
            regenerate: false,
            progress: false,
            capture: None,
        }
    }

    /// The loaded capture.
    ///
    /// # Errors
    /// [`Error::NothingLoaded`] before the first `load_pcap`.
    pub fn capture(&self) -> Result<&Capture> {
        self.capture.as_ref().ok_or(Error::NothingLoaded)
    }

    /// The loaded capture, if any: for the prompt and completion.
    #[must_use]
    pub fn loaded(&self) -> Option<&Capture> {
        self.capture.as_ref()
    }

    /// Loads a capture file, or a table that this program exported, in place of the present capture, and returns
    /// what the person must know about it. On failure the present capture stays loaded.
    ///
    /// # Errors
    /// [`Error::Load`].
    pub fn load(&mut self, path: &Path) -> Result<Vec<String>> {
        let (capture, warnings) = self.read(path)?;
        self.capture = Some(capture);
        Ok(warnings)
    }

    /// The capture that `wanted` names. To be replaced by the one that knows names and remembers what it read.
    ///
    /// # Errors
    /// [`Error::Load`].
    pub fn resolve(&mut self, wanted: &Path) -> Result<Arc<Capture>> {
        self.read(wanted).map(|(capture, _)| Arc::new(capture))
    }

    fn read(&self, path: &Path) -> Result<(Capture, Vec<String>)> {
        let options = LoadOptions {
            tshark: &self.config.tshark,
            profile: self.config.wireshark_profile.as_deref(),
            extra_fields: &self.config.extra_fields,
            cache: self.cache.as_ref(),
            regenerate: self.regenerate,
            progress: self.progress,
        };
        let loaded = packets::load(path, &options)?;
        let capture = Capture::new(path.to_path_buf(), loaded.dissection)?;
        let mut warnings = capture.dissection.facts.warnings.clone();
        warnings.extend(loaded.warnings);
        Ok((capture, warnings))
    }

    /// Checks the mappings of a connection against their checksums, for which its payload is read once more.
    /// `None` where no checksums are used, or the loaded file holds no payload (an exported table).
    ///
    /// # Errors
    /// [`Error::Load`] when the capture cannot be read again.
    pub fn checksums(&self, connection: &Connection) -> Result<Option<Vec<ChecksumResult>>> {
        let capture = self.capture()?;
        let from_capture = capture.dissection.facts.dissector.starts_with("tshark");
        if connection.checksum_required != Some(true) || !from_capture {
            return Ok(None);
        }
        let memory = self.cache.as_ref().map(|cache| cache.directory.as_path());
        let tshark = tshark::probe(&self.config.tshark, memory).map_err(LoadError::from)?;
        let mut checksums = Checksums::new(capture, connection);
        tshark::payloads(&tshark, &capture.path, &connection.subflows, |packetid, octets| {
            checksums.push(packetid, octets);
        })?;
        Ok(Some(checksums.finish()))
    }
}
