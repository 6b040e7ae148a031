//! Opening what a person names to be read, whatever it is: a file, a named pipe, a terminal.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::interrupt;

/// Interval of checks for Ctrl-C without input, milliseconds.
const PULSE: u8 = 50;

/// A text that a person wrote is not longer, in bytes.
const LONGEST_TEXT: u64 = 64 << 20;

/// A file to read from. A pipe or device is waited for in a way that Ctrl-C ends.
#[derive(Debug)]
pub struct OpenFile {
    file: File,
    /// Something may have to be waited for.
    waits: bool,
}

/// Opens `path`. A named pipe without a writer is waited for; a terminal is refused.
///
/// # Errors
/// When it cannot be opened, is a terminal or a directory; [`interrupt::Interrupted`] within on Ctrl-C.
pub fn open(path: &Path) -> io::Result<OpenFile> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_file() {
        return Ok(OpenFile { file: File::open(path)?, waits: false });
    }
    if kind.is_dir() {
        return Err(io::Error::new(ErrorKind::IsADirectory, "it is a directory; name a file in it"));
    }
    if kind.is_socket() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is a socket; name a file or a pipe"));
    }
    // Without this, opening a pipe that nobody writes to would wait where nothing ends it.
    let file = File::options().read(true).custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY).open(path)?;
    if file.is_terminal() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is a terminal; name a file or a pipe"));
    }
    let mut source = OpenFile { file, waits: true };
    if kind.is_fifo() {
        source.wait()?;
    }
    Ok(source)
}

/// Standard input. Waiting for it, too, ends at Ctrl-C.
///
/// # Errors
/// When the system does not give it.
pub fn standard_input() -> io::Result<OpenFile> {
    Ok(OpenFile { file: File::from(io::stdin().as_fd().try_clone_to_owned()?), waits: true })
}

/// The text of the file `path`.
///
/// # Errors
/// When it cannot be read, is longer than 64 MiB, or is not UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let length = open(path)?.take(LONGEST_TEXT + 1).read_to_string(&mut text)?;
    if length as u64 > LONGEST_TEXT {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is larger than 64 MiB; name another file"));
    }
    Ok(text)
}

impl OpenFile {
    /// Whether something may have to be waited for: it is not a file.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// The same file once more, to be read at any place; `None` where it is not a file.
    #[must_use]
    pub fn again(&self) -> Option<File> {
        if self.waits { None } else { self.file.try_clone().ok() }
    }

    /// Waits until there is something to read, or the end.
    fn wait(&mut self) -> io::Result<()> {
        loop {
            // Not an error of the kind `Interrupted`: readers take that for a call to be made again.
            interrupt::check().map_err(io::Error::other)?;
            let mut asked = [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)];
            match poll(&mut asked, PollTimeout::from(PULSE)) {
                Ok(0) | Err(nix::errno::Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Read for OpenFile {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.waits {
            self.wait()?;
            match self.file.read(room) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
        self.file.read(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gives_what_its_writer_writes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let writer = path.clone();
        let writing = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(120));
            std::fs::write(writer, "late, but whole").unwrap();
        });
        assert_eq!(text(&path).unwrap(), "late, but whole");
        writing.join().unwrap();
    }

    #[test]
    fn what_has_no_text_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(text(directory.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
        let socket = directory.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(text(&socket).unwrap_err().to_string().contains("is a socket"));
        assert_eq!(text(Path::new("/dev/zero")).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(text(Path::new("/dev/null")).unwrap(), "");
    }
}
