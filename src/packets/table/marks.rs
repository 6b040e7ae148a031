//! What marks packets beyond their segments: by it copies of one packet are told from each other.

use std::collections::HashMap;

use polars::prelude::*;

use super::frames::{Frames, Mark};

/// The marks of a table's packets, by row.
pub struct Marks<'a>(Form<'a>);

enum Form<'a> {
    Frames(&'a Frames),
    Read { marks: Vec<Mark>, names: Vec<&'a str> },
}

impl<'a> Marks<'a> {
    pub(super) fn of_frames(frames: &'a Frames) -> Self {
        Marks(Form::Frames(frames))
    }

    /// From a table that was read: it has interfaces by their names alone. What is not there marks nothing.
    pub(super) fn of_columns(columns: &'a DataFrame) -> Self {
        let mut marks = vec![Mark::default(); columns.height()];
        let mut names: Vec<&str> = Vec::new();
        if let Ok(interfaces) = columns.column("interface").and_then(|column| column.str()) {
            let mut places: HashMap<&str, u32> = HashMap::new();
            for (mark, name) in marks.iter_mut().zip(interfaces.iter()) {
                let Some(name) = name else { continue };
                let place = *places.entry(name).or_insert_with(|| {
                    names.push(name);
                    u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
                });
                mark.interface = Some((place, u8::MAX));
            }
        }
        if let Ok(ttl) = columns.column("ttl").and_then(|column| column.u8()) {
            marks.iter_mut().zip(ttl.iter()).for_each(|(mark, ttl)| mark.ttl = ttl);
        }
        if let Ok(ids) = columns.column("ipid").and_then(|column| column.u16()) {
            marks.iter_mut().zip(ids.iter()).for_each(|(mark, id)| mark.ip_id = id);
        }
        Marks(Form::Read { marks, names })
    }

    /// The mark of a row; an empty one beyond the last.
    #[inline]
    #[must_use]
    pub fn get(&self, row: u32) -> Mark {
        match &self.0 {
            Form::Frames(frames) => frames.mark(row as usize),
            Form::Read { marks, .. } => marks.get(row as usize).copied().unwrap_or_default(),
        }
    }

    /// The name of the interface that a mark names by this place.
    #[must_use]
    pub fn interface(&self, place: u32) -> Option<&str> {
        match &self.0 {
            Form::Frames(frames) => frames.interface_name(place),
            Form::Read { names, .. } => names.get(place as usize).copied(),
        }
    }
}
