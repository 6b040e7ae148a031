//! Rows as Parquet: a row group for each part.

use std::io::Write;
use std::sync::{Arc, OnceLock, PoisonError};

use polars::prelude::{
    ArrowDataType, ArrowField, Column, CompatLevel, DataFrame, PolarsError, PolarsResult, Schema, SchemaExt,
    polars_bail,
};
use polars_arrow::array::Array;
use polars_io::parquet::write::{BatchedWriter, ParquetWriter, StatisticsOptions, get_encodings};
use polars_parquet::write::fallible_streaming_iterator::convert;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, Encoding as Codec, Page, ParquetType, Version,
    WriteOptions, ZstdLevel, array_to_columns, compress, to_parquet_schema,
};

use super::write::Encoding;
use super::{parquet_lists, parquet_numbers, parquet_texts};
use crate::column_facts;
use crate::packets::schema;

/// Rows of a group.
pub const ROWS: usize = 1 << 16;

/// Numbers of 16 or 64 bits that mostly grow by little from row to row, as times do: differences are smaller than
/// anything else, and made fastest. Not of 32 bits: polars counts them as signed, so that differences have up to 33 bits,
/// which other readers refuse.
const GROWING: &[&str] = &["packetid", "ipid", "dsn", "dsnraw64", "related_mapping"];

/// Numbers of which few come back soon: a dictionary takes longer than all else, and most often makes the file larger.
const VARIED: &[&str] = &[
    "tcpseq_raw",
    "tcpack_raw",
    "rwnd_raw",
    "tcptsval",
    "tcptsecr",
    "dss_rawack",
    "dss_dsn",
    "dss_ssn",
    "tcpseq",
    "tcpack",
    "rwnd",
    "dack",
];

/// Times to the nanosecond. Compressed, they are a tenth smaller, and take a tenth of the time of all compression.
const INCOMPRESSIBLE: &[&str] = &["abstime", "reltime"];

/// How hard to compress: the next levels save some 3 % and take longer.
const LEVEL: i32 = 1;

/// The columns of a table in Parquet.
pub struct Parquet {
    kinds: Vec<ParquetType>,
    codecs: Vec<Vec<Codec>>,
    options: WriteOptions,
    /// Of each column its pages without any value, for [`ROWS`] rows: most columns are about options that few packets
    /// have.
    empty: Vec<OnceLock<Pages>>,
}

/// The pages of a column; a list of numbers, too, is one column.
type Pages = Arc<Vec<CompressedPage>>;

/// A row group.
pub struct Group {
    rows: u64,
    pages: Vec<Pages>,
}

impl Parquet {
    /// Of columns with these types.
    ///
    /// # Errors
    /// When Parquet has no such types.
    pub fn of(columns: &Schema) -> PolarsResult<Self> {
        let columns = columns.to_arrow(CompatLevel::newest());
        let usual = get_encodings(&columns).to_vec();
        let codecs = columns.iter_values().zip(usual).map(|(column, usual)| codecs(column, usual)).collect();
        Ok(Parquet {
            kinds: to_parquet_schema(&columns)?.fields().to_vec(),
            codecs,
            empty: columns.iter().map(|_| OnceLock::new()).collect(),
            // As polars itself has them, but for the level.
            options: WriteOptions {
                statistics: StatisticsOptions::default(),
                compression: CompressionOptions::Zstd(Some(ZstdLevel::try_new(LEVEL)?)),
                version: Version::V1,
                data_page_size: None,
            },
        })
    }
}

/// How a column is encoded: as polars does `usual`ly, where nothing else is known to be better.
fn codecs(column: &ArrowField, usual: Vec<Codec>) -> Vec<Codec> {
    let name = column.name.as_str();
    match column.dtype() {
        ArrowDataType::Timestamp(..) | ArrowDataType::Duration(_) => vec![Codec::DeltaBinaryPacked],
        ArrowDataType::UInt16 | ArrowDataType::UInt64 if GROWING.contains(&name) => {
            vec![Codec::DeltaBinaryPacked]
        }
        ArrowDataType::UInt16 | ArrowDataType::UInt32 | ArrowDataType::UInt64 if VARIED.contains(&name) => {
            vec![Codec::Plain]
        }
        _ => usual,
    }
}

