//! From the words of a condition to what it means.
//!
//! `or` binds less than `and`, `and` less than `not`. Chains of `and` and of `or` are flat, so that only parentheses
//! and `not` nest, and those no deeper than [`DEPTH`].

use super::lexer::{self, Literal, Operator, Token, TokenKind, refuse};
use super::names;
use crate::error::Result;
use crate::terminal_text::escape;

/// How deep parentheses and `not` may nest; keeps a hostile condition from using up the stack.
const DEPTH: usize = 64;

/// Meaning of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// The left operand compares so to the right one.
    Compare(Operand, Operator, Operand),
    /// The column equals one of the values.
    In(Name, Vec<(Literal, usize)>),
    /// The column has no value.
    IsNull(Name),
    /// A list has the item, or a text the part.
    Contains(Name, Literal, usize),
    /// A column of true and false, or one with bits of which at least one is set.
    Holds(Name),
}

/// A column as named, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) position: usize,
    /// The bits of it that count: `tcpflags & 2`.
    pub(super) bits: Option<u64>,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    Column(Name),
    Value(Literal, usize),
}

impl Condition {
    /// Puts the names of its columns at the end of `names`.
    pub(super) fn name_columns<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| part.name_columns(names)),
            Condition::Not(part) => part.name_columns(names),
            Condition::Compare(left, _, right) => {
                for side in [left, right] {
                    if let Operand::Column(name) = side {
                        names.push(&name.text);
                    }
                }
            }
            Condition::In(name, _)
            | Condition::IsNull(name)
            | Condition::Contains(name, ..)
            | Condition::Holds(name) => names.push(&name.text),
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Condition> {
    let tokens = lexer::tokens(text)?;
    let end = text.chars().count().saturating_add(1);
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), end, depth: 0 };
    let condition = parser.any()?;
    match parser.tokens.next() {
        None => Ok(condition),
        Some(token) => Err(unexpected(&token, "`and`, `or` or the end")),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    /// Where the text ends.
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&mut self) -> Option<&TokenKind> {
        self.tokens.peek().map(|token| &token.kind)
    }

    /// Takes the next token if it is `kind`.
    fn take(&mut self, kind: &TokenKind) -> bool {
        self.tokens.next_if(|token| token.kind == *kind).is_some()
    }

    /// Takes the next token if it is the word `wanted`, in whatever case.
    fn take_word(&mut self, wanted: &str) -> bool {
        self.tokens
            .next_if(|token| matches!(&token.kind, TokenKind::Word(word) if word.eq_ignore_ascii_case(wanted)))
            .is_some()
    }

    fn next(&mut self, expected: &str) -> Result<Token> {
        self.tokens.next().ok_or_else(|| refuse(self.end, format!("it ends where {expected} is expected")))
    }

    fn require(&mut self, kind: &TokenKind, expected: &str) -> Result<()> {
        let token = self.next(expected)?;
        if token.kind == *kind { Ok(()) } else { Err(unexpected(&token, expected)) }
    }

    fn any(&mut self) -> Result<Condition> {
        let first = self.all()?;
        let mut parts = vec![first];
        while self.take(&TokenKind::Or) {
            parts.push(self.all()?);
        }
        Ok(joined(parts, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition> {
        let first = self.single()?;
        let mut parts = vec![first];
        while self.take(&TokenKind::And) {
            parts.push(self.single()?);
        }
        Ok(joined(parts, Condition::All))
    }

    fn single(&mut self) -> Result<Condition> {
        if self.depth >= DEPTH {
            let position = self.tokens.peek().map_or(self.end, |token| token.position);
            return Err(refuse(position, format!("more than {DEPTH} nested parentheses and `not`")));
        }
        self.depth += 1;
        let condition = if self.take(&TokenKind::Not) {
            Condition::Not(Box::new(self.single()?))
        } else if self.take(&TokenKind::Open) {
            let inner = self.any()?;
            self.require(&TokenKind::Close, "`)`")?;
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn comparison(&mut self) -> Result<Condition> {
        self.plain_comparison().map(names::resolved)
    }

    fn plain_comparison(&mut self) -> Result<Condition> {
        let left = self.operand("a column")?;
        let column = match left {
            Operand::Column(name) => name,
            Operand::Value(..) => {
                let operator = self.operator()?;
                return Ok(Condition::Compare(left, operator, self.operand("a column")?));
            }
        };
        if let Some(TokenKind::Compare(_)) = self.peek() {
            let operator = self.operator()?;
            let right = self.operand("a value or a column")?;
            return Ok(Condition::Compare(Operand::Column(column), operator, right));
        }
        if self.take_word("is") {
            let negated = self.take(&TokenKind::Not);
            if !self.take_word("null") {
                let token = self.next("`null`")?;
                return Err(unexpected(&token, "`null`"));
            }
            return Ok(negated_if(negated, Condition::IsNull(column)));
        }
        if self.take_word("contains") {
            let (literal, position) = self.value()?;
            return Ok(Condition::Contains(column, literal, position));
        }
        if self.take_word("in") {
            return Ok(Condition::In(column, self.values()?));
        }
        if self.take(&TokenKind::Not) {
            if !self.take_word("in") {
                let token = self.next("`in`")?;
                return Err(unexpected(&token, "`in`"));
            }
            return Ok(negated_if(true, Condition::In(column, self.values()?)));
        }
        Ok(Condition::Holds(column))
    }

    fn operator(&mut self) -> Result<Operator> {
        let token = self.next("a comparison such as ==")?;
        match token.kind {
            TokenKind::Compare(operator) => Ok(operator),
            _ => Err(unexpected(&token, "a comparison such as ==")),
        }
    }

    fn operand(&mut self, expected: &str) -> Result<Operand> {
        let token = self.next(expected)?;
        match token.kind {
            TokenKind::Word(text) => Ok(Operand::Column(Name { text, position: token.position, bits: self.bits()? })),
            TokenKind::Value(literal) => Ok(Operand::Value(literal, token.position)),
            _ => Err(unexpected(&token, expected)),
        }
    }

    /// The bits after `&`, if it comes next.
    fn bits(&mut self) -> Result<Option<u64>> {
        if !self.take(&TokenKind::Bits) {
            return Ok(None);
        }
        const BITS: &str = "bits such as 0x02";
        let token = self.next(BITS)?;
        match token.kind {
            TokenKind::Value(Literal::Whole(bits)) => {
                u64::try_from(bits).map(Some).map_err(|_| refuse(token.position, "bits are a number of 64 bits"))
            }
            _ => Err(unexpected(&token, BITS)),
        }
    }

    fn value(&mut self) -> Result<(Literal, usize)> {
        let token = self.next("a value")?;
        match token.kind {
            // Where only a value can be, a word is a text.
            TokenKind::Word(text) => Ok((Literal::Text(text), token.position)),
            TokenKind::Value(literal) => Ok((literal, token.position)),
            _ => Err(unexpected(&token, "a value")),
        }
    }

    fn values(&mut self) -> Result<Vec<(Literal, usize)>> {
        self.require(&TokenKind::Open, "`(`")?;
        let mut values = vec![self.value()?];
        while self.take(&TokenKind::Comma) {
            values.push(self.value()?);
        }
        self.require(&TokenKind::Close, "`,` or `)`")?;
        Ok(values)
    }
}

fn joined(mut parts: Vec<Condition>, join: impl FnOnce(Vec<Condition>) -> Condition) -> Condition {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => join(parts.into_iter().chain(last).collect()),
    }
}

fn negated_if(negated: bool, condition: Condition) -> Condition {
    if negated { Condition::Not(Box::new(condition)) } else { condition }
}

fn unexpected(token: &Token, expected: &str) -> crate::error::Error {
    let met = match &token.kind {
        TokenKind::Word(word) => format!("`{}`", escape(word)),
        TokenKind::Value(_) => "a value".to_string(),
        TokenKind::Compare(_) => "a comparison".to_string(),
        TokenKind::And => "`and`".to_string(),
        TokenKind::Or => "`or`".to_string(),
        TokenKind::Not => "`not`".to_string(),
        TokenKind::Bits => "`&`".to_string(),
        TokenKind::Open => "`(`".to_string(),
        TokenKind::Close => "`)`".to_string(),
        TokenKind::Comma => "`,`".to_string(),
    };
    refuse(token.position, format!("found {met}, expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(name: &str, position: usize) -> Condition {
        Condition::Holds(Name { text: name.into(), position, bits: None })
    }

    #[test]
    fn and_binds_more_than_or_and_not_more_than_and() {
        assert_eq!(
            parse("a or b and not c").unwrap(),
            Condition::Any(vec![
                holds("a", 1),
                Condition::All(vec![holds("b", 6), Condition::Not(Box::new(holds("c", 16)))])
            ])
        );
        assert_eq!(
            parse("(a or b) and c").unwrap(),
            Condition::All(vec![Condition::Any(vec![holds("a", 2), holds("b", 7)]), holds("c", 14)])
        );
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        for (text, expected) in [
            ("", "at character 1: it ends where a column is expected"),
            ("tcplen >", "at character 9: it ends where a value or a column is expected"),
            ("tcplen > 0 tcpstream", "at character 12: found `tcpstream`, expected `and`, `or` or the end"),
            ("(a", "at character 3: it ends where `)` is expected"),
            ("a in 1", "at character 6: found a value, expected `(`"),
            ("a in ()", "at character 7: found `)`, expected a value"),
            ("a is nothing", "at character 6: found `nothing`, expected `null`"),
            ("and", "at character 1: found `and`, expected a column"),
            ("1", "at character 2: it ends where a comparison such as == is expected"),
            ("a not b", "at character 7: found `b`, expected `in`"),
            ("a & b", "at character 5: found `b`, expected bits such as 0x02"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), format!("in the condition, {expected}"), "{text}");
        }
    }

    #[test]
    fn nesting_is_limited_and_chains_are_not() {
        let deep = |count: usize| format!("{}a{}", "(".repeat(count), ")".repeat(count));
        assert!(parse(&deep(60)).is_ok());
        let error = parse(&deep(100_000)).unwrap_err().to_string();
        assert_eq!(error, "in the condition, at character 65: more than 64 nested parentheses and `not`");
        assert!(parse(&format!("{}a", "not ".repeat(100_000))).is_err());
        assert!(parse(&format!("a{}", " and a or a".repeat(50_000))).is_ok());
    }
}
