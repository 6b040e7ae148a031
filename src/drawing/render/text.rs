//! Figures in characters: braille dots between axes of box-drawing characters, for terminals that show UTF-8.
//!
//! Between the axes the panel is the same chart as in pictures, on a surface of character cells.
//!
//! With colours each series has its own. Without them each character between the axes is the sign of the series in the
//! legend, because dots of several series cannot be told apart; a lone series keeps its dots.

mod panel;

use unicode_width::UnicodeWidthStr;

use super::super::DrawError;
use super::super::backend::cells::{Ink, Row};
use super::super::extent::{extents, left_out, shares_x};
use super::super::figure::{Figure, Role, Series};
use super::super::layout::{LegendKey, names};
use super::super::style::{Colour, Style};
use super::super::wrapping::{shorten, wrap};
use super::{LengthUnit, Size};
use crate::terminal_text::escape;
use mptcp_trace::units::grouped;

/// The least number of cells between the axes, from left to right.
const LEAST_COLUMNS: usize = 20;
/// Signs of series where there are no colours.
const SIGNS: &str = "ox*+#@%&=~abcdefghijklmnpqrstuvwyz";

/// The figure as at most `size.height` lines of at most `size.width` cells each.
///
/// # Errors
/// [`DrawError::TooSmall`] when the panels have no room.
pub fn document(figure: &Figure, size: Size, style: &Style, colour: bool) -> Result<String, DrawError> {
    let too_small = || DrawError::TooSmall {
        panels: figure.panels.len(),
        size,
        enough: enough(figure, size),
        unit: LengthUnit::CHARACTERS,
    };
    let (width, height) = (size.width as usize, size.height as usize);
    let inks = Inks::new(figure, style, colour);
    let mut notes = Vec::new();
    let missing = left_out(figure);
    if missing > 0 {
        let shown = grouped(u64::try_from(missing).unwrap_or(u64::MAX));
        notes.push(format!("Not shown, because a logarithmic axis has no place for values <= 0: {shown}."));
    }
    let (mut rows, refused) = arrange(figure, &notes, (width, height), &inks)?.ok_or_else(too_small)?;
    if refused {
        notes.push("Some labels omitted for lack of room.".to_string());
        // The note itself takes room, which changes nothing about its truth.
        if let Some((noted, _)) = arrange(figure, &notes, (width, height), &inks)? {
            rows = noted;
        }
    }
    let mut text = String::new();
    for row in rows {
        row.write(colour, &mut text);
        text.push('\n');
    }
    Ok(text)
}

/// The size that has room for the panels, a title and one row of the legend.
fn enough(figure: &Figure, Size { width, height }: Size) -> Option<Size> {
    let rows = |width: usize| {
        let shared = shares_x(figure);
        let last = figure.panels.len().saturating_sub(1);
        let panels = figure.panels.iter().zip(extents(figure)).enumerate();
        let drafts = panels.map(|(at, (panel, extent))| panel::Draft::new(panel, extent, !shared || at == last, width));
        let drafts: Vec<panel::Draft<'_>> = drafts.collect();
        let least = drafts.iter().map(panel::Draft::least_height).max().unwrap_or(0);
        let around: usize = drafts.iter().map(|draft| draft.around(width)).sum();
        let margin = drafts.iter().map(|draft| draft.margin(least)).max().unwrap_or(0);
        (margin.saturating_add(LEAST_COLUMNS), least.saturating_mul(drafts.len()).saturating_add(around))
    };
    let (columns, _) = rows(width as usize);
    let width = (width as usize).max(columns);
    let (_, rows) = rows(width);
    // Title and legend.
    let height = (height as usize).max(rows.saturating_add(2));
    let size = Size { width: u32::try_from(width).ok()?, height: u32::try_from(height).ok()? };
    (width <= 1000 && height <= 1000).then_some(size)
}

