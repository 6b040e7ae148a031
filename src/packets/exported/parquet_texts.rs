//! Pages of columns of texts of which few differ, as addresses and roles. polars estimates first how many differ, and finds
//! each text by its hash; here it is mostly one of the two before.

use std::collections::HashMap;

use polars_arrow::array::{Array, Utf8ViewArray};
use polars_parquet::write::{Page, ParquetType};

use super::parquet_page;

/// Of longer texts, statistics have a part that polars chooses.
const LONGEST: usize = 32;

/// The pages of a column; nothing where polars has to make them.
pub fn pages(column: &dyn Array, kind: &ParquetType) -> Option<Vec<Page>> {
    let column = column.as_any().downcast_ref::<Utf8ViewArray>()?;
    let present = column.validity().filter(|_| column.null_count() > 0);
    let mut texts = Texts::default();
    let mut places = Vec::with_capacity(column.len());
    for (row, view) in column.views().iter().enumerate() {
        if present.is_none() || column.is_valid(row) {
            places.push(texts.place(view.as_u128(), || column.value(row))?);
        }
    }
    if !parquet_page::is_worth(texts.all.len(), places.len()) {
        return None;
    }
    let mut dictionary = Vec::new();
    for text in &texts.all {
        dictionary.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
        dictionary.extend_from_slice(text.as_bytes());
    }
    let (least, greatest) = (texts.all.iter().min()?, texts.all.iter().max()?);
    let statistics = parquet_page::statistics(least.as_bytes(), greatest.as_bytes(), column.null_count());
    parquet_page::with_dictionary((dictionary, texts.all.len()), &places, (present, column.len()), statistics, kind)
}

#[derive(Default)]
struct Texts<'a> {
    all: Vec<&'a str>,
    known: HashMap<&'a str, u16>,
    /// The last two that differ, by what stands for them in the column.
    last: [(u128, Option<u16>); 2],
}

impl<'a> Texts<'a> {
    /// Where this text is; nothing if there are too many, or it is too long.
    #[inline]
    fn place(&mut self, view: u128, text: impl Fn() -> &'a str) -> Option<u16> {
        let [(last, place), (before, place_before)] = self.last;
        if last == view && place.is_some() {
            return place;
        }
        if before == view && place_before.is_some() {
            self.last.swap(0, 1);
            return place_before;
        }
        let text = text();
        let place = match self.known.get(text) {
            Some(place) => *place,
            None => {
                let few = self.all.len() < parquet_page::MOST && text.len() <= LONGEST;
                let place = u16::try_from(self.all.len()).ok().filter(|_| few)?;
                self.known.insert(text, place);
                self.all.push(text);
                place
            }
        };
        self.last.swap(0, 1);
        self.last[0] = (view, Some(place));
        Some(place)
    }
}
