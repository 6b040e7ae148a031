//! Small tables as Parquet files of the plainest kind: one page a column, neither compressed nor with a dictionary.
//!
//! A part has few rows and up to a hundred columns, and a capture has ten parts. polars' writer makes ready for millions of
//! rows (an estimate of how many values differ, dictionaries, an index of pages), which takes 15 times as long as this.
//! What a file of a table has in common with all others of it is made once, see [`Form`].
//!
//! Source: Apache Parquet, `parquet.thrift` and `Encodings.md`; Apache Thrift, "Thrift Compact protocol encoding".

use polars::prelude::{DataFrame, DataType, PolarsResult, TimeUnit, polars_bail};

use crate::packets::exported::hybrid;

/// First and last bytes of a file.
const MAGIC: &[u8; 4] = b"PAR1";

/// What writes the file, as its end says.
const WRITER: &str = concat!("mptcpanalyzer version ", env!("CARGO_PKG_VERSION"));

/// Parquet's `Type`: how values are laid out.
mod physical {
    pub const BOOLEAN: i64 = 0;
    pub const INT64: i64 = 2;
    pub const DOUBLE: i64 = 5;
    pub const BYTE_ARRAY: i64 = 6;
}

/// Parquet's `ConvertedType`: what they mean, for older readers.
mod converted {
    pub const UTF8: i64 = 0;
    pub const TIMESTAMP_MICROS: i64 = 10;
}

/// Parquet's `Encoding`.
mod encoding {
    pub const PLAIN: i64 = 0;
    pub const RLE: i64 = 3;
}

/// Parquet's `FieldRepetitionType`: a value or none.
const OPTIONAL: i64 = 1;

/// What all files with the same columns have in common.
#[derive(Debug)]
pub struct Form {
    /// The field `schema` of the end of the file.
    schema: Vec<u8>,
    /// Of each column, the first fields of its description: type, encodings, name, compression.
    columns: Vec<Vec<u8>>,
    /// The last fields of the end of the file.
    about: Vec<u8>,
}

impl Form {
    /// Of files with the columns of `frame`, and `facts` under the key `ARROW:schema`.
    ///
    /// # Errors
    /// When a column has a type that tables do not have.
    pub fn of(frame: &DataFrame, facts: &str) -> PolarsResult<Self> {
        let mut schema = Thrift::default();
        schema.list(1, Thrift::STRUCT, frame.width().saturating_add(1));
        schema.text(4, "root");
        schema.int32(1, length(frame.width()));
        schema.stop();
        let mut columns = Vec::new();
        for column in frame.columns() {
            let kind = physical_type(column.dtype())?;
            schema.int32(1, kind);
            schema.int32(2, OPTIONAL);
            schema.text(1, column.name());
            meaning(&mut schema, column.dtype());
            schema.stop();
            let mut start = Thrift::default();
            start.int32(1, kind);
            start.list(1, Thrift::INT32, 2);
            start.zigzag(encoding::PLAIN);
            start.zigzag(encoding::RLE);
            start.list(1, Thrift::TEXT, 1);
            start.bytes(column.name());
            // Not compressed.
            start.int32(1, 0);
            columns.push(start.bytes);
        }
        let mut about = Thrift::default();
        about.list(1, Thrift::STRUCT, 1);
        about.text(1, "ARROW:schema");
        about.text(1, facts);
        about.stop();
        about.text(1, WRITER);
        about.list(1, Thrift::STRUCT, frame.width());
        for _ in 0..frame.width() {
            // Values are in the order of their type.
            about.open(1);
            about.stop();
            about.stop();
        }
        Ok(Form { schema: schema.bytes, columns, about: about.bytes })
    }