/// All rows, and whether a text had no room; `None` when the panels have none.
fn arrange(
    figure: &Figure,
    notes: &[String],
    (width, height): (usize, usize),
    inks: &Inks,
) -> Result<Option<(Vec<Row>, bool)>, DrawError> {
    // Lines that title, legend and caption may take, tried until the panels have room.
    let shares = [(2, 4, 4), (1, 2, 1), (1, 1, 0)];
    for (title, legend, caption) in shares {
        let above: Vec<Row> = title_rows(figure, width, title).into_iter().chain(inks.legend(width, legend)).collect();
        let below = caption_rows(figure, notes, width, caption);
        let left = height.checked_sub(above.len()).and_then(|left| left.checked_sub(below.len()));
        let Some(room) = left.and_then(|left| Room::of(figure, (width, left))) else { continue };
        let (panels, refused) = room.panels(width, inks)?;
        return Ok(Some((above.into_iter().chain(panels).chain(below).collect(), refused)));
    }
    Ok(None)
}

/// Cells that a text takes.
fn cells(text: &str) -> f64 {
    text.width() as f64
}

fn title_rows(figure: &Figure, width: usize, most: usize) -> Vec<Row> {
    wrap(&escape(&figure.title), width as f64, most, cells).iter().map(|line| Row::of(line)).collect()
}

fn caption_rows(figure: &Figure, notes: &[String], width: usize, most: usize) -> Vec<Row> {
    let wrapped = |paragraphs: &[String]| -> Vec<String> {
        paragraphs.iter().flat_map(|line| wrap(&escape(line), width as f64, 50, cells)).collect()
    };
    // What the plot does not show comes before what it is about.
    let noted = wrapped(notes);
    let lines = wrapped(&figure.caption);
    let most = most.saturating_sub(noted.len());
    let mut rows: Vec<Row> = lines.iter().take(most).map(|line| Row::of(line)).collect();
    if let (true, Some(last), Some(line)) = (lines.len() > most, rows.last_mut(), lines.get(most.saturating_sub(1))) {
        *last = Row::of(&shorten(&format!("{line} …"), width as f64, cells));
    }
    rows.extend(noted.iter().map(|line| Row::of(line)));
    rows
}

/// Room of the panels.
struct Room<'a> {
    drafts: Vec<panel::Draft<'a>>,
    /// Rows between the axes of each.
    each: usize,
    /// Cells left of the frames, which stand flush.
    margin: usize,
}

impl<'a> Room<'a> {
    /// `None` when there is too little.
    fn of(figure: &'a Figure, (width, height): (usize, usize)) -> Option<Self> {
        let shared = shares_x(figure);
        let last = figure.panels.len().saturating_sub(1);
        let panels = figure.panels.iter().zip(extents(figure)).enumerate();
        let drafts: Vec<panel::Draft<'_>> = panels
            .map(|(at, (panel, extent))| panel::Draft::new(panel, extent, !shared || at == last, width))
            .collect();
        let around: usize = drafts.iter().map(|draft| draft.around(width)).sum();
        let each = height.checked_sub(around)?.checked_div(drafts.len())?;
        if each < drafts.iter().map(panel::Draft::least_height).max()? {
            return None;
        }
        let margin = drafts.iter().map(|draft| draft.margin(each)).max()?;
        (width >= margin.saturating_add(LEAST_COLUMNS)).then_some(Room { drafts, each, margin })
    }

    /// The rows of all panels, and whether a text had no room.
    fn panels(&self, width: usize, inks: &Inks) -> Result<(Vec<Row>, bool), DrawError> {
        let mut rows = Vec::new();
        let mut refused = false;
        for draft in &self.drafts {
            let (drawn, without_room) = draft.rows(self.margin, width, self.each, inks)?;
            rows.extend(drawn);
            refused |= without_room;
        }
        Ok((rows, refused))
    }
}

/// The colour and sign of each series.
struct Inks {
    style: Style,
    entries: Vec<(String, LegendKey)>,
    colour: bool,
}

impl Inks {
    fn new(figure: &Figure, style: &Style, colour: bool) -> Self {
        Inks { style: style.clone(), entries: names(figure), colour }
    }

    /// Whether characters, not colours, tell series apart.
    fn signs(&self) -> bool {
        !self.colour && self.entries.len() > 1
    }

