//! Names that a condition may use beside those of columns: Wireshark's fields, and texts without quotes.

use super::lexer::{Literal, Operator};
use super::parser::{Condition, Name, Operand};
use crate::packets::schema::{self, ColumnType};

/// Wireshark's fields that stand for either of two columns.
const EITHER: [(&str, [&str; 2]); 3] =
    [("tcp.port", ["sport", "dport"]), ("ip.addr", ["ipsrc", "ipdst"]), ("ipv6.addr", ["ipsrc", "ipdst"])];

/// Wireshark's fields that are columns, though no dissector asks tshark for them.
const DERIVED: [(&str, &str); 3] =
    [("frame.time_relative", "reltime"), ("tcp.stream", "tcpstream"), ("mptcp.stream", "mptcpstream")];

/// Wireshark's fields that are bits of `tcpflags` (RFC 9293 §3.1, RFC 3168 §6.1, RFC 9768 §3.1).
const FLAGS: [(&str, u64); 9] = [
    ("tcp.flags.fin", 0x01),
    ("tcp.flags.syn", 0x02),
    ("tcp.flags.reset", 0x04),
    ("tcp.flags.push", 0x08),
    ("tcp.flags.ack", 0x10),
    ("tcp.flags.urg", 0x20),
    ("tcp.flags.ece", 0x40),
    ("tcp.flags.cwr", 0x80),
    ("tcp.flags.ae", 0x100),
];

/// The condition with columns in place of Wireshark's fields, and texts in place of words that are compared with a column
/// of texts and name no column.
///
/// As in Wireshark, `tcp.port == 80` asks whether either port is 80, and `tcp.port != 80` whether none is.
pub(super) fn resolved(condition: Condition) -> Condition {
    match flag(condition) {
        Condition::Compare(Operand::Column(name), operator, right) => {
            each(name, operator == Operator::NotEqual, |name| {
                let right = as_text(&name, right.clone());
                Condition::Compare(Operand::Column(name), operator, in_table(right))
            })
        }
        Condition::Compare(left, operator, Operand::Column(name)) => {
            each(name, operator == Operator::NotEqual, |name| {
                Condition::Compare(left.clone(), operator, Operand::Column(name))
            })
        }
        Condition::In(name, values) => each(name, false, |name| Condition::In(name, values.clone())),
        Condition::Contains(name, literal, position) => {
            each(name, false, |name| Condition::Contains(name, literal.clone(), position))
        }
        // Of two columns both must be null.
        Condition::IsNull(name) => each(name, true, Condition::IsNull),
        Condition::Holds(name) => each(name, false, Condition::Holds),
        Condition::Not(inner) => Condition::Not(Box::new(resolved(*inner))),
        other => other,
    }
}

/// A condition on one of [`FLAGS`] as one on the bit: `tcp.flags.syn == 1`, and `tcp.flags.syn` alone.
fn flag(condition: Condition) -> Condition {
    let bit = |name: &Name| {
        let (_, bits) = FLAGS.iter().find(|(field, _)| *field == name.text && name.bits.is_none())?;
        Some(Condition::Holds(Name { text: "tcpflags".to_string(), bits: Some(*bits), ..name.clone() }))
    };
    match &condition {
        Condition::Holds(name) => bit(name).unwrap_or(condition),
        Condition::Compare(Operand::Column(name), operator, Operand::Value(literal, _)) => {
            let set = match literal {
                Literal::Whole(0) | Literal::Boolean(false) => false,
                Literal::Whole(1) | Literal::Boolean(true) => true,
                _ => return condition,
            };
            let wanted = match operator {
                Operator::Equal => set,
                Operator::NotEqual => !set,
                _ => return condition,
            };
            match bit(name) {
                Some(holds) if wanted => holds,
                Some(holds) => Condition::Not(Box::new(holds)),
                None => condition,
            }
        }
        _ => condition,
    }
}

/// `ask` of the column that a name stands for; of two columns both or either, as `all` says.
fn each(name: Name, all: bool, ask: impl Fn(Name) -> Condition) -> Condition {
    let Some((_, columns)) = EITHER.iter().find(|(field, _)| *field == name.text) else { return ask(column(name)) };
    let parts = columns.iter().map(|column| ask(Name { text: (*column).to_string(), ..name.clone() })).collect();
    if all { Condition::All(parts) } else { Condition::Any(parts) }
}

/// The column that a name stands for.
fn column(name: Name) -> Name {
    let derived = DERIVED.iter().find(|(field, _)| *field == name.text).map(|(_, column)| *column);
    let found = derived.or_else(|| schema::of_wireshark(&name.text).map(|spec| spec.name));
    found.map_or(name.clone(), |found| Name { text: found.to_string(), ..name })
}

fn in_table(operand: Operand) -> Operand {
    match operand {
        Operand::Column(name) => Operand::Column(column(name)),
        value => value,
    }
}

/// A word that is compared with a column of texts, or of keys, and is no name of a column: a text without its quotes.
fn as_text(compared: &Name, operand: Operand) -> Operand {
    let Operand::Column(word) = operand else { return operand };
    let known = schema::find(&word.text).is_some() || word.text.contains('.') || word.bits.is_some();
    let takes_text = schema::find(&compared.text).is_some_and(|spec| {
        let digits = word.text.bytes().all(|byte| byte.is_ascii_hexdigit());
        spec.kind == ColumnType::Text || (spec.hexadecimal && digits)
    });
    if takes_text && !known { Operand::Value(Literal::Text(word.text), word.position) } else { Operand::Column(word) }
}
