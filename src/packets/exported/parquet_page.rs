//! Pages as Parquet has them, from levels and encoded values.

use polars_arrow::bitmap::Bitmap;
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::metadata::Descriptor;
use polars_parquet::parquet::page::{DataPage, DataPageHeader, DataPageHeaderV1, DictPage};
use polars_parquet::parquet::statistics::ParquetStatistics;
use polars_parquet::write::{Encoding, Page, ParquetType, to_parquet_leaves};

use super::hybrid;

/// Values in a dictionary, at most: their places have 12 bits.
pub const MOST: usize = 1 << 12;

/// Small numbers, and how many bits each has.
pub type Levels<'a> = (&'a [u8], u8);

/// A page of `rows` with these levels, first those of repetition if there are any, and values.
pub fn data(
    levels: &[Levels<'_>],
    (values, encoding): (&[u8], Encoding),
    statistics: ParquetStatistics,
    rows: usize,
    kind: &ParquetType,
) -> Option<Page> {
    let count = levels.last().map_or(0, |(levels, _)| levels.len());
    let mut bytes = Vec::with_capacity(values.len().saturating_add(count));
    for (levels, bits) in levels {
        hybrid::append_levels(levels, *bits, &mut bytes);
    }
    bytes.extend(values);
    let header = DataPageHeader::V1(DataPageHeaderV1 {
        num_values: i32::try_from(count).ok()?,
        encoding: encoding.into(),
        definition_level_encoding: Encoding::Rle.into(),
        repetition_level_encoding: Encoding::Rle.into(),
        statistics: Some(statistics),
    });
    let primitive_type = to_parquet_leaves(kind.clone()).pop()?;
    // As polars has them: these levels are for readers.
    let descriptor = Descriptor { primitive_type, max_def_level: 0, max_rep_level: 0 };
    Some(Page::Data(DataPage::new(header, CowBuffer::Owned(bytes), descriptor, rows)))
}

/// The pages of a column that is not of lists: its dictionary, and the places in it of the cells that are there.
pub fn with_dictionary(
    (dictionary, distinct): (Vec<u8>, usize),
    places: &[u16],
    (present, rows): (Option<&Bitmap>, usize),
    statistics: ParquetStatistics,
    kind: &ParquetType,
) -> Option<Vec<Page>> {
    let there: Vec<u8> = match present {
        Some(present) => present.iter().map(u8::from).collect(),
        None => vec![1; rows],
    };
    let values = (&indices(places, distinct)[..], Encoding::RleDictionary);
    let data = data(&[(&there, 1)], values, statistics, rows, kind)?;
    Some(vec![dictionary_page(dictionary, distinct), data])
}

/// A page with the encoded values of a dictionary.
pub fn dictionary_page(values: Vec<u8>, distinct: usize) -> Page {
    Page::Dict(DictPage::new(CowBuffer::Owned(values), distinct, false))
}

/// Places in a dictionary of so many values, behind how many bits each has.
pub fn indices(places: &[u16], distinct: usize) -> Vec<u8> {
    let last = distinct.saturating_sub(1);
    let bits = (1..=16).rev().find(|bit| last >> (bit - 1) > 0).unwrap_or(0);
    let mut encoded = Vec::with_capacity(places.len());
    encoded.push(bits);
    if bits > 8 {
        hybrid::append_wide(places, bits, &mut encoded);
    } else {
        let bytes: Vec<u8> = places.iter().map(|place| place.to_le_bytes()[0]).collect();
        hybrid::append(&bytes, bits, &mut encoded);
    }
    encoded
}

/// Whether a dictionary takes less than its values, each as often as it comes.
pub fn is_worth(distinct: usize, cells: usize) -> bool {
    distinct <= 256 || distinct <= cells / 2
}

/// The least and the greatest value, and how many cells have none.
pub fn statistics(least: &[u8], greatest: &[u8], null_count: usize) -> ParquetStatistics {
    ParquetStatistics {
        null_count: i64::try_from(null_count).ok(),
        distinct_count: None,
        min_value: Some(least.to_vec()),
        max_value: Some(greatest.to_vec()),
        max: None,
        min: None,
        is_max_value_exact: None,
        is_min_value_exact: None,
    }
}