    /// Look of a series: the sign of its entry in the legend, in its own colour.
    fn of_series(&self, series: &Series) -> Ink {
        let ink = self.of(&series.name, LegendKey::of(series));
        Ink { colour: self.colour_of(series.role), ..ink }
    }

    fn colour_of(&self, role: Role) -> Option<u8> {
        self.colour.then(|| terminal_colour(self.style.look(role).colour)).flatten()
    }

    /// Look of an entry; one without a name is not in the legend.
    fn of(&self, name: &str, key: LegendKey) -> Ink {
        let name = escape(name);
        let position = self.entries.iter().position(|(known, other)| *known == name && other.role == key.role);
        let sign = position.and_then(|position| SIGNS.chars().cycle().nth(position)).unwrap_or('.');
        Ink { sign: self.signs().then_some(sign), colour: self.colour_of(key.role) }
    }

    /// The rows of the legend; a lone series is named, too.
    fn legend(&self, width: usize, most: usize) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        let mut hidden = 0_usize;
        // Where the entries of the last row end.
        let mut ends: Vec<usize> = Vec::new();
        for (name, key) in &self.entries {
            let ink = self.of(name, *key);
            let sample = ink.sign.map_or_else(|| sample(*key).to_string(), String::from);
            let room = width.saturating_sub(sample.width().saturating_add(1));
            let shown = shorten(name, room as f64, cells);
            let entry = sample.width().saturating_add(1).saturating_add(shown.width());
            let fits = |row: &Row| row.width().saturating_add(3).saturating_add(entry) <= width;
            let full = rows.len() >= most;
            match rows.last_mut() {
                Some(row) if fits(row) => row.push("   ", None),
                _ if full => {
                    hidden = hidden.saturating_add(1);
                    continue;
                }
                _ => {
                    rows.push(Row::default());
                    ends.clear();
                }
            }
            if let Some(row) = rows.last_mut() {
                row.push(&sample, ink.colour);
                row.push(" ", None);
                row.push(&shown, None);
                ends.push(row.width());
            }
        }
        if hidden > 0
            && let Some(row) = rows.last_mut()
        {
            let more = |hidden: usize| format!("   … and {hidden} more");
            // An entry that has to make room is one more that is not there.
            while ends.len() > 1 && row.width().saturating_add(more(hidden).width()) > width {
                ends.pop();
                hidden = hidden.saturating_add(1);
                row.cut(ends.last().copied().unwrap_or(0));
            }
            let more = more(hidden);
            row.cut(width.saturating_sub(more.width()));
            row.push(&more, None);
        }
        rows
    }
}

/// Look of a series in the legend, with colours.
fn sample(key: LegendKey) -> &'static str {
    match key.marks {
        "points" | "ticks" => "•",
        "vertical_strokes" => "┃",
        "bars" => "█",
        "arrows" => "→",
        _ => "━━",
    }
}

/// The colour that a terminal with 256 colours gives the subflow of that index in plots, one of the 216 that they share.
#[must_use]
pub fn subflow_colour(style: &Style, index: u32) -> Option<u8> {
    terminal_colour(style.look(Role::subflow(index)).colour)
}

/// The nearest of the 216 colours that terminals with 256 colours share. Black and white are left to the terminal, whose
/// background is not known.
fn terminal_colour(colour: Colour) -> Option<u8> {
    let (least, most) = (colour.red.min(colour.green).min(colour.blue), colour.red.max(colour.green).max(colour.blue));
    let grey = most.saturating_sub(least) < 16;
    if grey && (colour.brightness() < 0.25 || colour.brightness() > 0.85) {
        return None;
    }
    // The shades are 0, 95, 135, 175, 215 and 255.
    let shade = |value: u8| match value {
        0..=47 => 0_u8,
        48..=114 => 1,
        value => (value.saturating_sub(35)) / 40,
    };
    let (red, green, blue) = (shade(colour.red), shade(colour.green), shade(colour.blue));
    Some(16_u8.saturating_add(red.saturating_mul(36)).saturating_add(green.saturating_mul(6)).saturating_add(blue))
}

#[cfg(test)]
mod tests;
