//! From the text of a condition to its words.

use std::net::IpAddr;

use crate::error::{Error, Result};
use crate::terminal_text::escape;

/// A word of the language and where it begins, counted in characters from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) position: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A column, or a word of the language.
    Word(String),
    /// A value.
    Value(Literal),
    /// A comparison.
    Compare(Operator),
    And,
    Or,
    Not,
    /// `&` between a column and the bits of interest.
    Bits,
    Open,
    Close,
    Comma,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    /// A whole number.
    Whole(i128),
    /// A number with a point, in units of 10⁻⁹.
    Decimal(i128),
    /// Text between quotes.
    Text(String),
    /// True or false.
    Boolean(bool),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A sentence about the condition, with the place.
pub(super) fn refuse(position: usize, problem: impl std::fmt::Display) -> Error {
    Error::Usage(format!("in the condition, at character {position}: {problem}"))
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut lexer = Lexer { rest: text, position: 1 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    /// Takes characters off the front as long as they are `wanted`.
    fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> &'a str {
        let end = self.rest.find(|character| !wanted(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.position += taken.chars().count();
        taken
    }

    /// Takes `prefix` off the front if it stands there.
    fn take(&mut self, prefix: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(prefix) else { return false };
        self.rest = rest;
        self.position += prefix.chars().count();
        true
    }

    fn next(&mut self) -> Result<Option<Token>> {
        self.take_while(char::is_whitespace);
        let position = self.position;
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let kind = match first {
            '"' | '\'' => self.quoted(first)?,
            _ if let Some(address) = self.address() => TokenKind::Value(Literal::Text(address)),
            _ if first.is_ascii_digit() => self.number(false)?,
            '-' if self.rest.chars().nth(1).is_some_and(|second| second.is_ascii_digit()) => {
                self.take("-");
                self.number(true)?
            }
            _ if first.is_alphabetic() || first == '_' => {
                // Extra Wireshark fields have names with points in them.
                let word = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '.');
                word_kind(word)
            }
            _ => self.sign().ok_or_else(|| {
                let sign = first.to_string();
                refuse(position, format!("`{}` means nothing here; text that has it is put in quotes", escape(&sign)))
            })?,
        };
        Ok(Some(Token { kind, position }))
    }

    /// Takes an IPv4 or IPv6 address off the front, as columns have it: `2001:db8:0::1` is `2001:db8::1`.
    fn address(&mut self) -> Option<String> {
        let end = self.rest.find(|c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':')).unwrap_or(self.rest.len());
        let (written, rest) = self.rest.split_at_checked(end)?;
        let address: IpAddr = written.parse().ok()?;
        // `fe80::1x` is not an address.
        if rest.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
            return None;
        }
        self.rest = rest;
        self.position += written.chars().count();
        Some(address.to_string())
    }

    /// Operators and punctuation, the longer ones first.
    fn sign(&mut self) -> Option<TokenKind> {
        const SIGNS: &[(&str, TokenKind)] = &[
            ("==", TokenKind::Compare(Operator::Equal)),
            ("!=", TokenKind::Compare(Operator::NotEqual)),
            ("<>", TokenKind::Compare(Operator::NotEqual)),
            ("<=", TokenKind::Compare(Operator::LessOrEqual)),
            (">=", TokenKind::Compare(Operator::GreaterOrEqual)),
            ("&&", TokenKind::And),
            ("||", TokenKind::Or),
            ("&", TokenKind::Bits),
            ("=", TokenKind::Compare(Operator::Equal)),
            ("<", TokenKind::Compare(Operator::Less)),
            (">", TokenKind::Compare(Operator::Greater)),
            ("!", TokenKind::Not),
            ("(", TokenKind::Open),
            (")", TokenKind::Close),
            (",", TokenKind::Comma),
        ];
        SIGNS.iter().find(|(sign, _)| self.take(sign)).map(|(_, kind)| kind.clone())
    }

    fn quoted(&mut self, quote: char) -> Result<TokenKind> {
        let start = self.position;
        self.take(quote.encode_utf8(&mut [0; 4]));
        let text = self.take_while(|character| character != quote).to_string();
        if !self.take(quote.encode_utf8(&mut [0; 4])) {
            return Err(refuse(start, format!("the text is not closed by another {quote}")));
        }
        Ok(TokenKind::Value(Literal::Text(text)))
    }

    fn number(&mut self, negative: bool) -> Result<TokenKind> {
        let start = self.position;
        let written = self.take_while(|character| character.is_alphanumeric() || character == '.' || character == '_');
        let literal = match written.strip_prefix("0x").or_else(|| written.strip_prefix("0X")) {
            Some(digits) => hexadecimal(digits).or_else(|| hmac(digits)),
            // A key or token as it is printed, if the column has those.
            None if !negative => decimal(written).or_else(|| key(written)).or_else(|| hmac(written)),
            None => decimal(written),
        };
        let literal = literal
            .ok_or_else(|| refuse(start, format!("`{}` is not a number; write 12, 0x1f or 0.25", escape(written))))?;
        Ok(TokenKind::Value(match literal {
            Literal::Whole(number) if negative => Literal::Whole(-number),
            Literal::Decimal(number) if negative => Literal::Decimal(-number),
            other => other,
        }))
    }
}

