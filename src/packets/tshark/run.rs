//! One run of tshark over a capture, its text kept in a temporary file.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::fields::Wanted;
use super::{Tshark, TsharkError, TsharkRequest};
use crate::children;
use crate::packets::LoadError;
use crate::packets::progress::{Progress, Unit};
use crate::temporary;
use mptcp_trace::interrupt;
use mptcp_trace::packets::capture_file::is_standard_input;
use mptcp_trace::units::counted;

/// How much of standard error is read: a broken capture can make tshark say the same thing per packet.
const MESSAGES_KEPT: u64 = 64 * 1024;

/// The signal of the Ctrl-C key, the same number on every Unix.
const SIGINT: i32 = 2;

/// Interval of checks on a running tshark and Ctrl-C.
const PULSE: Duration = Duration::from_millis(5);

/// Bytes of text that are worth a visit: enough for polars to pay off, few enough that little is left at the end.
const PART: usize = 1024 * 1024;

/// Runs `tshark` over `path` and hands whole lines of its text to `visit` while it runs; returns what it complained about
/// although it went on, as sentences. Both of its streams go to files, so that it never waits for this program, and
/// a tshark that hangs, or whose own children do, can be left at once on Ctrl-C.
///
/// # Errors
/// When it cannot be started, fails or is killed, when `visit` fails, or on Ctrl-C; the last two end it.
pub fn run(
    tshark: &Tshark,
    path: &Path,
    wanted: &Wanted,
    request: &TsharkRequest<'_>,
    mut visit: impl FnMut(&[u8]) -> Result<(), LoadError>,
) -> Result<Vec<String>, LoadError> {
    // Lives until tshark has ended: its configuration and its home.
    let private = temporary::Directory::new().map_err(unreadable)?;
    let text = temporary::file("").map_err(unreadable)?;
    let said = temporary::file("").map_err(unreadable)?;
    let mut command = command(tshark, path, wanted, request, private.path());
    let input = if is_standard_input(path) { Stdio::inherit() } else { Stdio::null() };
    command.stdin(input).stdout(text.reopen().map_err(unreadable)?).stderr(said.reopen().map_err(unreadable)?);
    let (mut child, mut descendants) = children::start(&mut command)
        .map_err(|source| TsharkError::NotStarted { binary: tshark.binary.clone(), source })?;

    let mut lines = Lines::of(text.reopen().map_err(unreadable)?);
    let waited = wait(&mut child, &mut lines, request, &mut visit);
    if waited.is_err() {
        descendants.end();
        let _ = child.wait();
    }
    let status = waited?;
    while lines.read().map_err(unreadable)? {
        lines.visit_parts(&mut visit)?;
    }
    let complaints = judge(status, &first_messages(said.as_file()), path, lines.counted)?;
    lines.visit_rest(&mut visit)?;
    Ok(complaints)
}

/// The error for temporary files that cannot be used.
fn unreadable(source: std::io::Error) -> LoadError {
    LoadError::Unreadable { path: "tshark's output".into(), source }
}

