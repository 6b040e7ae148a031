//! Columns of numbers, of which many have no null, and many nothing else.

use polars::prelude::*;
use polars_arrow::bitmap::MutableBitmap;

/// A column of these values, as many as `room`.
pub fn numbers<T: PolarsNumericType>(
    name: PlSmallStr,
    room: usize,
    values: impl Iterator<Item = Option<T::Native>>,
) -> ChunkedArray<T> {
    let mut cells: Vec<T::Native> = Vec::with_capacity(room);
    // Only from the first null on.
    let mut present: Option<MutableBitmap> = None;
    for value in values {
        match &mut present {
            Some(present) => present.push(value.is_some()),
            None if value.is_some() => {}
            None => {
                let mut begun = MutableBitmap::with_capacity(room);
                begun.extend_constant(cells.len(), true);
                begun.push(false);
                present = Some(begun);
            }
        }
        cells.push(value.unwrap_or_default());
    }
    ChunkedArray::from_vec_validity(name, cells, present.map(MutableBitmap::freeze))
}

/// A column of `height` cells that are null but for these, each with its row.
pub fn few_numbers<T: PolarsNumericType>(
    name: PlSmallStr,
    height: usize,
    values: impl Iterator<Item = (usize, T::Native)>,
) -> ChunkedArray<T> {
    let mut cells: Vec<T::Native> = vec![T::Native::default(); height];
    let mut present = MutableBitmap::from_len_zeroed(height);
    for (row, value) in values {
        if let Some(cell) = cells.get_mut(row) {
            *cell = value;
            present.set(row, true);
        }
    }
    ChunkedArray::from_vec_validity(name, cells, Some(present.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_stay_where_they_are() {
        let cells = [Some(1_u32), Some(2), None, Some(4), None];
        let dense = numbers::<UInt32Type>("x".into(), 5, cells.into_iter());
        assert_eq!(dense.iter().collect::<Vec<_>>(), cells);
        assert_eq!(dense.null_count(), 2);
        let few = few_numbers::<UInt32Type>("x".into(), 5, [(0, 1), (1, 2), (3, 4), (9, 9)].into_iter());
        assert_eq!(few.iter().collect::<Vec<_>>(), cells);
        assert_eq!(numbers::<UInt8Type>("x".into(), 2, [Some(1), Some(2)].into_iter()).null_count(), 0);
        assert_eq!(few_numbers::<UInt8Type>("x".into(), 2, std::iter::empty()).null_count(), 2);
    }
}
