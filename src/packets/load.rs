//! Loading: by the dissector in this process where it can, by tshark and its cache otherwise.

use std::fs;
use std::io::{self, ErrorKind, IsTerminal};
use std::path::Path;

use mptcp_trace::packets::capture_file::{FrameCount, count_frames, is_standard_input};
use mptcp_trace::packets::native::{self, Beyond, Failure};
use mptcp_trace::packets::{CaptureFacts, Dissection, SoFar};
use mptcp_trace::tracking::Tracker;
use mptcp_trace::{PacketRow, StreamId};

use super::cache::{Cache, CacheKey, Lookup};
use super::progress::{Progress, Unit};
use super::tshark::{self, Tshark, TsharkError};
use super::{Dissected, Dissector, LoadError, exported};
use mptcp_trace::interrupt;
use mptcp_trace::units::counted;

/// Options of loading a capture.
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions<'a> {
    /// The dissector.
    pub dissector: Dissector,
    /// The tshark binary.
    pub tshark: &'a Path,
    /// Wireshark profile; none means an empty private configuration.
    pub profile: Option<&'a str>,
    /// Further Wireshark fields.
    pub extra_fields: &'a [String],
    /// Where captures that tshark dissected are kept.
    pub cache: Option<&'a Cache>,
    /// Do not read the cache, only write it.
    pub regenerate: bool,
    /// Show progress on standard error.
    pub progress: bool,
}

/// A dissection and how it came about.
#[derive(Debug)]
pub struct Loaded {
    /// The packets.
    pub dissected: Dissected,
    /// Whether the cache had it.
    pub from_cache: bool,
    /// Trouble that cost nothing but the cache.
    pub warnings: Vec<String>,
    /// What has tracked the packets while they were dissected.
    pub tracker: Option<Tracker>,
    /// Why tshark was needed, when the choice was the program's. Once is enough for those who load many captures.
    pub note: Option<String>,
}

impl Loaded {
    fn fresh(dissected: impl Into<Dissected>) -> Self {
        Loaded { dissected: dissected.into(), from_cache: false, warnings: Vec::new(), tracker: None, note: None }
    }

    fn natively((dissection, tracker): (Dissection, Tracker)) -> Self {
        Loaded { tracker: Some(tracker), ..Loaded::fresh(dissection) }
    }
}

/// Loads `path`: a capture, or a table that this program exported; `-` is a capture on standard input.
///
/// # Errors
/// [`LoadError`], one sentence each.
pub fn load(path: &Path, options: &LoadOptions<'_>) -> Result<Loaded, LoadError> {
    check(path)?;
    // A pipe can be read only once, by the dissector.
    if path.is_file() && exported::recognise(path) {
        return Ok(Loaded::fresh(exported::read(path)?));
    }
    match options.dissector {
        Dissector::Tshark => by_tshark(path, &probe(options)?, options),
        Dissector::Native => natively(path, options),
        Dissector::Auto => by_the_fitting(path, options),
    }
}

/// Natively, what is not understood left out with a warning.
fn natively(path: &Path, options: &LoadOptions<'_>) -> Result<Loaded, LoadError> {
    let mut loaded = match dissect(path, true, options) {
        Ok(dissected) => Loaded::natively(dissected),
        Err(Failure::Read(error)) => return Err(error.into()),
        Err(Failure::Beyond(beyond)) => return Err(not_a_capture(path, &format!(" ({beyond})"))),
    };
    if let Some(wish) = wish(options) {
        loaded.warnings.push(format!("{wish} needs tshark; use `--dissector auto`"));
    }
    Ok(loaded)
}

/// Natively, or by tshark what is beyond that.
fn by_the_fitting(path: &Path, options: &LoadOptions<'_>) -> Result<Loaded, LoadError> {
    if let Some(wish) = wish(options) {
        let tshark = probe(options)?;
        let note = format!("captures are dissected by {}, because {wish} needs it", tshark.name());
        return Ok(Loaded { note: Some(note), ..by_tshark(path, &tshark, options)? });
    }
    let beyond = match dissect(path, false, options) {
        Ok(dissected) => return Ok(Loaded::natively(dissected)),
        Err(Failure::Read(error)) => return Err(error.into()),
        Err(Failure::Beyond(beyond)) => beyond,
    };
    if !path.is_file() {
        let way_out = "save it to a file first, or try `--dissector tshark`";
        return Err(not_a_capture(path, &format!(" ({beyond}, and it cannot be read twice; {way_out})")));
    }
    match (probe(options), beyond) {
        (Ok(tshark), beyond) => {
            let note = format!("{} was dissected by {}: {beyond}", path.display(), tshark.name());
            Ok(Loaded { note: Some(note), ..by_tshark(path, &tshark, options)? })
        }
        // A part is better than nothing.
        (Err(LoadError::Tshark(TsharkError::NotFound(_))), Beyond::LinkType(_)) => natively(path, options),
        (Err(LoadError::Tshark(TsharkError::NotFound(_))), beyond) => {
            Err(not_a_capture(path, &format!(" ({beyond}; tshark, which reads more formats, was not found)")))
        }
        (Err(error), _) => Err(error),
    }
}

/// Tracks packets while a capture is dissected, and shows progress.
struct Watch {
    progress: Progress,
    tracker: Tracker,
}

impl native::Watcher for Watch {
    fn progress(&mut self, read: u64, whole: Option<u64>) {
        self.progress.show(read, whole);
    }

    fn packets(&mut self, packets: SoFar<'_>, first: PacketRow) {
        self.tracker.take(packets, first);
    }
}

