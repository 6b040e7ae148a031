//! `dump --where tcplen>0`: a redirection, as in any shell, and hardly what was meant.

use super::{Output, Statement, Word};
use crate::terminal_text::escape;

/// The option whose values are expressions, in which `>` and `|` have a meaning of their own.
const OPTION: &str = "--where";

/// What to say of a `>` or `|` that was probably meant as a part of an expression: one that follows the value of
/// `--where` closely, or that has a number behind it.
#[must_use]
pub fn unquoted_comparison(statement: &Statement) -> Option<String> {
    let before = statement.words.get(..statement.behind.words)?;
    let value = match before {
        [.., option, value] if option.text() == OPTION => value.raw.as_slice(),
        [.., word] => word.raw.strip_prefix(b"--where=")?,
        [] => return None,
    };
    let (sign, rest, effect) = match &statement.output {
        Output::Console => return None,
        Output::File { target, append } => {
            let sign = if *append { ">>" } else { ">" };
            (sign, target.raw.as_slice(), format!("writes the result to the file `{}`", shown(&target.raw)))
        }
        Output::Pipe(text) => ("|", text.as_slice(), format!("pipes the result to the program `{}`", shown(text))),
    };
    if value.iter().any(|byte| b"'\"\\".contains(byte)) || !(statement.behind.closely || is_number(&statement.output)) {
        return None;
    }
    let blank = if rest.starts_with(b"=") { "" } else { " " };
    let expression = format!("{} {sign}{blank}{}", shown(value), shown(rest));
    Some(format!("`{sign}` {effect}; if it belongs to the expression, quote it: {OPTION} '{expression}'"))
}

/// Whether a file's name is one that compares: `1400`, and `=1400` behind `>`.
fn is_number(output: &Output) -> bool {
    let Output::File { target: Word { raw, .. }, .. } = output else { return false };
    let digits = raw.strip_prefix(b"=").unwrap_or(raw);
    raw.starts_with(b"=") || (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

fn shown(bytes: &[u8]) -> String {
    escape(&String::from_utf8_lossy(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::line::statements;

    fn hint(line: &str) -> Option<String> {
        unquoted_comparison(&statements(line.as_bytes()).unwrap()[0])
    }

    #[test]
    fn comparisons_without_quotes_are_told() {
        assert_eq!(
            hint("dump --where tcplen>0 --columns tcplen").unwrap(),
            "`>` writes the result to the file `0`; if it belongs to the expression, quote it: --where 'tcplen > 0'"
        );
        assert_eq!(
            hint("dump --where=syn|fin").unwrap(),
            "`|` pipes the result to the program `fin`; if it belongs to the expression, quote it: --where 'syn | fin'"
        );
        assert!(hint("dump --where tcplen > 1400").is_some());
        assert!(hint("dump --where tcplen >=1400").unwrap().ends_with("--where 'tcplen >=1400'"));
    }

    #[test]
    fn redirections_as_people_write_them_are_not() {
        for line in [
            "dump --where 'tcplen > 0' > long.csv",
            "dump --where 'tcplen > 0'>1",
            "dump --where fin | wc -l",
            "dump --where fin --columns packetid >f",
            "help >0",
            "lt>f",
            "dump --where 'tcplen>0'",
        ] {
            assert_eq!(hint(line), None, "{line}");
        }
    }
}
