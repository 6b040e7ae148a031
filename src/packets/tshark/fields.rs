//! Which Wireshark fields are asked for, and in which order they come back.

use super::{Tshark, TsharkError};
use crate::packets::schema;

/// Fields asked for beside those that the schema names: they tell how to read the others.
const GUIDES: &[&str] = &["frame.protocols"];

/// The fields of one run, in the order of the output's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Fields that this tshark knows.
    pub fields: Vec<String>,
    /// Number of `fields`, at the end, that are extra fields.
    pub extra: usize,
    /// Fields of the schema that this tshark does not know.
    pub unknown: Vec<&'static str>,
}

impl Wanted {
    /// One sentence per column that stays empty because this tshark lacks its field.
    pub fn warnings(&self, tshark: &Tshark) -> Vec<String> {
        let columns = schema::packet_columns().filter_map(|column| {
            let missing = column.fields.iter().find(|field| self.unknown.contains(field))?;
            Some(format!("{} has no field {missing}: column {} may stay empty", tshark.name(), column.name))
        });
        columns.collect()
    }
}

/// The fields of the schema that `tshark` knows, then the extra ones.
///
/// # Errors
/// An extra field that does not exist, which is a person's typing error; a tshark that does not list its fields.
pub fn wanted(tshark: &Tshark, extra_fields: &[String]) -> Result<Wanted, TsharkError> {
    let mut fields: Vec<String> = Vec::new();
    let mut unknown: Vec<&'static str> = Vec::new();
    let of_schema = schema::packet_columns().flat_map(|column| column.fields.iter().copied());
    let of_schema: Vec<&'static str> = of_schema.chain(GUIDES.iter().copied()).collect();
    let asked = of_schema.iter().copied().chain(extra_fields.iter().map(String::as_str)).collect();
    let known = tshark.known(&asked)?;
    for field in of_schema {
        if fields.iter().any(|listed| listed == field) || unknown.contains(&field) {
            continue;
        }
        if known.contains(field) {
            fields.push(field.to_string());
        } else {
            unknown.push(field);
        }
    }
    let mut extra = 0;
    for field in extra_fields {
        if !known.contains(field.as_str()) {
            let hint = tshark.nearest(field).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
            return Err(TsharkError::UnknownField { version: tshark.version.clone(), field: field.clone(), hint });
        }
        fields.push(field.clone());
        extra += 1;
    }
    Ok(Wanted { fields, extra, unknown })
}
