//! Reading styles from TOML: the embedded ones and files.

use std::io;

use toml::de::{DeTable, DeValue};

use super::super::figure::RoleKind;
use super::super::render::Size;
use super::{Colour, Dash, Paint, RoleStyle, Style, Symbol};
use crate::terminal_text::escape;
use crate::toml_file::{Mistake, Source, TomlKey, Value, advice, in_order, read};
use mptcp_trace::reading;

const EMBEDDED: [(&str, &str); 4] = [
    ("default", include_str!("../styles/default.toml")),
    ("dark", include_str!("../styles/dark.toml")),
    ("print", include_str!("../styles/print.toml")),
    ("latex", include_str!("../styles/latex.toml")),
];

/// A style cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StyleError {
    /// Neither the name of a style nor a file.
    #[error("`{name}` is neither a style nor a file; {advice}")]
    Missing {
        /// The request, escaped for a terminal.
        name: String,
        /// The nearest style, or all of them.
        advice: String,
    },
    /// The file cannot be read.
    #[error("cannot read the style {path}: {source}")]
    Unreadable {
        /// The file, escaped for a terminal.
        path: String,
        /// Answer of the system.
        source: io::Error,
    },
    /// Not TOML, or a key or a value that does not fit.
    #[error(transparent)]
    Wrong(#[from] Mistake),
}

const COLOUR: &str = "a colour such as \"#0072b2\"";
const TEXT_SIZE: &str = "a number of pixels from 5 to 100";
const YES_OR_NO: &str = "true or false";
const WIDTH: &str = "a number of pixels from 0.1 to 20";

/// The keys at the top; `based_on` and those of roles are looked at before.
const STYLE_KEYS: [TomlKey<Style>; 15] = [
    TomlKey { name: "background", takes: COLOUR, set: |style, value| put(&mut style.background, colour(value)) },
    TomlKey { name: "foreground", takes: COLOUR, set: |style, value| put(&mut style.foreground, colour(value)) },
    TomlKey { name: "grid", takes: COLOUR, set: |style, value| put(&mut style.grid, colour(value)) },
    TomlKey { name: "font_size", takes: TEXT_SIZE, set: |style, value| put(&mut style.font_size, text_size(value)) },
    TomlKey { name: "title_size", takes: TEXT_SIZE, set: |style, value| put(&mut style.title_size, text_size(value)) },
    TomlKey {
        name: "caption_size",
        takes: TEXT_SIZE,
        set: |style, value| put(&mut style.caption_size, text_size(value)),
    },
    TomlKey { name: "axis_width", takes: WIDTH, set: |style, value| put(&mut style.axis_width, width(value)) },
    TomlKey { name: "grid_width", takes: WIDTH, set: |style, value| put(&mut style.grid_width, width(value)) },
    TomlKey { name: "line_width", takes: WIDTH, set: |style, value| put(&mut style.line_width, width(value)) },
    TomlKey { name: "stroke_width", takes: WIDTH, set: |style, value| put(&mut style.stroke_width, width(value)) },
    TomlKey {
        name: "mark_size",
        takes: "a number of pixels from 1 to 50",
        set: |style, value| put(&mut style.mark_size, between(value, 1.0, 50.0)),
    },
    TomlKey {
        name: "size",
        takes: "a size such as \"900x600\" or \"3.5inx2.5in\"",
        set: |style, value| put(&mut style.size, Size::parse(&read::<String>(value)?).map(Some)),
    },
    TomlKey { name: "shrink_text", takes: YES_OR_NO, set: |style, value| put(&mut style.shrink_text, read(value)) },
    TomlKey { name: "show_title", takes: YES_OR_NO, set: |style, value| put(&mut style.show_title, read(value)) },
    TomlKey { name: "show_caption", takes: YES_OR_NO, set: |style, value| put(&mut style.show_caption, read(value)) },
];

const ROLE_KEYS: [TomlKey<RoleStyle>; 4] = [
    TomlKey {
        name: "colour",
        takes: "a colour such as \"#0072b2\", or \"subflow\" or \"foreground\"",
        set: |role, value| {
            let text: String = read(value)?;
            let paint = match text.as_str() {
                "subflow" => Some(Paint::Subflow),
                "foreground" => Some(Paint::Foreground),
                other => Colour::parse(other).map(Paint::Of),
            };
            put(&mut role.colour, paint)
        },
    },
    TomlKey {
        name: "dash",
        takes: "\"solid\", \"dashed\", \"dotted\", \"dash_dot\" or \"long_dash\"",
        set: |role, value| put(&mut role.dash, named(value, &Dash::NAMED)),
    },
    TomlKey {
        name: "mark",
        takes: "\"none\", \"circle\", \"ring\", \"square\", \"diamond\", \"triangle\", \"triangle_down\", \"cross\", \
                \"plus\" or \"star\"",
        set: |role, value| put(&mut role.mark, named(value, &Symbol::NAMED)),
    },
    TomlKey { name: "width", takes: WIDTH, set: |role, value| put(&mut role.width, width(value).map(Some)) },
];

