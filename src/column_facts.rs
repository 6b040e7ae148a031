//! What files say of their columns beyond types: units, and types for pandas.
//!
//! Both go into the Arrow schema: that of an Arrow file, and the one that writers of Parquet embed under `ARROW:schema`,
//! because readers built on Arrow take them from there alone. Other readers see the same types without them.
//!
//! - A column with a unit has the field metadata `unit`: `s`, `B`, `B/s`.
//! - pandas turns whole numbers with nulls into floats, which spoils data sequence numbers, unless the key `pandas` of the
//!   schema names its nullable types (the form is that of pyarrow, pandas' developer guide "Storing pandas DataFrame
//!   objects in Apache Parquet format").

use std::io::Write;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polars::prelude::{ArrowSchema, CompatLevel, DataFrame, DataType, PolarsResult};
use polars_arrow::datatypes::Metadata;
use polars_arrow::io::ipc::write::{FileWriter, WriteOptions, default_ipc_fields, schema_to_bytes};
use polars_io::parquet::write::KeyValueMetadata;

/// Metadata for the Parquet writer of `frame`, whose columns have these units.
#[must_use]
pub fn of<'u>(frame: &DataFrame, unit: impl Fn(&str) -> Option<&'u str>) -> KeyValueMetadata {
    KeyValueMetadata::from_static(vec![("ARROW:schema".to_string(), arrow_schema(frame, unit))])
}

/// What stands under the key `ARROW:schema` of that metadata.
#[must_use]
pub fn arrow_schema<'u>(frame: &DataFrame, unit: impl Fn(&str) -> Option<&'u str>) -> String {
    let schema = schema(frame, unit, CompatLevel::newest());
    let message = schema_to_bytes(&schema, &default_ipc_fields(schema.iter_values()), None);
    // An encapsulated message begins with a mark and its length (Arrow columnar format, "Encapsulated message format").
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    STANDARD.encode([&[0xff; 4], length.to_le_bytes().as_slice(), &message].concat())
}

/// The schema of `frame` with these units.
fn schema<'u>(frame: &DataFrame, unit: impl Fn(&str) -> Option<&'u str>, level: CompatLevel) -> ArrowSchema {
    let mut schema = ArrowSchema::default();
    for column in frame.columns() {
        let mut field = column.dtype().to_arrow_field(column.name().clone(), level);
        if let Some(unit) = unit(column.name()) {
            field.metadata = Some(Arc::new(Metadata::from([("unit".into(), unit.into())])));
        }
        schema.insert(column.name().clone(), field);
    }
    schema.metadata_mut().insert("pandas".into(), for_pandas(frame).into());
    schema
}

/// An Arrow file under way. polars' own writer has no place for units.
///
/// Not compressed, so that other programs can map it into memory; text and lists in the oldest layout, which every Arrow
/// reader knows.
pub struct ArrowFile<W: Write>(FileWriter<W>);

impl<W: Write> ArrowFile<W> {
    /// Begins a file with the columns of `frame`, which have these units.
    ///
    /// # Errors
    /// When the output refuses.
    pub fn begin<'u>(frame: &DataFrame, unit: impl Fn(&str) -> Option<&'u str>, output: W) -> PolarsResult<Self> {
        let schema = Arc::new(schema(frame, unit, CompatLevel::oldest()));
        FileWriter::try_new(output, schema, None, WriteOptions { compression: None }).map(ArrowFile)
    }

    /// Adds rows, whose columns are in equal chunks: a record batch for each.
    ///
    /// # Errors
    /// When the output refuses.
    pub fn write(&mut self, rows: &DataFrame) -> PolarsResult<()> {
        rows.iter_chunks(CompatLevel::oldest(), true).try_for_each(|batch| self.0.write(&batch, None))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When the output refuses.
    pub fn finish(mut self) -> PolarsResult<()> {
        self.0.finish()
    }
}

/// The types that pandas is to give the columns that would otherwise become floats or objects where a value is missing.
fn for_pandas(frame: &DataFrame) -> String {
    let columns = frame.columns().iter().filter_map(|column| {
        let (kind, nullable) = match column.dtype() {
            DataType::UInt8 => ("uint8", "UInt8"),
            DataType::UInt16 => ("uint16", "UInt16"),
            DataType::UInt32 => ("uint32", "UInt32"),
            DataType::UInt64 => ("uint64", "UInt64"),
            DataType::Int64 => ("int64", "Int64"),
            DataType::Boolean => ("bool", "boolean"),
            _ => return None,
        };
        let name = column.name().as_str();
        Some(serde_json::json!({
            "name": name, "field_name": name, "pandas_type": kind, "numpy_type": nullable, "metadata": null
        }))
    });
    serde_json::json!({
        "index_columns": [],
        "column_indexes": [],
        "columns": columns.collect::<Vec<_>>(),
        "pandas_version": "1.0.0",
        "creator": { "library": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") }
    })
    .to_string()
}
