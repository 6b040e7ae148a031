use std::path::Path;

use schemars::{Schema, schema_for};
use serde_json::{Value, json};

use super::*;

/// The schemas of all messages in one document.
fn document() -> Value {
    let messages: [(&str, Schema); 3] =
        [("greeting", schema_for!(Greeting)), ("request", schema_for!(Request)), ("answer", schema_for!(Answer))];
    let mut definitions = serde_json::Map::new();
    let mut shared = serde_json::Map::new();
    for (name, schema) in messages {
        let mut schema = schema.to_value();
        let object = schema.as_object_mut().unwrap();
        object.remove("$schema");
        if let Some(Value::Object(parts)) = object.remove("$defs") {
            shared.extend(parts);
        }
        definitions.insert(name.to_string(), schema);
    }
    definitions.extend(shared);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Protocol of mptcpanalyzer's plugins, version {VERSION}"),
        "description": "What the program and a plugin say to each other; docs/plugins.md explains it. Validate a greeting against #/$defs/greeting, a request against #/$defs/request and an answer against #/$defs/answer.",
        "$defs": definitions,
    })
}

#[test]
fn the_schema_in_docs_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plugin.schema.json");
    let now = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == now,
        "docs/plugin.schema.json is stale: `UPDATE_SCHEMA=1 cargo test --lib the_schema_in_docs` updates it"
    );
}

#[test]
fn answers_are_told_apart_by_their_key() {
    let read = |text: &str| serde_json::from_str::<Answer>(text);
    assert_eq!(read(r#"{"text": "hi"}"#).unwrap(), Answer::Text("hi".to_string()));
    let Answer::Table(table) =
        read(r#"{"table": {"columns": ["a", {"name": "b", "unit": "bytes"}], "rows": [[1, 2]]}}"#).unwrap()
    else {
        panic!("a table was answered")
    };
    let described = DescribedColumn { name: "b".to_string(), heading: None, unit: Some(Unit::Bytes) };
    assert_eq!(table.columns, [TableColumn::Name("a".to_string()), TableColumn::Described(described)]);
    for wrong in [
        r#"{"text": "a", "error": "b"}"#,
        r#"{"txt": "a"}"#,
        "[]",
        r#"{"table": {"columns": []}}"#,
        r#"{"table": {"columns": ["a"], "rows": [[[1]]]}}"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_greeting_may_say_more_than_is_known() {
    let greeting: Greeting = serde_json::from_str(r#"{"hello": {"protocol": 1, "mood": "fine"}, "x": 1}"#).unwrap();
    assert_eq!(greeting.hello, Hello { protocol: 1, version: String::new(), features: Vec::new() });
}
