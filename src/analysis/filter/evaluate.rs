//! A condition asked of every row of a frame, in the three-valued logic that nulls need.

use std::borrow::Cow;
use std::cmp::Ordering;

use polars::prelude::{BooleanChunked, BooleanType, ChunkedArray, DataFrame, NewChunkedArray};

use super::lexer::{Literal, Operator, refuse};
use super::parser::{Condition, Name, Operand};
use crate::analysis::selection::unknown_column;
use crate::error::{Error, Result};
use crate::packets::cells::{Cells, Class, Value, hexadecimal_digits};
use crate::packets::schema;
use crate::terminal_text::escape;
use crate::time_text;

/// The answer for one row. The order makes `and` the least and `or` the greatest of their parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Truth {
    No,
    /// A null was asked.
    Unknown,
    Yes,
}

impl Truth {
    fn opposite(self) -> Self {
        match self {
            Truth::No => Truth::Yes,
            Truth::Unknown => Truth::Unknown,
            Truth::Yes => Truth::No,
        }
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Truth::Yes } else { Truth::No }
    }
}

pub(super) fn mask(condition: &Condition, frame: &DataFrame) -> Result<BooleanChunked> {
    let truths = evaluate(condition, frame)?;
    let kept = truths.into_iter().map(|truth| truth == Truth::Yes);
    Ok(ChunkedArray::<BooleanType>::from_iter_values("mask".into(), kept))
}

fn evaluate(condition: &Condition, frame: &DataFrame) -> Result<Vec<Truth>> {
    mptcp_trace::interrupt::check()?;
    match condition {
        Condition::All(parts) => combine(parts, frame, Truth::min),
        Condition::Any(parts) => combine(parts, frame, Truth::max),
        Condition::Not(inner) => Ok(evaluate(inner, frame)?.into_iter().map(Truth::opposite).collect()),
        Condition::Compare(left, operator, right) => compare(left, *operator, right, frame),
        Condition::In(name, values) => {
            let column = cells(name, frame)?;
            let keys = values
                .iter()
                .map(|(literal, position)| key_for(&column, literal, *position))
                .collect::<Result<Vec<_>>>()?;
            Ok(per_row(&column, frame, |key| keys.iter().any(|wanted| key.order(wanted) == Some(Ordering::Equal))))
        }
        Condition::IsNull(name) => {
            let column = cells(name, frame)?;
            Ok((0..frame.height()).map(|row| Truth::from(column.value(row) == Value::Null)).collect())
        }
        Condition::Contains(name, literal, position) => contains(name, literal, *position, frame),
        Condition::Holds(name) => {
            let column = cells(name, frame)?;
            if column.class() != Class::Boolean && column.bits.is_none() {
                return Err(mismatch(&column, name.position, "compare it with something, as in `COLUMN == VALUE`"));
            }
            Ok(per_row(&column, frame, |key| match key {
                Key::Number(bits) => *bits != 0,
                other => matches!(other, Key::Boolean(true)),
            }))
        }
    }
}

fn combine(parts: &[Condition], frame: &DataFrame, choose: fn(Truth, Truth) -> Truth) -> Result<Vec<Truth>> {
    let mut parts = parts.iter();
    let mut answer = match parts.next() {
        Some(first) => evaluate(first, frame)?,
        None => vec![Truth::Yes; frame.height()],
    };
    for part in parts {
        for (known, further) in answer.iter_mut().zip(evaluate(part, frame)?) {
            *known = choose(*known, further);
        }
    }
    Ok(answer)
}

/// A column that a condition asks, or some of its bits.
struct Asked {
    cells: Cells,
    bits: Option<u64>,
}

impl Asked {
    fn class(&self) -> Class {
        self.cells.class()
    }

    fn value(&self, row: usize) -> Value<'_> {
        match (self.cells.value(row), self.bits) {
            (Value::Unsigned(number), Some(bits)) => Value::Unsigned(number & bits),
            (Value::Hexadecimal(number, digits), Some(bits)) => Value::Hexadecimal(number & bits, digits),
            (value, _) => value,
        }
    }
}

fn cells(name: &Name, frame: &DataFrame) -> Result<Asked> {
    let column = frame.column(&name.text).map_err(|_| unknown_column(frame, &name.text))?;
    let cells =
        Cells::of(column).map_err(|source| Error::Table { action: "read a column of the packet table", source })?;
    let asked = Asked { cells, bits: name.bits };
    match (name.bits, asked.class()) {
        (None, _) | (Some(_), Class::Whole | Class::Hexadecimal) => Ok(asked),
        _ => Err(mismatch(&asked, name.position, "`&` is for whole numbers")),
    }
}

