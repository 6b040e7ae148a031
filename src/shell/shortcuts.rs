//! Statements that begin with a name of the person's own.

use crate::commands::registry;
use crate::commands::session::shortcuts::{ShortcutKind, Shortcuts, filled, places};
use crate::error::{Error, Result};

use super::line::Statement;

/// The line that the statement stands for; `None` where it begins with a command.
///
/// # Errors
/// [`Error::Usage`] when a macro lacks arguments.
pub fn expanded(statement: &Statement, shortcuts: &Shortcuts) -> Result<Option<Vec<u8>>> {
    let Some((first, rest)) = statement.words.split_first() else { return Ok(None) };
    let name = first.text().to_string_lossy().into_owned();
    let Some((kind, text)) = shortcuts.find(&name).filter(|_| registry::command(&name).is_none()) else {
        return Ok(None);
    };
    let arguments: Vec<Vec<u8>> = rest.iter().map(|word| word.raw.clone()).collect();
    let (mut line, used) = match kind {
        ShortcutKind::Alias => (text.as_bytes().to_vec(), 0),
        ShortcutKind::Macro => {
            let wanted = places(text).len();
            if arguments.len() < wanted {
                return Err(Error::Usage(format!("{name} takes {wanted} arguments: {text}")));
            }
            (filled(text, &arguments), wanted)
        }
    };
    for argument in arguments.iter().skip(used) {
        line.push(b' ');
        line.extend(argument);
    }
    line.extend(statement.raw_output());
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::line::statements;

    fn expand(line: &str) -> Result<Option<String>> {
        let mut shortcuts = Shortcuts::default();
        for (name, text) in [("up", "a; b"), ("help", "never")] {
            shortcuts.aliases.insert(name.to_string(), text.to_string());
        }
        shortcuts.macros.insert("m".to_string(), "x {2} | grep {1}".to_string());
        let statement = statements(line.as_bytes())?.remove(0);
        Ok(expanded(&statement, &shortcuts)?.map(|line| String::from_utf8(line).unwrap()))
    }

    #[test]
    fn names_are_replaced_and_what_follows_is_kept_as_typed() {
        assert_eq!(expand("up 'c d' *.x > f").unwrap().unwrap(), "a; b 'c d' *.x > f");
        assert_eq!(expand("up | wc").unwrap().unwrap(), "a; b | wc");
        assert_eq!(expand("m 'a b' 2 -c >> f").unwrap().unwrap(), "x 2 | grep 'a b' -c >> f");
        assert_eq!(expand("help").unwrap(), None, "a command goes first");
        assert_eq!(expand("down up").unwrap(), None);
        assert_eq!(expand("m 1").unwrap_err().to_string(), "m takes 2 arguments: x {2} | grep {1}");
    }
}