impl Parquet {
    /// Of a column with rows of one group.
    fn pages(&self, index: usize, column: Column) -> PolarsResult<Pages> {
        let empty = self.empty.get(index).filter(|_| column.len() == ROWS && column.is_full_null());
        if let Some(known) = empty.and_then(OnceLock::get) {
            return Ok(Arc::clone(known));
        }
        let (Some(kind), Some(codecs)) = (self.kinds.get(index), self.codecs.get(index)) else {
            polars_bail!(ComputeError: "more columns than the table has");
        };
        let compression = match INCOMPRESSIBLE.contains(&column.name().as_str()) {
            true => CompressionOptions::Uncompressed,
            false => self.options.compression,
        };
        let compressed = |page: PolarsResult<_>| Ok(compress(page?, Vec::new(), compression)?);
        let array = column.take_materialized_series().rechunk().to_arrow(0, CompatLevel::newest());
        let pages: PolarsResult<Vec<_>> = match own_pages(array.as_ref(), kind, codecs) {
            Some(pages) => pages.into_iter().map(Ok).map(compressed).collect(),
            None => {
                let columns = array_to_columns(&array, kind.clone(), self.options, codecs)?;
                columns.into_iter().flatten().map(compressed).collect()
            }
        };
        let pages = pages?;
        Ok(match empty {
            Some(empty) => Arc::clone(empty.get_or_init(|| Arc::new(pages))),
            None => Arc::new(pages),
        })
    }
}

/// Pages that are made here because polars takes longer: of lists, and where few values differ.
fn own_pages(array: &dyn Array, kind: &ParquetType, codecs: &[Codec]) -> Option<Vec<Page>> {
    if matches!(codecs, [Codec::RleDictionary]) {
        let pages = parquet_numbers::pages(array, kind).or_else(|| parquet_texts::pages(array, kind));
        return pages.or_else(|| parquet_lists::pages(array, kind));
    }
    parquet_lists::pages(array, kind)
}

/// Pages one after the other.
fn in_turn(pages: &Pages) -> PolarsResult<DynStreamingIterator<'_, CompressedPage, PolarsError>> {
    Ok(DynStreamingIterator::new(convert(pages.iter().map(PolarsResult::Ok))))
}

impl Encoding for Parquet {
    const ROWS: usize = ROWS;
    type Part = Group;
    type Writer<W: Write + Send> = BatchedWriter<W>;

    fn begin<W: Write + Send>(&self, columns: &DataFrame, output: W) -> PolarsResult<BatchedWriter<W>> {
        let facts = column_facts::of(columns, schema::unit);
        ParquetWriter::new(output).with_key_value_metadata(Some(facts)).batched(columns.schema())
    }

    /// polars' own writer encodes pages only when they are written, which is one after the other.
    fn encode(&self, rows: DataFrame) -> PolarsResult<Group> {
        let height = rows.height();
        let columns = rows.into_columns().into_iter().enumerate();
        let pages = columns.map(|(index, column)| self.pages(index, column)).collect::<PolarsResult<_>>()?;
        Ok(Group { rows: height as u64, pages })
    }

    fn write<W: Write + Send>(&self, group: Group, writer: &mut BatchedWriter<W>) -> PolarsResult<()> {
        let mut writer = writer.get_writer().lock().unwrap_or_else(PoisonError::into_inner);
        writer.write(group.rows, DynIter::new(group.pages.iter().map(in_turn)))
    }

    fn end<W: Write + Send>(&self, writer: BatchedWriter<W>) -> PolarsResult<()> {
        writer.finish().map(drop)
    }
}
