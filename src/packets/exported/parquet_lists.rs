//! Pages of columns of lists of numbers.
//!
//! polars asks for the place of each item in its list five times, one item after the other; that took longer than all
//! else in a row group. Here one walk over the lists tells all. Numbers of 8 bits have a dictionary, which polars gives to
//! no list.

use std::ops::Range;

use polars_arrow::array::{Array, ListArray, PrimitiveArray};
use polars_arrow::types::NativeType;
use polars_parquet::parquet::statistics::ParquetStatistics;
use polars_parquet::write::{Encoding, Page, ParquetType};

use super::parquet_numbers::dictionary;
use super::parquet_page;

/// Definition levels: how much of an item is there.
const NO_LIST: u8 = 0;
const NO_ITEM: u8 = 1;
const ITEM: u8 = 3;

/// Lists and their items that one page has at most; polars divides more of them.
const MOST: usize = 1 << 22;

/// The pages of a column; nothing where polars has to make them.
pub fn pages(column: &dyn Array, kind: &ParquetType) -> Option<Vec<Page>> {
    let lists = column.as_any().downcast_ref::<ListArray<i64>>()?;
    let page = Lists::of(lists)?;
    if let Some(items) = page.items::<u8>(lists) {
        let mut places = Vec::with_capacity(items.len());
        let numbers = dictionary(items.iter().copied(), &mut places)?;
        let values_of_all = plain(&numbers, u32::to_le_bytes);
        let values = (&parquet_page::indices(&places, numbers.len())[..], Encoding::RleDictionary);
        let data = page.data(values, statistics(&numbers, u32::to_le_bytes)?, kind)?;
        return Some(vec![parquet_page::dictionary_page(values_of_all, numbers.len()), data]);
    }
    // Parquet has signed numbers alone; the type of the column says that these are not.
    let (values, statistics) = if let Some(items) = page.items::<u32>(lists) {
        (plain(items, u32::to_le_bytes), statistics(items, u32::to_le_bytes)?)
    } else {
        let items = page.items::<u64>(lists)?;
        (plain(items, u64::to_le_bytes), statistics(items, u64::to_le_bytes)?)
    };
    Some(vec![page.data((&values, Encoding::Plain), statistics, kind)?])
}

/// The lists of a page.
struct Lists {
    rows: usize,
    /// Where their items are among those of the column.
    items: Range<usize>,
    /// For each item, or list without one: 0 where a list begins.
    repetition: Vec<u8>,
    /// For each of them what is there.
    definition: Vec<u8>,
}

impl Lists {
    fn of(lists: &ListArray<i64>) -> Option<Self> {
        let offsets = lists.offsets();
        let place = |offset: i64| usize::try_from(offset).ok();
        let items = place(*offsets.first())?..place(*offsets.last())?;
        let most = lists.len().checked_add(items.len())?;
        if most > MOST || lists.values().null_count() > 0 {
            return None;
        }
        let (mut repetition, mut definition) = (Vec::with_capacity(most), Vec::with_capacity(most));
        let mut present = lists.validity().map(|present| present.iter());
        for count in offsets.lengths() {
            let there = present.as_mut().is_none_or(|present| present.next().unwrap_or(false));
            repetition.push(0);
            match (there, count) {
                (true, 1..) => {
                    repetition.resize(repetition.len().saturating_add(count - 1), 1);
                    definition.resize(definition.len().saturating_add(count), ITEM);
                }
                (true, 0) => definition.push(NO_ITEM),
                (false, 0) => definition.push(NO_LIST),
                // Its items would have to be left out.
                (false, 1..) => return None,
            }
        }
        Some(Lists { rows: lists.len(), items, repetition, definition })
    }

    /// The items, if they are of this type and there are some.
    fn items<'a, T: NativeType>(&self, lists: &'a ListArray<i64>) -> Option<&'a [T]> {
        let items = lists.values().as_any().downcast_ref::<PrimitiveArray<T>>()?;
        items.values().get(self.items.clone()).filter(|items| !items.is_empty())
    }

    fn data(&self, values: (&[u8], Encoding), statistics: ParquetStatistics, kind: &ParquetType) -> Option<Page> {
        let levels = [(&self.repetition[..], 1), (&self.definition, 2)];
        parquet_page::data(&levels, values, statistics, self.rows, kind)
    }
}

fn plain<T: Copy, const BYTES: usize>(numbers: &[T], bytes: impl Fn(T) -> [u8; BYTES]) -> Vec<u8> {
    numbers.iter().flat_map(|number| bytes(*number)).collect()
}

fn statistics<T: Copy + Ord, const BYTES: usize>(
    numbers: &[T],
    bytes: impl Fn(T) -> [u8; BYTES],
) -> Option<ParquetStatistics> {
    Some(parquet_page::statistics(&bytes(*numbers.iter().min()?), &bytes(*numbers.iter().max()?), 0))
}