    /// The file with these rows, whose columns are those of the form.
    ///
    /// # Errors
    /// When they are others.
    pub fn file(&self, frame: &DataFrame) -> PolarsResult<Vec<u8>> {
        if frame.width() != self.columns.len() {
            polars_bail!(ComputeError: "rows of another table");
        }
        let rows = length(frame.height());
        let mut file = Thrift { bytes: MAGIC.to_vec() };
        let mut described = Thrift::default();
        for (column, start) in frame.columns().iter().zip(&self.columns) {
            let values = page(column)?;
            let (size, offset) = (length(values.len()), length(file.bytes.len()));
            file.int32(1, 0);
            file.int32(1, size);
            file.int32(1, size);
            file.open(2);
            file.int32(1, rows);
            file.int32(1, encoding::PLAIN);
            file.int32(1, encoding::RLE);
            file.int32(1, encoding::RLE);
            file.stop();
            file.stop();
            file.bytes.extend(values);
            let size = length(file.bytes.len()).saturating_sub(offset);
            described.int64(2, offset);
            described.open(1);
            described.bytes.extend(start);
            described.int64(1, rows);
            described.int64(1, size);
            described.int64(1, size);
            described.int64(2, offset);
            described.stop();
            described.stop();
        }
        let data = length(file.bytes.len()).saturating_sub(length(MAGIC.len()));
        let begin = file.bytes.len();
        file.int32(1, 1);
        file.bytes.extend(&self.schema);
        file.int64(1, rows);
        file.list(1, Thrift::STRUCT, 1);
        file.list(1, Thrift::STRUCT, frame.width());
        file.bytes.extend(described.bytes);
        file.int64(1, data);
        file.int64(1, rows);
        file.stop();
        file.bytes.extend(&self.about);
        file.stop();
        let end = u32::try_from(file.bytes.len().saturating_sub(begin)).unwrap_or(u32::MAX);
        file.bytes.extend(end.to_le_bytes());
        file.bytes.extend(MAGIC);
        Ok(file.bytes)
    }
}

fn physical_type(kind: &DataType) -> PolarsResult<i64> {
    Ok(match kind {
        DataType::Boolean => physical::BOOLEAN,
        DataType::Int64 | DataType::Datetime(TimeUnit::Microseconds, Some(_)) => physical::INT64,
        DataType::Float64 => physical::DOUBLE,
        DataType::String => physical::BYTE_ARRAY,
        other => polars_bail!(ComputeError: "tables have no columns of type {other}"),
    })
}

/// The fields `converted_type` and `logicalType` of a column, after its name.
fn meaning(schema: &mut Thrift, kind: &DataType) {
    match kind {
        DataType::String => {
            schema.int32(2, converted::UTF8);
            schema.open(4);
            schema.open(1);
            schema.stop();
            schema.stop();
        }
        DataType::Datetime(..) => {
            schema.int32(2, converted::TIMESTAMP_MICROS);
            schema.open(4);
            schema.open(8);
            schema.yes(1);
            schema.open(1);
            schema.open(2);
            schema.stop();
            schema.stop();
            schema.stop();
            schema.stop();
        }
        _ => {}
    }
}

/// Where there are values, and these one after the other.
fn page(column: &polars::prelude::Column) -> PolarsResult<Vec<u8>> {
    let series = column.as_materialized_series();
    let present: Vec<u8> = series.is_not_null().iter().map(|truth| u8::from(truth == Some(true))).collect();
    let mut page = Vec::new();
    hybrid::append_levels(&present, 1, &mut page);
    match column.dtype() {
        DataType::Int64 => page.extend(series.i64()?.iter().flatten().flat_map(i64::to_le_bytes)),
        DataType::Datetime(..) => {
            page.extend(series.datetime()?.physical().iter().flatten().flat_map(i64::to_le_bytes));
        }
        DataType::Float64 => page.extend(series.f64()?.iter().flatten().flat_map(f64::to_le_bytes)),
        DataType::String => {
            for text in series.str()?.iter().flatten() {
                page.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                page.extend(text.as_bytes());
            }
        }
        DataType::Boolean => packed(&mut page, series.bool()?.iter().flatten()),
        other => polars_bail!(ComputeError: "tables have no columns of type {other}"),
    }
    Ok(page)
}

/// Truths as bits, the first one lowest.
fn packed(bytes: &mut Vec<u8>, truths: impl Iterator<Item = bool>) {
    let (mut byte, mut filled) = (0_u8, 0_u32);
    for truth in truths {
        byte |= u8::from(truth) << filled;
        filled += 1;
        if filled == 8 {
            bytes.push(byte);
            (byte, filled) = (0, 0);
        }
    }
    if filled > 0 {
        bytes.push(byte);
    }
}

/// A length as Parquet has it. Tables written here are small.
fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// Thrift's compact protocol. A field is named by how much its number is above that of the field before it, which is 0
/// at the start of a structure.
#[derive(Debug, Default)]
struct Thrift {
    bytes: Vec<u8>,
}

impl Thrift {
    const TRUE: u8 = 1;
    const INT32: u8 = 5;
    const INT64: u8 = 6;
    const TEXT: u8 = 8;
    const LIST: u8 = 9;
    const STRUCT: u8 = 12;

