//! Pages of columns of small numbers of which few differ: a table tells the place of each in the dictionary.

use polars_arrow::array::{Array, PrimitiveArray};
use polars_arrow::types::NativeType;
use polars_parquet::write::{Page, ParquetType};

use super::parquet_page;

/// From the least number to the greatest one, at most.
const RANGE: usize = 1 << 16;

/// Where a number is not in the dictionary.
const ABSENT: u16 = u16::MAX;

/// The pages of a column; nothing where polars has to make them.
pub fn pages(column: &dyn Array, kind: &ParquetType) -> Option<Vec<Page>> {
    of_type::<u8>(column, kind).or_else(|| of_type::<u16>(column, kind)).or_else(|| of_type::<u32>(column, kind))
}

fn of_type<T: NativeType + Ord + Into<u32>>(column: &dyn Array, kind: &ParquetType) -> Option<Vec<Page>> {
    let column = column.as_any().downcast_ref::<PrimitiveArray<T>>()?;
    let present = column.validity().filter(|_| column.null_count() > 0);
    let mut places = Vec::with_capacity(column.len());
    let numbers = match present {
        None => dictionary(column.values().iter().copied(), &mut places)?,
        Some(_) => dictionary(column.non_null_values_iter(), &mut places)?,
    };
    // Parquet has signed numbers alone; the type of the column says that these are not.
    let bytes: Vec<[u8; 4]> = numbers.iter().map(|number| number.to_le_bytes()).collect();
    let (least, greatest) = (bytes.first()?, bytes.last()?);
    let statistics = parquet_page::statistics(least, greatest, column.null_count());
    let dictionary = (bytes.concat(), bytes.len());
    parquet_page::with_dictionary(dictionary, &places, (present, column.len()), statistics, kind)
}

/// The numbers that there are, in order, at most [`parquet_page::MOST`]; appends the place of each to `places`. Nothing if
/// there are none, or too many that differ.
pub fn dictionary<T: Copy + Ord + Into<u32>>(
    numbers: impl Iterator<Item = T> + Clone,
    places: &mut Vec<u16>,
) -> Option<Vec<u32>> {
    let least: u32 = numbers.clone().min()?.into();
    let greatest: u32 = numbers.clone().max()?.into();
    let range = usize::try_from(greatest.checked_sub(least)?).ok().filter(|range| *range < RANGE)?;
    let at = |number: T| usize::try_from(number.into().wrapping_sub(least)).unwrap_or(usize::MAX);
    let mut known = vec![ABSENT; range.saturating_add(1)];
    for number in numbers.clone() {
        if let Some(place) = known.get_mut(at(number)) {
            *place = 0;
        }
    }
    let mut found = Vec::new();
    for (number, place) in (least..=greatest).zip(&mut known).filter(|(_, place)| **place != ABSENT) {
        *place = u16::try_from(found.len()).ok()?;
        found.push(number);
        if found.len() > parquet_page::MOST {
            return None;
        }
    }
    places.extend(numbers.map(|number| known.get(at(number)).copied().unwrap_or(0)));
    parquet_page::is_worth(found.len(), places.len()).then_some(found)
}
