//! Files that would be counted twice: on their own, and as one of several that are one capture.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use glob::Pattern;

use super::labels::WILDCARDS;
use super::layout::Layout;
use super::marks::{Mark, Marks};
use super::task::Task;
use crate::error::{Error, Result};

/// Refuses captures whose files are in the dataset in the other way.
///
/// # Errors
/// When there is one.
pub fn refuse(tasks: &[Task], marks: &Marks, dataset: &Layout) -> Result<()> {
    let alone: HashMap<&str, &Mark> =
        marks.all().filter(|(_, mark)| mark.status.has_rows()).map(|(_, mark)| (mark.path(), mark)).collect();
    let joined = joined(marks);
    for task in tasks {
        let parts = task.parts_text();
        if let Some(part) = parts.iter().find_map(|part| alone.get(part.as_str())) {
            return Err(refusal(part.path(), "as a capture of its own", &part.name, dataset));
        }
        if parts.is_empty()
            && let Some(whole) = fits(&joined, &task.path_text())
        {
            return Err(refusal(&task.path_text(), "as one of several joined files", &whole.name, dataset));
        }
    }
    Ok(())
}

fn refusal(path: &str, how: &str, name: &str, dataset: &Layout) -> Error {
    let dataset = dataset.root().display();
    Error::Failed(format!("{path} would count twice: {dataset} has it {how} ({name}); name another folder with --out"))
}

/// The captures of several files, by their folders.
fn joined(marks: &Marks) -> HashMap<PathBuf, Vec<(Pattern, &Mark)>> {
    let mut joined: HashMap<PathBuf, Vec<(Pattern, &Mark)>> = HashMap::new();
    for (_, mark) in marks.all().filter(|(_, mark)| mark.files > 1 && mark.status.has_rows()) {
        let path = Path::new(mark.path());
        let pattern = path.file_name().and_then(|name| Pattern::new(&name.to_string_lossy()).ok());
        if let (Some(folder), Some(pattern)) = (path.parent(), pattern) {
            joined.entry(folder.to_path_buf()).or_default().push((pattern, mark));
        }
    }
    joined
}

fn fits<'a>(joined: &HashMap<PathBuf, Vec<(Pattern, &'a Mark)>>, path: &str) -> Option<&'a Mark> {
    let path = Path::new(path);
    let name = path.file_name()?.to_string_lossy();
    let patterns = joined.get(path.parent()?)?;
    patterns.iter().find(|(pattern, _)| pattern.matches_with(&name, WILDCARDS)).map(|(_, mark)| *mark)
}