    fn field(&mut self, above: u8, kind: u8) {
        self.bytes.push(above << 4 | kind);
    }

    fn varint(&mut self, number: u64) {
        hybrid::varint(number, &mut self.bytes);
    }

    fn zigzag(&mut self, number: i64) {
        self.varint((number << 1 ^ number >> 63).cast_unsigned());
    }

    fn int32(&mut self, above: u8, number: i64) {
        self.field(above, Self::INT32);
        self.zigzag(number);
    }

    fn int64(&mut self, above: u8, number: i64) {
        self.field(above, Self::INT64);
        self.zigzag(number);
    }

    fn bytes(&mut self, text: &str) {
        self.varint(text.len() as u64);
        self.bytes.extend(text.as_bytes());
    }

    fn text(&mut self, above: u8, text: &str) {
        self.field(above, Self::TEXT);
        self.bytes(text);
    }

    fn yes(&mut self, above: u8) {
        self.field(above, Self::TRUE);
    }

    /// Begins a list; its elements follow.
    fn list(&mut self, above: u8, kind: u8, elements: usize) {
        self.field(above, Self::LIST);
        match u8::try_from(elements) {
            Ok(few) if few < 15 => self.bytes.push(few << 4 | kind),
            _ => {
                self.bytes.push(0xf0 | kind);
                self.varint(elements as u64);
            }
        }
    }

    /// Begins a structure.
    fn open(&mut self, above: u8) {
        self.field(above, Self::STRUCT);
    }

    /// Ends a structure.
    fn stop(&mut self) {
        self.bytes.push(0);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars::prelude::*;
    use polars_io::SerReader;
    use polars_io::parquet::read::ParquetReader;

    use super::*;
    use crate::column_facts;

    /// Rows of all types; of each column every `nulls`th value is missing.
    fn rows(height: usize, nulls: usize) -> DataFrame {
        let some = |row: &usize| nulls == 0 || !row.is_multiple_of(nulls);
        let number = |row: usize| i64::try_from(row).unwrap() * 1_000_003 - 7;
        let numbers = || (0..height).map(|row| some(&row).then(|| number(row)));
        let zone = Some(TimeZone::UTC);
        let columns = vec![
            Int64Chunked::from_iter_options("a".into(), numbers()).into_column(),
            Int64Chunked::from_iter_options("when".into(), numbers())
                .into_datetime(TimeUnit::Microseconds, zone)
                .into_column(),
            Float64Chunked::from_iter_options(
                "f".into(),
                (0..height).map(|row| some(&row).then(|| number(row) as f64 / 3.0)),
            )
            .into_column(),
            StringChunked::from_iter_options(
                "text".into(),
                (0..height).map(|row| some(&row).then(|| format!("ä{row}"))),
            )
            .into_column(),
            BooleanChunked::from_iter_options(
                "truth".into(),
                (0..height).map(|row| some(&row).then_some(row % 3 == 0)),
            )
            .into_column(),
        ];
        DataFrame::new(height, columns).unwrap()
    }

    #[test]
    fn what_is_written_is_read_by_another_program_of_the_same() {
        for height in [0, 1, 7, 8, 9, 64, 1000] {
            for nulls in [0, 1, 2, 3] {
                let frame = rows(height, nulls);
                let form = Form::of(&frame, &column_facts::arrow_schema(&frame, |_| None)).unwrap();
                let file = form.file(&frame).unwrap();
                let read = ParquetReader::new(Cursor::new(file)).finish().unwrap();
                assert!(read.equals_missing(&frame), "{height} rows, {nulls}: {read} {frame}");
                assert_eq!(read.schema(), frame.schema());
            }
        }
    }

    #[test]
    fn numbers_are_written_as_thrift_has_them() {
        // From "Thrift Compact protocol encoding": 50399 is 0xdf 0x89 0x03; 0, -1, 1, -2 become 0, 1, 2, 3.
        let mut thrift = Thrift::default();
        thrift.varint(50399);
        [0, -1, 1, -2].into_iter().for_each(|number| thrift.zigzag(number));
        assert_eq!(thrift.bytes, [0xdf, 0x89, 0x03, 0, 1, 2, 3]);
    }

    #[test]
    fn other_rows_are_refused() {
        let frame = rows(2, 0);
        let form = Form::of(&frame, "").unwrap();
        let narrow = frame.select(["a"]).unwrap();
        assert!(form.file(&narrow).is_err());
    }
}