fn dissect(path: &Path, partial: bool, options: &LoadOptions<'_>) -> Result<(Dissection, Tracker), Failure> {
    let progress = Progress::new(Unit::Bytes, options.progress);
    let mut watch = Watch { progress, tracker: Tracker::default() };
    let dissection = native::dissect_watched(path, native::DissectOptions { partial }, &mut watch)?;
    Ok((dissection, watch.tracker))
}

/// Requests that only tshark can fulfil.
fn wish(options: &LoadOptions<'_>) -> Option<&'static str> {
    match (options.extra_fields, options.profile) {
        ([], None) => None,
        ([], Some(_)) => Some("`wireshark_profile`"),
        _ => Some("`extra_fields`"),
    }
}

fn not_a_capture(path: &Path, detail: &str) -> LoadError {
    LoadError::NotACapture { path: path.to_path_buf(), detail: detail.to_string() }
}

fn probe(options: &LoadOptions<'_>) -> Result<Tshark, LoadError> {
    let probed = tshark::probe(options.tshark, options.cache.map(|cache| cache.directory.as_path()));
    // Ctrl-C at a terminal ends a tshark that is asked for its version, too; that is not tshark's fault.
    interrupt::check().map_err(|_| LoadError::Interrupted)?;
    Ok(probed?)
}

/// By tshark, unless the cache has what it found when the file was as it is now.
fn by_tshark(path: &Path, tshark: &Tshark, options: &LoadOptions<'_>) -> Result<Loaded, LoadError> {
    let mut asked = vec![format!("profile={}", options.profile.unwrap_or_default())];
    asked.extend(options.extra_fields.iter().map(|field| format!("field={field}")));
    let cache = options.cache.filter(|_| !is_standard_input(path));
    // Before the dissection: a capture that is still being written misses next time.
    let key = cache.map(|_| CacheKey::of(path, &tshark.name(), &asked)).transpose();
    let kept = cache.zip(key.map_err(|source| unreadable(path, source))?);
    let mut warnings = Vec::new();
    if let Some((cache, key)) = &kept
        && !options.regenerate
    {
        match cache.get(key) {
            Lookup::Hit(dissected) => return Ok(Loaded { from_cache: true, warnings, ..Loaded::fresh(*dissected) }),
            Lookup::Miss => {}
            Lookup::Damaged(sentence) => warnings.push(sentence),
        }
    }
    let counted = count(path)?;
    let request = tshark::TsharkRequest {
        profile: options.profile,
        extra_fields: options.extra_fields,
        expected_frames: counted.map(|count| count.whole),
        progress: options.progress,
    };
    let mut dissected = tshark::dissect(tshark, path, &request)?;
    let facts = &mut dissected.dissection.facts;
    facts.truncated_at = counted.and_then(|count| count.truncated).map(|truncation| truncation.offset);
    facts.warnings.extend(counted.and_then(|count| cut_short(&count, facts)));
    if let Some((cache, key)) = &kept
        && let Err(error) = cache.put(key, &dissected)
    {
        warnings.push(error.to_string());
    }
    Ok(Loaded { warnings, ..Loaded::fresh(dissected) })
}

/// Checks before a dissector is started.
fn check(path: &Path) -> Result<(), LoadError> {
    if is_standard_input(path) {
        return if io::stdin().is_terminal() { Err(LoadError::Terminal) } else { Ok(()) };
    }
    let metadata = fs::metadata(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => LoadError::Missing(path.to_path_buf()),
        _ => unreadable(path, source),
    })?;
    if metadata.is_dir() {
        return Err(LoadError::Directory(path.to_path_buf()));
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(LoadError::Empty(path.to_path_buf()));
    }
    Ok(())
}

/// The frames of the file by its framing. Formats that only tshark reads have no count, and no harm comes of it; what
/// was read from a pipe would be lost to tshark.
fn count(path: &Path) -> Result<Option<FrameCount>, LoadError> {
    if !path.is_file() {
        return Ok(None);
    }
    let counted = count_frames(path).ok();
    match counted.and_then(|count| count.truncated) {
        // tshark takes the rest of such a file for a frame of some other format.
        Some(truncation) if truncation.leaves_nothing() => Err(not_a_capture(path, &format!(" ({truncation})"))),
        _ => Ok(counted),
    }
}

fn unreadable(path: &Path, source: io::Error) -> LoadError {
    LoadError::Unreadable { path: path.to_path_buf(), source }
}

/// A file can end early where tshark takes no offence; it is said all the same.
fn cut_short(count: &FrameCount, facts: &CaptureFacts) -> Option<String> {
    let truncation = count.truncated?;
    let said = facts.warnings.iter().any(|warning| warning.contains("packet"));
    (!said).then(|| format!("{truncation}: {} read up to there", counted(count.whole, "whole packet")))
}

/// Reads a capture again, by the dissector that read it first, and calls `visit` with the packet id and the
/// recorded payload of each packet with payload in `streams` (and maybe of others), in the order of the file. An
/// exported table has no payload.
///
/// # Errors
/// When the capture cannot be read again, or on Ctrl-C.
pub fn payloads(
    path: &Path,
    facts: &CaptureFacts,
    streams: &[StreamId],
    tshark: &Path,
    memory: Option<&Path>,
    visit: impl FnMut(u64, &[u8]),
) -> Result<(), LoadError> {
    if facts.dissector == native::name() {
        return Ok(native::payloads(path, visit)?);
    }
    tshark::payloads(&tshark::probe(tshark, memory)?, path, streams, visit)
}
