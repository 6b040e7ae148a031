//! Room on the disk for files that become large.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use crate::temporary::Temporary;

/// Bytes of a small file: the system finds room for it when it likes.
const SMALL: u64 = 8 << 20;

/// Bytes that room is made for at once, at most: as many as there are already, because room that is not needed in the end
/// takes time as well.
const STEP: u64 = 64 << 20;

/// A new file that has its room on the disk before it is written, once it is not small. ext4 otherwise looks for all of it
/// when the file takes the place of another one, which takes as long as writing does.
#[derive(Debug)]
pub struct Roomy {
    file: Temporary,
    /// Bytes that were written, or whose place was given away.
    written: u64,
    /// Bytes that there is room for, beginning with the first.
    room: u64,
}

impl Roomy {
    /// This file, which is empty.
    pub fn of(file: Temporary) -> Self {
        Roomy { file, written: 0, room: 0 }
    }

    /// The file, for who fills places that [`Roomy::place`] gave away.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn file(&self) -> io::Result<File> {
        self.file.as_file().try_clone()
    }

    /// Where the next `length` bytes begin. They are written by the caller, at any time before the file is finished.
    pub fn place(&mut self, length: usize) -> u64 {
        self.make_room(length as u64);
        let place = self.written;
        self.written = place.saturating_add(length as u64);
        place
    }

    /// The file, without room that it did not need.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(self) -> io::Result<Temporary> {
        if self.room > self.written {
            self.file.as_file().set_len(self.written)?;
        }
        Ok(self.file)
    }

    /// Makes room for some bytes more. Without it the file is written all the same, or fails where the disk is full.
    fn make_room(&mut self, more: u64) {
        let wanted = self.written.saturating_add(more);
        if wanted <= self.room.max(SMALL) {
            return;
        }
        let room = wanted.saturating_add(wanted.min(STEP));
        if allocate(&self.file, self.room, room) {
            self.room = room;
        } else {
            // Nor will there be any later.
            self.room = u64::MAX;
        }
    }
}

/// Whether the system made room for the bytes from `begin` to `end`.
#[cfg(target_os = "linux")]
fn allocate(file: &Temporary, begin: u64, end: u64) -> bool {
    use nix::fcntl::{FallocateFlags, fallocate};

    let (Ok(begin), Ok(length)) = (i64::try_from(begin), i64::try_from(end.saturating_sub(begin))) else {
        return false;
    };
    fallocate(file.as_file(), FallocateFlags::empty(), begin, length).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn allocate(_: &Temporary, _: u64, _: u64) -> bool {
    false
}

impl Write for Roomy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let place = self.place(bytes.len());
        self.file.as_file().write_all_at(bytes, place)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::temporary;

    #[test]
    fn a_file_is_as_long_as_what_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let part = vec![7; 3 << 20];
        for parts in [1, 4] {
            let mut file = Roomy::of(temporary::beside(directory.path()).unwrap());
            for _ in 0..parts {
                file.write_all(&part).unwrap();
            }
            let target = directory.path().join("x");
            file.finish().unwrap().persist(&target).unwrap();
            assert!(fs::read(&target).unwrap() == vec![7; parts * (3 << 20)]);
        }
    }
}
