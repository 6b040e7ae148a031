//! The captures of a run: files that are named, files below folders, files in a list.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use glob::Pattern;

use super::labels::WILDCARDS;
use super::task::Task;
use crate::error::{Error, Result};
use mptcp_trace::interrupt;
use mptcp_trace::reading;

/// Endings of captures; those of compressed ones have one of [`COMPRESSED`] behind it.
const ENDINGS: [&str; 3] = ["pcap", "pcapng", "cap"];
/// Endings of compressed files.
const COMPRESSED: [&str; 3] = ["gz", "zst", "lz4"];

/// What to analyse.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Files and folders.
    pub inputs: Vec<PathBuf>,
    /// A file with a path per line; `-` is standard input.
    pub files_from: Option<PathBuf>,
    /// Below folders, only files that fit one of these; none: those with the endings of captures.
    pub include: Vec<Pattern>,
    /// Never files that fit one of these.
    pub exclude: Vec<Pattern>,
    /// Files of one folder that fit one of these are one capture.
    pub joined: Vec<Pattern>,
    /// Names begin below this folder; otherwise they are absolute paths.
    pub root: Option<PathBuf>,
    /// Only this share of the captures: its number from 0, and how many there are.
    pub shard: Option<(u64, u64)>,
}

/// The captures found.
#[derive(Debug, Default)]
pub struct Found {
    /// The captures, in order of their names.
    pub tasks: Vec<Task>,
    /// Files below folders that were left out.
    pub others: u64,
    /// Captures of other shards.
    pub elsewhere: u64,
}

/// Finds the captures.
///
/// # Errors
/// When a list or a folder cannot be read, a file is not below the root, and on Ctrl-C.
pub fn find(wanted: &Wanted) -> Result<Found> {
    let root = wanted.root.as_deref().map(absolute).transpose()?;
    let mut search = Search { wanted, root, known: HashSet::new(), joined: BTreeMap::new(), found: Found::default() };
    for input in &wanted.inputs {
        search.input(input)?;
    }
    if let Some(list) = &wanted.files_from {
        for path in read_list(list)? {
            search.input(&path)?;
        }
    }
    for (pattern, files) in std::mem::take(&mut search.joined) {
        let files: Vec<PathBuf> = files.into_iter().collect();
        let task = Task::joined(&pattern, search.name(&pattern)?.as_os_str().as_bytes(), &files);
        search.take(task);
    }
    let mut found = search.found;
    found.tasks.sort_by(|one, other| one.name.cmp(&other.name).then(one.capture.cmp(&other.capture)));
    Ok(found)
}

struct Search<'a> {
    wanted: &'a Wanted,
    root: Option<PathBuf>,
    known: HashSet<String>,
    /// Files that are one capture, by their folder with the pattern of their names.
    joined: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    found: Found,
}

impl Search<'_> {
    /// A file, whatever it is called, or a folder.
    fn input(&mut self, path: &Path) -> Result<()> {
        let path = absolute(path)?;
        if path.is_dir() { self.folder(&path) } else { self.file(&path) }
    }

    fn folder(&mut self, folder: &Path) -> Result<()> {
        interrupt::check()?;
        let failed = |source| Error::file("list", folder, source);
        let mut entries: Vec<_> = fs::read_dir(folder).map_err(failed)?.collect::<io::Result<_>>().map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            // A link to a folder is not followed: it may lead back here.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder {
                // A dataset among the captures holds no captures.
                if !super::layout::is_dataset(&path) {
                    self.folder(&path)?;
                }
            } else if path.is_symlink() && path.is_dir() {
                self.found.others += 1;
            } else if self.fits(&path) {
                self.file(&path)?;
            } else {
                self.found.others += 1;
            }
        }
        Ok(())
    }

    fn fits(&self, path: &Path) -> bool {
        let included = if self.pattern(path).is_some() {
            true
        } else if self.wanted.include.is_empty() {
            has_capture_ending(path)
        } else {
            self.wanted.include.iter().any(|pattern| matches(pattern, path))
        };
        included && !self.wanted.exclude.iter().any(|pattern| matches(pattern, path))
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        if let Some(pattern) = self.pattern(path) {
            self.joined.entry(pattern).or_default().insert(path.to_path_buf());
            return Ok(());
        }
        let name = self.name(path)?;
        self.take(Task::new(path, name.as_os_str().as_bytes(), fs::metadata(path).ok().as_ref()));
        Ok(())
    }

    /// The folder of a file that is joined to others, with the pattern of their names.
    fn pattern(&self, path: &Path) -> Option<PathBuf> {
        let pattern = self.wanted.joined.iter().find(|pattern| matches(pattern, path))?;
        Some(path.with_file_name(pattern.as_str().rsplit('/').next()?))
    }

    fn name<'p>(&self, path: &'p Path) -> Result<&'p Path> {
        let Some(root) = &self.root else { return Ok(path) };
        path.strip_prefix(root).map_err(|_| {
            Error::Usage(format!("{} is not below {}; choose another --root", path.display(), root.display()))
        })
    }

    fn take(&mut self, task: Task) {
        match self.wanted.shard {
            Some((own, of)) if task.shard(of) != own => self.found.elsewhere += 1,
            _ if self.known.insert(task.capture.clone()) => self.found.tasks.push(task),
            _ => {}
        }
    }
}