/// Sort key of a cell or a value.
#[derive(Debug, Clone, PartialEq)]
enum Key<'a> {
    /// Whole numbers; nanoseconds of times.
    Number(i128),
    Float(f64),
    Boolean(bool),
    Text(Cow<'a, str>),
}

impl Key<'_> {
    fn order(&self, other: &Key<'_>) -> Option<Ordering> {
        match (self, other) {
            (Key::Number(left), Key::Number(right)) => Some(left.cmp(right)),
            (Key::Float(left), Key::Float(right)) => left.partial_cmp(right),
            (Key::Boolean(left), Key::Boolean(right)) => Some(left.cmp(right)),
            (Key::Text(left), Key::Text(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }
}

/// `None` for null, and for lists, which have no order.
fn key_of(value: Value<'_>) -> Option<Key<'_>> {
    Some(match value {
        Value::Null | Value::List(_) => return None,
        Value::Unsigned(number) | Value::Hexadecimal(number, _) => Key::Number(number.into()),
        Value::Signed(number) => Key::Number(number.into()),
        Value::Instant(instant) => Key::Number(instant.nanoseconds().into()),
        Value::Span(span) => Key::Number(span.nanoseconds().into()),
        Value::Float(number) => Key::Float(number),
        Value::Boolean(truth) => Key::Boolean(truth),
        Value::Text(text) => Key::Text(text),
    })
}

fn per_row(column: &Asked, frame: &DataFrame, holds: impl Fn(&Key<'_>) -> bool) -> Vec<Truth> {
    let answer = |row| key_of(column.value(row)).map_or(Truth::Unknown, |key| Truth::from(holds(&key)));
    (0..frame.height()).map(answer).collect()
}

fn compare(left: &Operand, operator: Operator, right: &Operand, frame: &DataFrame) -> Result<Vec<Truth>> {
    match (left, right) {
        (Operand::Value(_, position), Operand::Value(..)) => {
            Err(refuse(*position, "two values are compared; use a column on one side"))
        }
        (Operand::Column(name), Operand::Value(literal, position)) => {
            compare_with_value(name, operator, literal, *position, frame)
        }
        (Operand::Value(literal, position), Operand::Column(name)) => {
            compare_with_value(name, mirrored(operator), literal, *position, frame)
        }
        (Operand::Column(left), Operand::Column(right)) => compare_columns(left, operator, right, frame),
    }
}

fn compare_with_value(
    name: &Name,
    operator: Operator,
    literal: &Literal,
    position: usize,
    frame: &DataFrame,
) -> Result<Vec<Truth>> {
    let column = cells(name, frame)?;
    require_order(&column, operator, name.position)?;
    let key = key_for(&column, literal, position)?;
    Ok(per_row(&column, frame, |cell| cell.order(&key).is_some_and(|order| satisfies(order, operator))))
}

fn compare_columns(left: &Name, operator: Operator, right: &Name, frame: &DataFrame) -> Result<Vec<Truth>> {
    let (first, second) = (cells(left, frame)?, cells(right, frame)?);
    require_order(&first, operator, left.position)?;
    if comparable(first.class()) != comparable(second.class()) {
        let other = format!("`{}` holds {}", escape(second.cells.name()), second.class().contents());
        return Err(mismatch(&first, right.position, &other));
    }
    let answer = |row| match (key_of(first.value(row)), key_of(second.value(row))) {
        (Some(one), Some(other)) => one.order(&other).is_some_and(|order| satisfies(order, operator)).into(),
        _ => Truth::Unknown,
    };
    Ok((0..frame.height()).map(answer).collect())
}

/// Keys and plain whole numbers compare with each other.
fn comparable(class: Class) -> Class {
    if class == Class::Hexadecimal { Class::Whole } else { class }
}

fn require_order(column: &Asked, operator: Operator, position: usize) -> Result<()> {
    let only_equality = !matches!(operator, Operator::Equal | Operator::NotEqual);
    match column.class() {
        Class::List => Err(mismatch(column, position, "ask with `contains`")),
        Class::Text | Class::Boolean if only_equality => Err(mismatch(column, position, "compare it with == or !=")),
        _ => Ok(()),
    }
}

fn contains(name: &Name, literal: &Literal, position: usize, frame: &DataFrame) -> Result<Vec<Truth>> {
    let column = cells(name, frame)?;
    match (column.class(), literal) {
        (Class::List, Literal::Whole(wanted)) => {
            let answer = |row| match column.value(row) {
                Value::List(items) => items.iter().any(|item| i128::from(*item) == *wanted).into(),
                _ => Truth::Unknown,
            };
            Ok((0..frame.height()).map(answer).collect())
        }
        (Class::Text, Literal::Text(part)) => {
            Ok(per_row(&column, frame, |key| matches!(key, Key::Text(text) if text.contains(part.as_str()))))
        }
        (Class::List, _) => Err(mismatch(&column, position, "use `contains` with a whole number")),
        (Class::Text, _) => Err(mismatch(&column, position, "use `contains` with a quoted text")),
        _ => Err(mismatch(&column, position, "`contains` is for lists and text; compare it with ==")),
    }
}

/// Meaning of `literal` in a comparison with `column`.
fn key_for(column: &Asked, literal: &Literal, position: usize) -> Result<Key<'static>> {
    const BILLION: i128 = 1_000_000_000;
    let key = match (column.class(), literal) {
        (Class::Whole | Class::Hexadecimal, Literal::Whole(number)) => Some(Key::Number(*number)),
        (Class::Whole, Literal::Text(written)) => power_of_ten(written).map(Key::Number),
        (Class::Hexadecimal, Literal::Text(digits)) => hexadecimal(digits).map(Key::Number),
        (Class::Span, Literal::Whole(seconds)) => seconds.checked_mul(BILLION).map(Key::Number),
        (Class::Span, Literal::Decimal(billionths)) => Some(Key::Number(*billionths)),
        (Class::Float, Literal::Whole(number)) => Some(Key::Float(*number as f64)),
        (Class::Float, Literal::Decimal(billionths)) => Some(Key::Float(*billionths as f64 / 1e9)),
        (Class::Boolean, Literal::Boolean(truth)) => Some(Key::Boolean(*truth)),
        (Class::Text, Literal::Text(text)) => Some(Key::Text(Cow::Owned(as_printed(column, text)))),
        (Class::Instant, Literal::Text(text)) => {
            time_text::parse_rfc3339(text).map(|time| Key::Number(time.nanoseconds().into()))
        }
        _ => None,
    };
    key.ok_or_else(|| {
        let advice = match column.class() {
            Class::Whole => "compare it with a number such as 12",
            Class::Hexadecimal => "compare it with a number such as 0xcfe2ec98, or cfe2ec98",
            Class::Span | Class::Float => "compare it with a number such as 0.25",
            Class::Boolean => "compare it with true or false",
            Class::Text => "compare it with a quoted text such as \"10.0.1.1\"",
            Class::Instant => "compare it with a quoted instant such as \"2026-11-21T10:00:00Z\"",
            Class::List => "ask with `contains`",
        };
        mismatch(column, position, advice)
    })
}

/// A number such as `1e6`. Only the column tells it from the digits of a key.
fn power_of_ten(written: &str) -> Option<i128> {
    let (digits, exponent) = written.split_once(['e', 'E'])?;
    let plain = |text: &str| !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = Some(exponent).filter(|text| plain(text))?.parse().ok().filter(|exponent| *exponent <= 18)?;
    Some(digits).filter(|text| plain(text))?.parse::<i128>().ok()?.checked_mul(10i128.checked_pow(exponent)?)
}

/// An HMAC with the `0x` that its column has.
fn as_printed(column: &Asked, text: &str) -> String {
    let identifier = schema::find(column.cells.name()).is_some_and(|spec| spec.identifier);
    if identifier { format!("0x{}", hexadecimal_digits(text).to_ascii_lowercase()) } else { text.to_string() }
}

fn hexadecimal(text: &str) -> Option<i128> {
    let digits = hexadecimal_digits(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain { u64::from_str_radix(digits, 16).ok().map(i128::from) } else { None }
}

fn satisfies(order: Ordering, operator: Operator) -> bool {
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
    }
}

/// The operator that says the same with the sides exchanged.
fn mirrored(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        same => same,
    }
}

fn mismatch(column: &Asked, position: usize, advice: &str) -> Error {
    refuse(position, format!("`{}` holds {}; {advice}", escape(column.cells.name()), column.class().contents()))
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