pub(super) fn find(name_or_file: &str) -> Result<Style, StyleError> {
    if let Some(style) = embedded(name_or_file) {
        return Ok(style);
    }
    let shown = escape(name_or_file).into_owned();
    let text = reading::text(name_or_file.as_ref()).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => {
            StyleError::Missing { name: shown.clone(), advice: advice(name_or_file, "styles", &Style::NAMES) }
        }
        _ => StyleError::Unreadable { path: shown.clone(), source },
    })?;
    parse(&text, name_or_file)
}

fn embedded(name: &str) -> Option<Style> {
    let (_, text) = EMBEDDED.iter().find(|(known, _)| *known == name)?;
    // A test reads every embedded style.
    parse(text, name).ok()
}

pub(super) fn embedded_default() -> Style {
    let mut style = blank();
    if let Some((path, text)) = EMBEDDED.first() {
        // A test reads every embedded style.
        let _ = change(&mut style, &Source::new(path, text));
    }
    style
}

/// Base of `default.toml`.
fn blank() -> Style {
    Style {
        background: Colour { red: 255, green: 255, blue: 255 },
        foreground: Colour::default(),
        grid: Colour { red: 221, green: 221, blue: 221 },
        font_size: 12.0,
        title_size: 15.0,
        caption_size: 10.5,
        axis_width: 1.0,
        grid_width: 1.0,
        line_width: 1.5,
        stroke_width: 1.5,
        mark_size: 6.0,
        size: None,
        shrink_text: true,
        show_title: true,
        show_caption: true,
        subflows: vec![RoleStyle::PLAIN],
        roles: vec![RoleStyle::PLAIN; RoleKind::ALL.len().saturating_sub(1)],
    }
}

fn parse(text: &str, path: &str) -> Result<Style, StyleError> {
    let mut style = embedded_default();
    change(&mut style, &Source::new(path, text))?;
    Ok(style)
}

/// Puts what the file says into `style`.
fn change(style: &mut Style, source: &Source<'_>) -> Result<(), Mistake> {
    let entries = source.entries()?;
    if let Some(entry) = entries.iter().find(|entry| entry.name == "based_on") {
        let base = entry.value.get_ref().as_str().and_then(embedded);
        let takes = "\"default\", \"dark\", \"print\" or \"latex\"";
        *style = base.ok_or_else(|| source.bad_value(entry.at, "based_on", takes))?;
    }
    for entry in entries {
        let role = RoleKind::ALL.iter().position(|kind| kind.name() == entry.name);
        match (entry.name.as_str(), role.and_then(|role| role.checked_sub(1))) {
            ("based_on", _) => {}
            ("subflow", _) => style.subflows = subflows(source, entry.value)?,
            (name, Some(role)) => {
                if let Some(role) = style.roles.get_mut(role) {
                    let DeValue::Table(table) = entry.value.into_inner() else {
                        let takes = "a table of `colour`, `dash`, `mark` and `width`";
                        return Err(source.bad_value(entry.at, name, takes));
                    };
                    set_role(source, role, table)?;
                }
            }
            _ => source.set(style, &STYLE_KEYS, &top_names(), entry)?,
        }
    }
    Ok(())
}

fn top_names() -> Vec<&'static str> {
    let roles = RoleKind::ALL.iter().map(|kind| kind.name());
    std::iter::once("based_on").chain(STYLE_KEYS.iter().map(|key| key.name)).chain(roles).collect()
}

fn subflows(source: &Source<'_>, value: Value<'_>) -> Result<Vec<RoleStyle>, Mistake> {
    let wrong = |at| source.bad_value(at, "subflow", "one table [[subflow]] for each subflow, at most 64");
    let at = value.span().start;
    let DeValue::Array(tables) = value.into_inner() else { return Err(wrong(at)) };
    if tables.is_empty() || tables.len() > 64 {
        return Err(wrong(at));
    }
    let mut subflows = Vec::new();
    for table in tables {
        let at = table.span().start;
        let DeValue::Table(table) = table.into_inner() else { return Err(wrong(at)) };
        let mut subflow = RoleStyle::PLAIN;
        set_role(source, &mut subflow, table)?;
        subflows.push(subflow);
    }
    Ok(subflows)
}

fn set_role(source: &Source<'_>, role: &mut RoleStyle, table: DeTable<'_>) -> Result<(), Mistake> {
    let names = ROLE_KEYS.map(|key| key.name);
    in_order(table).into_iter().try_for_each(|entry| source.set(role, &ROLE_KEYS, &names, entry))
}

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn colour(value: Value<'_>) -> Option<Colour> {
    Colour::parse(&read::<String>(value)?)
}

fn between(value: Value<'_>, least: f64, greatest: f64) -> Option<f64> {
    read(value).filter(|number: &f64| (least..=greatest).contains(number))
}

fn text_size(value: Value<'_>) -> Option<f64> {
    between(value, 5.0, 100.0)
}

fn width(value: Value<'_>) -> Option<f64> {
    between(value, 0.1, 20.0)
}

fn named<T: Copy>(value: Value<'_>, names: &[(&str, T)]) -> Option<T> {
    let text: String = read(value)?;
    names.iter().find(|(name, _)| *name == text).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests;
