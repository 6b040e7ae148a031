//! Sixel: bands of six rows, each drawn once for every colour in it. The palette is fixed: six shades each of red, green
//! and blue, and greys between them.

use std::fmt::Write as _;

use super::super::super::backend::bitmap::Bitmap;

/// Shades of each of red, green and blue.
const SHADES: u8 = 6;
/// Greys between black and white.
const GREYS: u8 = 24;
/// Rows of pixels in a band.
const BAND: usize = 6;
/// Colours in all.
const COLOURS: usize = (SHADES as usize).pow(3) + GREYS as usize;

/// A picture in sixel.
#[must_use]
pub fn sixel(bitmap: &Bitmap) -> String {
    // Pixels that no colour touches stay as they are; every pixel is touched.
    let mut sequence = format!("\x1bP0;1;0q\"1;1;{};{}", bitmap.width, bitmap.height);
    for (index, [red, green, blue]) in palette().enumerate() {
        // In per cent.
        let _ = write!(sequence, "#{index};2;{red};{green};{blue}");
    }
    let width = bitmap.width as usize;
    let row = width.saturating_mul(3).max(1);
    let rows: Vec<&[u8]> = bitmap.pixels.chunks_exact(row).collect();
    let mut masks = vec![Vec::new(); COLOURS];
    for band in rows.chunks(BAND) {
        fill(band, width, &mut masks);
        let mut first = true;
        for (colour, columns) in masks.iter_mut().enumerate().filter(|(_, columns)| !columns.is_empty()) {
            // Back to the start of the band for each colour but the first.
            let start = if first { "" } else { "$" };
            let _ = write!(sequence, "{start}#{colour}");
            first = false;
            write_columns(columns, &mut sequence);
            columns.clear();
        }
        sequence.push('-');
    }
    sequence.push_str("\x1b\\\n");
    sequence
}

/// For each colour of a band, the six pixels of each column as bits, the uppermost the lowest.
fn fill(band: &[&[u8]], width: usize, masks: &mut [Vec<u8>]) {
    for (row, pixels) in band.iter().enumerate() {
        for (column, pixel) in pixels.chunks_exact(3).enumerate() {
            let [red, green, blue] = *pixel else { continue };
            let Some(columns) = masks.get_mut(nearest(red, green, blue)) else { continue };
            if columns.is_empty() {
                columns.resize(width, 0);
            }
            if let Some(bits) = columns.get_mut(column) {
                *bits |= 1 << row;
            }
        }
    }
}

/// Columns as characters, runs of equal ones as `!COUNT`.
fn write_columns(columns: &[u8], sequence: &mut String) {
    let used = columns.iter().rposition(|bits| *bits != 0).map_or(0, |last| last.saturating_add(1));
    let used = columns.get(..used).unwrap_or_default();
    for run in used.chunk_by(|one, other| one == other) {
        let Some(bits) = run.first() else { continue };
        // Six bits from '?': always a printable character.
        let character = char::from(b'?'.saturating_add(*bits));
        if run.len() > 3 {
            let _ = write!(sequence, "!{}{character}", run.len());
        } else {
            run.iter().for_each(|_| sequence.push(character));
        }
    }
}

/// The palette in per cent.
fn palette() -> impl Iterator<Item = [u8; 3]> {
    let shade = |index: u8| index * 20;
    let cube = (0..SHADES).flat_map(move |red| {
        (0..SHADES).flat_map(move |green| (0..SHADES).map(move |blue| [shade(red), shade(green), shade(blue)]))
    });
    cube.chain((0..GREYS).map(|grey| [grey_level(grey); 3]))
}

/// Greys evenly between black and white, both left out: they are in the cube.
fn grey_level(grey: u8) -> u8 {
    // At most 96.
    (u16::from(grey).saturating_add(1).saturating_mul(4)).min(100) as u8
}

/// The colour of the palette that is nearest to a pixel.
fn nearest(red: u8, green: u8, blue: u8) -> usize {
    let shade = |value: u8| usize::from((u16::from(value).saturating_add(25)) / 51);
    let (least, most) = (red.min(green).min(blue), red.max(green).max(blue));
    let shades = usize::from(SHADES);
    let cube = (shade(red) * shades + shade(green)) * shades + shade(blue);
    // What has almost no colour is better served by the greys, unless it is one of the cube's own.
    let level = (u32::from(red) + u32::from(green) + u32::from(blue)) * 100 / 765;
    if most - least > 12 || level % 20 == 0 {
        return cube;
    }
    let grey = (level.saturating_add(2) / 4).clamp(1, u32::from(GREYS)).saturating_sub(1);
    shades.pow(3).saturating_add(grey as usize)
}
