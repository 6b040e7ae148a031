//! Aliases and macros: names of a person's own for lines.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

/// `{{1}}`, which stands for `{1}`, and `{1}`, which stands for the first argument.
static PLACES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{\{(?<plain>\d+)\}\}|\{(?<number>\d+)\}").ok());

/// Meaning of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShortcutKind {
    /// Text in place of the name; what follows the name comes behind it.
    Alias,
    /// Text in which `{1}` is the first word behind the name, and so on.
    Macro,
}

impl ShortcutKind {
    /// The name of the command that makes them.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ShortcutKind::Alias => "alias",
            ShortcutKind::Macro => "macro",
        }
    }
}

/// A person's names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shortcuts {
    /// Aliases and what they stand for.
    pub aliases: BTreeMap<String, String>,
    /// Macros and what they stand for.
    pub macros: BTreeMap<String, String>,
}

impl Shortcuts {
    /// Meaning of `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(ShortcutKind, &str)> {
        let alias = self.aliases.get(name).map(|text| (ShortcutKind::Alias, text.as_str()));
        alias.or_else(|| self.macros.get(name).map(|text| (ShortcutKind::Macro, text.as_str())))
    }

    /// The names of one kind.
    #[must_use]
    pub fn of(&self, kind: ShortcutKind) -> &BTreeMap<String, String> {
        match kind {
            ShortcutKind::Alias => &self.aliases,
            ShortcutKind::Macro => &self.macros,
        }
    }

    /// The names of one kind, to be changed.
    pub fn of_mut(&mut self, kind: ShortcutKind) -> &mut BTreeMap<String, String> {
        match kind {
            ShortcutKind::Alias => &mut self.aliases,
            ShortcutKind::Macro => &mut self.macros,
        }
    }
}

/// The numbers of the arguments that the text of a macro has places for.
#[must_use]
pub fn places(text: &str) -> Vec<usize> {
    let found = PLACES.iter().flat_map(|places| places.captures_iter(text));
    let mut numbers: Vec<usize> = found
        .filter_map(|found| found.name("number"))
        .map(|number| number.as_str().parse().unwrap_or(usize::MAX))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The text of a macro with its arguments in their places.
#[must_use]
pub fn filled(text: &str, arguments: &[Vec<u8>]) -> Vec<u8> {
    let mut filled = Vec::new();
    let mut end = 0;
    for found in PLACES.iter().flat_map(|places| places.captures_iter(text)) {
        let Some(whole) = found.get(0) else { continue };
        filled.extend(text.get(end..whole.start()).unwrap_or_default().bytes());
        end = whole.end();
        match (found.name("plain"), found.name("number").and_then(|number| number.as_str().parse::<usize>().ok())) {
            (Some(plain), _) => filled.extend(format!("{{{}}}", plain.as_str()).bytes()),
            (None, number) => {
                let argument = number.and_then(|number| arguments.get(number.checked_sub(1)?));
                filled.extend(argument.into_iter().flatten());
            }
        }
    }
    filled.extend(text.get(end..).unwrap_or_default().bytes());
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_and_filled() {
        assert_eq!(places("a {2} {1} {2} {{3}} {x} {"), [1, 2]);
        assert_eq!(places("{0} {99999999999999999999999}"), [0, usize::MAX]);
        let arguments = [b"one".to_vec(), b"'t w o'".to_vec()];
        assert_eq!(filled("a {2}{1} {{1}} {x} é", &arguments), "a 't w o'one {1} {x} é".as_bytes());
    }
}
