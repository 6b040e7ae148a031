//! Captures seen from one of the places at which their packets were recorded: `A@eth0`, `A@client`, `A@server`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FileState, Held, Session, file_state};
use crate::error::Result;
use mptcp_trace::packets::capture_file::is_standard_input;
use mptcp_trace::tracking::PointOfView;

/// The name or path before the last `@`, and the point of view behind it; a file that is called so is itself.
pub fn split(wanted: &Path) -> Option<(PathBuf, PointOfView)> {
    if wanted.exists() || is_standard_input(wanted) {
        return None;
    }
    let (base, view) = wanted.to_str()?.rsplit_once('@')?;
    let named = !base.is_empty() && !view.is_empty() && !view.contains('/');
    named.then(|| (PathBuf::from(base), PointOfView::named(view)))
}

impl Session {
    /// The capture of a name or path, seen from a point of view.
    ///
    /// # Errors
    /// Those of [`Session::find`]; [`crate::error::Error::NotFound`] for an interface that it does not have.
    pub(super) fn find_seen(&mut self, base: &Path, view: PointOfView) -> Result<Held> {
        let held = match self.by_name(base) {
            Some(held) => held,
            None => match file_state(base) {
                Some(file) => return self.find_file_seen(base, file, view),
                None => self.find(base)?,
            },
        };
        if held.capture.view == view {
            return Ok(held);
        }
        let known = held.file.as_ref().and_then(|file| self.captures.of_file(file, &view));
        match known {
            Some(known) => Ok(known),
            None => self.view(&held, view),
        }
    }

    fn find_file_seen(&mut self, base: &Path, file: FileState, view: PointOfView) -> Result<Held> {
        if let Some(held) = self.captures.of_file(&file, &view) {
            return Ok(held);
        }
        if let Some(held) = self.captures.of_file_seen_from_anywhere(&file).cloned() {
            return self.view(&held, view);
        }
        self.captures.make_room();
        let held = self.read(base, Some(file), view)?;
        self.captures.remember(held.clone());
        Ok(held)
    }

    /// The capture, seen from elsewhere.
    fn view(&mut self, held: &Held, view: PointOfView) -> Result<Held> {
        let seen = Held { capture: Arc::new(held.capture.viewed_from(view)?), file: held.file.clone() };
        if seen.file.is_some() {
            self.captures.remember(seen.clone());
        }
        Ok(seen)
    }

    /// Makes the capture that `wanted` stands for the current one, seen from this point of view.
    ///
    /// # Errors
    /// Those of [`Session::find`]; [`crate::error::Error::NotFound`] for an interface that it does not have.
    pub fn load_seen(&mut self, wanted: &Path, view: PointOfView) -> Result<()> {
        let held = if file_state(wanted).is_some() && self.captures.named(&wanted.to_string_lossy()).is_none() {
            self.read_unless_known(wanted, &view)?
        } else {
            self.find_seen(wanted, view)?
        };
        self.captures.choose(held, None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mptcp_trace::tracking::CopiesWanted;

    #[test]
    fn a_point_of_view_stands_behind_the_last_at() {
        let of = |text: &str| split(Path::new(text)).map(|(base, view)| (base.display().to_string(), view));
        let eth0 = PointOfView::with(Some("eth0".to_string()), None);
        assert_eq!(of("none.pcap@eth0"), Some(("none.pcap".to_string(), eth0.clone())));
        assert_eq!(of("me@host.pcap@eth0"), Some(("me@host.pcap".to_string(), eth0)));
        let server = PointOfView { copies: CopiesWanted::Last, only_there: true, interface: None };
        assert_eq!(of("router@server"), Some(("router".to_string(), server)));
        for text in ["none.pcap", "@eth0", "none@", "a@b/c.pcap", "-"] {
            assert_eq!(of(text), None, "{text}");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a@client");
        std::fs::write(&file, "").unwrap();
        assert_eq!(split(&file), None, "a file of that name is meant");
    }
}
