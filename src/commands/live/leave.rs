//! The end of a live capture: its packets go to the session, with messages about them.

use crate::packets::LoadedCapture;
use std::path::PathBuf;

use super::watch::Watch;
use crate::commands::Session;
use crate::error::{Error, Result};
use crate::packets::live::{Closing, Recording};
use crate::terminal_text::escape;
use mptcp_trace::analysis::mptcp_connections;
use mptcp_trace::packets::Dissection;
use mptcp_trace::units::counted;

impl Watch {
    /// Leaves the packets that were kept in the session. Sentences of what was done.
    ///
    /// # Errors
    /// When they cannot be tracked.
    pub(super) fn leave(&mut self, closing: &Closing, session: &mut Session) -> Result<Vec<String>> {
        self.warn_of(closing, session);
        let captured = counted(closing.facts.frames, "frame");
        let recording = std::mem::replace(&mut self.recording, Recording::new(0));
        if recording.held() == 0 {
            if let Some(sentence) = &closing.copy_failed {
                return Err(Error::Failed(sentence.clone()));
            }
            return Ok(vec![format!("no TCP packet among {captured}; the earlier capture stays loaded")]);
        }
        // Reading the file again must give these very packets.
        let same = recording.left_out() == 0 && !self.discarded && self.trouble.is_none();
        let file = self.copy.take().filter(|_| same && closing.copy_failed.is_none());
        let path = file.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        let dissection = Dissection { packets: recording.finish().finish(), facts: closing.facts.clone() };
        let capture = LoadedCapture::new(path, dissection)?;
        let mut said = vec![format!(
            "kept as {}: {} of {captured}, {}, {}",
            escape(&self.name),
            counted(capture.segments.len(), "TCP packet"),
            counted(capture.tracking.streams.len(), "TCP stream"),
            counted(mptcp_connections::count(&capture), "MPTCP connection"),
        )];
        if let (Some(program), Some(0)) = (&closing.program, closing.dropped) {
            said.push(format!("{program}: the kernel dropped no packets"));
        }
        session.take_in(&self.name, capture, file.as_deref());
        match &closing.copy_failed {
            Some(sentence) => Err(Error::Failed(format!("{sentence}; {}", said.join("; ")))),
            None => Ok(said),
        }
    }

    fn warn_of(&self, closing: &Closing, session: &Session) {
        let program = closing.program.clone().unwrap_or_default();
        if let Some(dropped) = closing.dropped.filter(|dropped| *dropped > 0) {
            let dropped = counted(dropped, "packet");
            session.warn(format!(
                "{program}: the kernel dropped {dropped}, because they were not read in time; use a narrower \
                 --filter, and no --whole"
            ));
        }
        if let Some(complaint) = &closing.complaint {
            let said = if complaint.is_empty() { String::new() } else { format!(": \"{complaint}\"") };
            session.warn(format!("{program} failed and ended the capture{said}"));
        }
        if let Some(trouble) = &self.trouble {
            session.warn(format!("the capture ends early: {trouble}"));
        }
        let left_out = self.recording.left_out();
        if left_out > 0 {
            let place = match &self.copy {
                Some(copy) => format!("{} has all of them", copy.display()),
                None => "--keep keeps more, --write all".to_string(),
            };
            session.warn(format!(
                "{} dropped: only the last {} are loaded, and streams are counted from these ({place})",
                counted(left_out, "older packet"),
                self.recording.held()
            ));
        }
        let forgotten = self.live.totals().forgotten;
        if forgotten > 0 {
            session.warn(format!(
                "{} dropped while watching, because too many were open: numbers shown may differ from those of the \
                 loaded capture",
                counted(forgotten, "idle stream")
            ));
        }
    }
}