/// The command that dissects `path`, with an empty configuration in the directory `private` unless a profile is wanted.
pub fn command(tshark: &Tshark, path: &Path, wanted: &Wanted, request: &TsharkRequest<'_>, private: &Path) -> Command {
    let mut command = base_command(tshark, path, request.profile, private);
    command.args(["-T", "fields", "-E", "header=n", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"]);
    command.args(["-E", "quote=n"]);
    for field in &wanted.fields {
        command.arg("-e").arg(field);
    }
    command
}

/// What every run has in common: one pass over `path`, no names, a configuration of its own in the directory
/// `private` unless a profile is asked for.
pub fn base_command(tshark: &Tshark, path: &Path, profile: Option<&str>, private: &Path) -> Command {
    let mut command = Command::new(&tshark.binary);
    command.arg("-n").arg("-r").arg(absolute(path));
    match profile {
        Some(profile) => {
            command.arg("-C").arg(profile);
        }
        None => {
            command.env("WIRESHARK_CONFIG_DIR", private).env("HOME", private).env("XDG_CONFIG_HOME", private);
        }
    }
    for preference in ["tcp.analyze_sequence_numbers:FALSE", "tcp.desegment_tcp_streams:FALSE"] {
        command.arg("-o").arg(preference);
    }
    command
}

/// A name such as `-x.pcap` must stay a file name. Standard input is `-` to tshark, too.
fn absolute(path: &Path) -> std::path::PathBuf {
    if is_standard_input(path) {
        return path.to_path_buf();
    }
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Waits for tshark's end, reading along and showing progress when it takes long.
fn wait(
    child: &mut Child,
    lines: &mut Lines,
    request: &TsharkRequest<'_>,
    visit: &mut impl FnMut(&[u8]) -> Result<(), LoadError>,
) -> Result<ExitStatus, LoadError> {
    let mut progress = Progress::new(Unit::Packets, request.progress);
    loop {
        interrupt::check().map_err(|_| LoadError::Interrupted)?;
        if let Some(status) = child.try_wait().map_err(unreadable)? {
            return Ok(status);
        }
        if lines.read().map_err(unreadable)? {
            lines.visit_parts(visit)?;
        } else {
            thread::sleep(PULSE);
        }
        progress.show(lines.counted, request.expected_frames);
    }
}

/// Reads a file that grows, line by line.
struct Lines {
    file: File,
    /// Text that was read and not visited.
    text: Vec<u8>,
    /// Bytes of `text` that are whole lines.
    whole: usize,
    /// Lines read so far.
    counted: u64,
}

impl Lines {
    fn of(file: File) -> Self {
        Lines { file, text: Vec::with_capacity(2 * PART), whole: 0, counted: 0 }
    }

    /// Reads what was added to the file, a part at most; false when there was nothing.
    fn read(&mut self) -> std::io::Result<bool> {
        let before = self.text.len();
        (&mut self.file).take(PART as u64).read_to_end(&mut self.text)?;
        let added = self.text.get(before..).unwrap_or(&[]);
        self.counted = self.counted.saturating_add(memchr::memchr_iter(b'\n', added).count() as u64);
        if let Some(end) = memchr::memrchr(b'\n', added) {
            self.whole = before.saturating_add(end).saturating_add(1);
        }
        Ok(!added.is_empty())
    }

    /// Visits the whole lines once there are enough of them to be worth it.
    fn visit_parts(&mut self, visit: &mut impl FnMut(&[u8]) -> Result<(), LoadError>) -> Result<(), LoadError> {
        if self.whole < PART {
            return Ok(());
        }
        visit(self.text.get(..self.whole).unwrap_or(&[]))?;
        self.text.drain(..self.whole);
        self.whole = 0;
        Ok(())
    }

    /// Visits what is left, a last line without its end too.
    fn visit_rest(&mut self, visit: &mut impl FnMut(&[u8]) -> Result<(), LoadError>) -> Result<(), LoadError> {
        if self.text.is_empty() {
            return Ok(());
        }
        visit(&self.text)?;
        self.text.clear();
        self.whole = 0;
        Ok(())
    }
}

/// The start of what tshark said; what cannot be read was not said.
fn first_messages(mut said: &File) -> String {
    let mut kept = Vec::new();
    let _ = std::io::Seek::rewind(&mut said);
    let _ = said.take(MESSAGES_KEPT).read_to_end(&mut kept);
    String::from_utf8_lossy(&kept).into_owned()
}

/// Decides from the exit status and the messages whether the run succeeded; returns complaints worth showing.
pub fn judge(status: ExitStatus, messages: &str, path: &Path, lines: u64) -> Result<Vec<String>, LoadError> {
    let said = sentences(messages);
    if interrupt::requested() {
        return Err(LoadError::Interrupted);
    }
    // Ctrl-C at a terminal reaches tshark, too, and can end it before this program has noticed.
    if status.signal() == Some(SIGINT) {
        return Err(LoadError::Interrupted);
    }
    if let Some(signal) = status.signal() {
        return Err(TsharkError::Killed { path: path.to_path_buf(), signal }.into());
    }
    if status.success() {
        return Ok(said.into_iter().map(|message| format!("tshark says: {message}")).collect());
    }
    let message = said.last().cloned().unwrap_or_else(|| format!("it ended with {status} without a message"));
    if message.contains("isn't a capture file") || message.contains("file type") {
        return Err(LoadError::NotACapture { path: path.to_path_buf(), detail: String::new() });
    }
    if is_about_a_cut_file(&message) {
        return Ok(vec![format!(
            "the capture appears to have been cut short in the middle of a packet: {} read",
            counted(lines, "whole packet")
        )]);
    }
    // Damage in the middle of a file: what came before it is still good.
    if lines > 0 && (message.contains("damaged") || message.contains("corrupt")) {
        return Ok(vec![format!("the capture is damaged after packet {lines}, the rest is skipped: {message}")]);
    }
    Err(TsharkError::Failed { path: path.to_path_buf(), message }.into())
}

fn is_about_a_cut_file(message: &str) -> bool {
    message.contains("cut short in the middle of a packet")
}

/// The messages without the ones that mean nothing here, each once, control characters dropped.
fn sentences(messages: &str) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for line in messages.lines() {
        let line: String = line.trim().trim_start_matches("tshark: ").chars().filter(|c| !c.is_control()).collect();
        let harmless = line.is_empty() || line.starts_with("Running as user") || line.contains("(Warning) Lua");
        if !harmless && !kept.contains(&line) && kept.len() < 10 {
            kept.push(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: i32) -> ExitStatus {
        ExitStatus::from_raw(code << 8)
    }

    #[test]
    fn a_cut_file_keeps_its_whole_packets_and_says_how_many() {
        let said = "Running as user \"root\" and group \"root\". This could be dangerous.\n\
                    tshark: The file \"x.pcap\" appears to have been cut short in the middle of a packet.\n";
        let complaints = judge(ended(2), said, Path::new("x.pcap"), 2999).unwrap();
        assert_eq!(complaints.len(), 1);
        assert!(complaints[0].contains("2999 whole packets read"), "{complaints:?}");
    }

    #[test]
    fn a_killed_tshark_is_an_error_that_names_the_signal() {
        let error = judge(ExitStatus::from_raw(9), "", Path::new("x.pcap"), 10).unwrap_err();
        assert!(error.to_string().contains("killed by signal 9"), "{error}");
    }

    #[test]
    fn something_else_is_not_a_capture() {
        let said = "tshark: The file \"/etc/passwd\" isn't a capture file in a format TShark understands.\n";
        let error = judge(ended(2), said, Path::new("/etc/passwd"), 0).unwrap_err();
        assert!(matches!(error, LoadError::NotACapture { .. }), "{error}");
    }

    #[test]
    fn the_remark_about_root_is_no_complaint() {
        let said = "Running as user \"root\" and group \"root\". This could be dangerous.\n";
        assert_eq!(judge(ended(0), said, Path::new("x"), 1).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn escape_sequences_do_not_survive() {
        assert_eq!(sentences("tshark: odd \u{1b}[31mname\n"), ["odd [31mname"]);
    }
}