fn word_kind(word: &str) -> TokenKind {
    match word.to_ascii_lowercase().as_str() {
        "and" => TokenKind::And,
        "or" => TokenKind::Or,
        "not" => TokenKind::Not,
        "true" => TokenKind::Value(Literal::Boolean(true)),
        "false" => TokenKind::Value(Literal::Boolean(false)),
        _ => TokenKind::Word(word.to_string()),
    }
}

fn hexadecimal(digits: &str) -> Option<Literal> {
    // 16 digits are 64 bits, more than any column has.
    if digits.is_empty() || digits.len() > 16 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some(Literal::Whole(u64::from_str_radix(digits, 16).ok()?.into()))
}

/// Hexadecimal digits without a prefix that are not a number.
fn key(written: &str) -> Option<Literal> {
    let digits = written.len() <= 16 && written.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| Literal::Text(written.to_string()))
}

/// The 160 bits of the HMAC of an MP_JOIN ACK, which no number has (RFC 8684 §3.2).
fn hmac(digits: &str) -> Option<Literal> {
    let whole = digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| Literal::Text(digits.to_string()))
}

fn decimal(written: &str) -> Option<Literal> {
    let digits = |text: &str| -> Option<i128> {
        // 20 digits hold every u64 and leave room for the nine that are multiplied in.
        let plain = !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
        if plain { text.parse().ok() } else { None }
    };
    let Some((whole, fraction)) = written.split_once('.') else {
        return Some(Literal::Whole(digits(written)?));
    };
    let missing = u32::try_from(9usize.checked_sub(fraction.len())?).ok()?;
    Some(Literal::Decimal(digits(whole)? * 1_000_000_000 + digits(fraction)? * 10i128.pow(missing)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        tokens(text).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn words_values_and_signs() {
        use TokenKind::{And, Close, Comma, Compare, Not, Open, Or, Value, Word};
        assert_eq!(
            kinds("a>=0x1F&&!b.c AND(d<>-1.5||e='x y',true)"),
            [
                Word("a".into()),
                Compare(Operator::GreaterOrEqual),
                Value(Literal::Whole(31)),
                And,
                Not,
                Word("b.c".into()),
                And,
                Open,
                Word("d".into()),
                Compare(Operator::NotEqual),
                Value(Literal::Decimal(-1_500_000_000)),
                Or,
                Word("e".into()),
                Compare(Operator::Equal),
                Value(Literal::Text("x y".into())),
                Comma,
                Value(Literal::Boolean(true)),
                Close
            ]
        );
        assert_eq!(kinds("18446744073709551615"), [Value(Literal::Whole(u64::MAX.into()))]);
    }

    #[test]
    fn addresses_and_keys_need_no_quotes() {
        use TokenKind::{Compare, Value, Word};
        let text = |text: &str| Value(Literal::Text(text.into()));
        let equal = Compare(Operator::Equal);
        assert_eq!(kinds("a==10.0.1.1"), [Word("a".into()), equal.clone(), text("10.0.1.1")]);
        assert_eq!(kinds("a == 2001:DB8:0::1"), [Word("a".into()), equal.clone(), text("2001:db8::1")]);
        assert_eq!(kinds("fe80::1 == a"), [text("fe80::1"), equal.clone(), Word("a".into())]);
        assert_eq!(kinds("::1"), [text("::1")]);
        assert_eq!(kinds("a == 091e2980"), [Word("a".into()), equal, text("091e2980")]);
        assert_eq!(kinds("abc"), [Word("abc".into())]);
    }

    #[test]
    fn positions_count_characters() {
        let tokens = tokens("é == 'ü' z").unwrap();
        assert_eq!(tokens.iter().map(|token| token.position).collect::<Vec<_>>(), [1, 3, 6, 10]);
    }

    #[test]
    fn what_is_no_word_is_refused_with_its_place() {
        for (text, expected) in [
            ("a # b", "in the condition, at character 3: `#` means nothing here; text that has it is put in quotes"),
            ("a == 'x", "in the condition, at character 6: the text is not closed by another '"),
            ("12xy", "in the condition, at character 1: `12xy` is not a number; write 12, 0x1f or 0.25"),
            (
                "a \x1b",
                "in the condition, at character 3: `\\u{1b}` means nothing here; text that has it is put in quotes",
            ),
            (
                "0x11112222333344445",
                "in the condition, at character 1: `0x11112222333344445` is not a number; write 12, 0x1f or 0.25",
            ),
        ] {
            assert_eq!(tokens(text).unwrap_err().to_string(), expected);
        }
        for text in ["1.", "1..2", "0x", "1.0123456789", "999999999999999999999", "- 1", "1.2.3.4.5"] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }
}