/// The path from the root of the file system, without `.` and `..`; links stay.
fn absolute(path: &Path) -> Result<PathBuf> {
    let whole = std::path::absolute(path).map_err(|source| Error::file("find", path, source))?;
    let mut plain = PathBuf::new();
    for component in whole.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    Ok(plain)
}

/// A pattern with `/` is one of paths, another one of names of files.
fn matches(pattern: &Pattern, path: &Path) -> bool {
    let text = if pattern.as_str().contains('/') { Some(path.as_os_str()) } else { path.file_name() };
    text.is_some_and(|text| pattern.matches_with(&text.to_string_lossy(), WILDCARDS))
}

fn has_capture_ending(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let plain = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending)?.strip_suffix('.')).unwrap_or(&name);
    // `tcpdump -C` numbers its files: trace.pcap, trace.pcap1.
    let plain = plain.trim_end_matches(|character: char| character.is_ascii_digit());
    ENDINGS.iter().any(|ending| plain.strip_suffix(ending).is_some_and(|rest| rest.ends_with('.')))
}

/// The paths in a list, one per line.
fn read_list(list: &Path) -> Result<Vec<PathBuf>> {
    let failed = |source| Error::file("read", list, source);
    let source: Box<dyn Read> = if list == Path::new("-") {
        Box::new(reading::standard_input().map_err(failed)?)
    } else {
        Box::new(reading::open(list).map_err(failed)?)
    };
    let mut paths = Vec::new();
    for line in BufReader::new(source).split(b'\n') {
        let mut line = line.map_err(failed)?;
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if !line.is_empty() {
            paths.push(PathBuf::from(std::ffi::OsString::from_vec(line)));
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &Wanted) -> Vec<String> {
        find(wanted).unwrap().tasks.into_iter().map(|task| task.name).collect()
    }

    #[test]
    fn captures_are_found_below_folders_by_their_endings_or_by_patterns() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir(root.join("b")).unwrap();
        for name in ["a.pcap", "b/c.PCAPNG.gz", "b/d.txt", "b/e.pcap3", "x.cap.zst", "notes"] {
            fs::write(root.join(name), "").unwrap();
        }
        std::os::unix::fs::symlink(root, root.join("b/loop.pcap")).unwrap();
        let wanted = |include: &[&str], exclude: &[&str]| Wanted {
            inputs: vec![root.join("b/.."), root.join("a.pcap")],
            include: include.iter().map(|pattern| Pattern::new(pattern).unwrap()).collect(),
            exclude: exclude.iter().map(|pattern| Pattern::new(pattern).unwrap()).collect(),
            root: Some(root.to_path_buf()),
            ..Wanted::default()
        };
        assert_eq!(names(&wanted(&[], &[])), ["a.pcap", "b/c.PCAPNG.gz", "b/e.pcap3", "x.cap.zst"]);
        assert_eq!(find(&wanted(&[], &[])).unwrap().others, 3);
        assert_eq!(names(&wanted(&["*.txt", "notes"], &[])), ["a.pcap", "b/d.txt", "notes"]);
        assert_eq!(names(&wanted(&[], &["*/b/*"])), ["a.pcap", "x.cap.zst"]);
        let list = root.join("list");
        fs::write(&list, format!("{}\n\n{}\r\n", root.join("notes").display(), root.join("gone").display())).unwrap();
        let listed = Wanted { files_from: Some(list), root: Some(root.to_path_buf()), ..Wanted::default() };
        assert_eq!(names(&listed), ["gone", "notes"]);
        let outside = Wanted { inputs: vec![root.join("a.pcap")], root: Some(root.join("b")), ..Wanted::default() };
        assert!(find(&outside).is_err());
    }

    #[test]
    fn files_of_one_folder_that_fit_a_pattern_are_one_capture() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in ["a/t.pcap0", "a/t.pcap1", "a/t.other", "a/u.pcap", "b/t.pcap10", "b/t.pcap2"] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), name).unwrap();
        }
        let wanted = |pattern: &str| Wanted {
            inputs: vec![root.to_path_buf(), root.join("a/t.pcap0")],
            joined: vec![Pattern::new(pattern).unwrap()],
            exclude: vec![Pattern::new("*.other").unwrap()],
            root: Some(root.to_path_buf()),
            ..Wanted::default()
        };
        assert_eq!(names(&wanted("t.*")), ["a/t.*", "a/u.pcap", "b/t.*"]);
        assert_eq!(names(&wanted("*/b/t.*")), ["a/t.pcap0", "a/t.pcap1", "a/u.pcap", "b/t.*"]);
        let found = find(&wanted("t.*")).unwrap().tasks;
        assert_eq!((found[0].size, found[0].files(), found[1].files()), (Some(18), 2, 1));
        let names =
            |task: &Task| task.parts().iter().map(|path| path.file_name().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&found[0]), ["t.pcap0", "t.pcap1"]);
    }

    #[test]
    fn shards_are_all_captures_once() {
        let inputs: Vec<PathBuf> = (0..40).map(|number| PathBuf::from(format!("/none/{number}.pcap"))).collect();
        let all = names(&Wanted { inputs: inputs.clone(), ..Wanted::default() });
        let shard = |own| names(&Wanted { inputs: inputs.clone(), shard: Some((own, 3)), ..Wanted::default() });
        let shards: Vec<Vec<String>> = (0..3).map(shard).collect();
        assert!(shards.iter().all(|shard| !shard.is_empty()));
        let mut together = shards.concat();
        together.sort();
        assert_eq!(together, all);
    }
}
