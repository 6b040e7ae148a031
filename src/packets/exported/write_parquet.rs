//! Rows as Parquet: a row group for each part.

use std::io::Write;
use std::sync::{Arc, OnceLock, PoisonError};

use polars::prelude::{ArrayRef, CompatLevel, DataFrame, PolarsError, PolarsResult, Schema, SchemaExt, polars_bail};
use polars_io::parquet::write::{BatchedWriter, ParquetCompression, ParquetWriter, StatisticsOptions, get_encodings};
use polars_parquet::write::fallible_streaming_iterator::convert;
use polars_parquet::write::{
    CompressedPage, DynIter, DynStreamingIterator, Encoding as Codec, ParquetType, Version, WriteOptions,
    array_to_columns, compress, to_parquet_schema,
};

use super::write::Encoding;
use crate::column_facts;
use crate::packets::schema;

/// Rows of a group.
pub const ROWS: usize = 1 << 17;

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
        Ok(Parquet {
            kinds: to_parquet_schema(&columns)?.fields().to_vec(),
            codecs: get_encodings(&columns).to_vec(),
            empty: columns.iter().map(|_| OnceLock::new()).collect(),
            // As polars itself has them.
            options: WriteOptions {
                statistics: StatisticsOptions::default(),
                compression: ParquetCompression::default().into(),
                version: Version::V1,
                data_page_size: None,
            },
        })
    }
}

impl Parquet {
    fn pages(&self, index: usize, array: &ArrayRef) -> PolarsResult<Pages> {
        let empty = self.empty.get(index).filter(|_| array.len() == ROWS && array.null_count() == ROWS);
        if let Some(known) = empty.and_then(OnceLock::get) {
            return Ok(Arc::clone(known));
        }
        let (Some(kind), Some(codecs)) = (self.kinds.get(index), self.codecs.get(index)) else {
            polars_bail!(ComputeError: "more columns than the table has");
        };
        let compressed = |page: PolarsResult<_>| Ok(compress(page?, Vec::new(), self.options.compression)?);
        let columns = array_to_columns(array, kind.clone(), self.options, codecs)?;
        let pages = columns.into_iter().flatten().map(compressed).collect::<PolarsResult<Vec<_>>>()?;
        Ok(match empty {
            Some(empty) => Arc::clone(empty.get_or_init(|| Arc::new(pages))),
            None => Arc::new(pages),
        })
    }
}

/// Pages one after the other.
fn in_turn(pages: &Pages) -> PolarsResult<DynStreamingIterator<'_, CompressedPage, PolarsError>> {
    Ok(DynStreamingIterator::new(convert(pages.iter().map(PolarsResult::Ok))))
}

impl Encoding for Parquet {
    const ROWS: usize = ROWS;
    type Part = Vec<Group>;
    type Writer<W: Write + Send> = BatchedWriter<W>;

    fn begin<W: Write + Send>(&self, columns: &DataFrame, output: W) -> PolarsResult<BatchedWriter<W>> {
        let unit = |name: &str| schema::find(name).map(|spec| spec.unit).filter(|unit| !unit.is_empty());
        let facts = column_facts::of(columns, unit);
        ParquetWriter::new(output).with_key_value_metadata(Some(facts)).batched(columns.schema())
    }

    /// polars' own writer encodes pages only when they are written, which is one after the other.
    fn encode(&self, mut rows: DataFrame) -> PolarsResult<Vec<Group>> {
        rows.align_chunks();
        let mut groups = Vec::new();
        for chunk in rows.iter_chunks(CompatLevel::newest(), false) {
            let columns = chunk.columns().iter().enumerate();
            let pages = columns.map(|(index, array)| self.pages(index, array)).collect::<PolarsResult<_>>()?;
            groups.push(Group { rows: chunk.len() as u64, pages });
        }
        Ok(groups)
    }

    fn write<W: Write + Send>(&self, part: Vec<Group>, writer: &mut BatchedWriter<W>) -> PolarsResult<()> {
        let mut writer = writer.get_writer().lock().unwrap_or_else(PoisonError::into_inner);
        for group in part {
            writer.write(group.rows, DynIter::new(group.pages.iter().map(in_turn)))?;
        }
        Ok(())
    }

    fn end<W: Write + Send>(&self, writer: BatchedWriter<W>) -> PolarsResult<()> {
        writer.finish().map(drop)
    }
}
