//! Files written whole or not at all.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Fills the file `path` with what `fill` writes. A regular file is replaced only once all is written, so that a
/// failure leaves the old content; a device or a pipe is written to directly.
///
/// # Errors
/// [`Error::File`], or the error of `fill`.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let failed = |source| Error::file("write", path, source);
    let existing = fs::metadata(path).ok();
    if existing.as_ref().is_some_and(|metadata| !metadata.is_file()) {
        let mut output = BufWriter::new(fs::OpenOptions::new().write(true).open(path).map_err(failed)?);
        fill(&mut output)?;
        return output.flush().map_err(failed);
    }
    // A link stays a link: its target is what is replaced.
    let target = if existing.is_some() { fs::canonicalize(path).map_err(failed)? } else { path.to_path_buf() };
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut temporary = new_file_in(directory).map_err(failed)?;
    {
        let mut output = BufWriter::new(temporary.as_file_mut());
        fill(&mut output)?;
        output.flush().map_err(failed)?;
    }
    if let Some(metadata) = existing {
        temporary.as_file().set_permissions(metadata.permissions()).map_err(failed)?;
    }
    temporary.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A temporary file with the permissions that an ordinary new file gets.
fn new_file_in(directory: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mptcpanalyzer-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(directory: &Path) -> Vec<String> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.csv");
        write(&path, |output| output.write_all(b"old").map_err(|e| Error::file("write", "x", e))).unwrap();
        let failure = write(&path, |output| {
            output.write_all(b"half").unwrap();
            Err(Error::NothingLoaded)
        });
        assert!(matches!(failure, Err(Error::NothingLoaded)));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(directory.path()), ["x.csv"]);
    }

    #[test]
    #[cfg(unix)]
    fn links_and_devices_stay_what_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("target"), directory.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write(&link, |output| output.write_all(b"new").map_err(|e| Error::file("write", "x", e))).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
        write(Path::new("/dev/null"), |output| output.write_all(b"x").map_err(|e| Error::file("write", "x", e)))
            .unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = write(Path::new("/no/such/dir/x.json"), |_| Ok(())).unwrap_err();
        assert!(error.to_string().starts_with("cannot write /no/such/dir/x.json: "), "{error}");
    }
}
