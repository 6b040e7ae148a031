//! PNG files (RFC 2083): eight bits a channel, no palette, no transparency.

use std::io::Write as _;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use super::super::backend::bitmap::Bitmap;

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];
/// Millimetres to an inch, times a thousand, over metres: dots a metre from dots an inch.
const INCH_IN_METRES: f64 = 0.0254;

/// Encodes pixels; `dpi` is noted in the file, so that programs that print it know its size.
///
/// # Errors
/// When the compressor fails, which it has no reason to in memory.
pub fn encode(bitmap: &Bitmap, dpi: f64) -> std::io::Result<Vec<u8>> {
    let mut file = SIGNATURE.to_vec();
    let mut head = Vec::with_capacity(13);
    head.extend(bitmap.width.to_be_bytes());
    head.extend(bitmap.height.to_be_bytes());
    // Eight bits, red-green-blue, deflate, the one set of filters, not interlaced.
    head.extend([8, 2, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &head);
    // `as` saturates.
    let dots = (dpi / INCH_IN_METRES).round() as u32;
    let mut density = Vec::with_capacity(9);
    density.extend(dots.to_be_bytes());
    density.extend(dots.to_be_bytes());
    density.push(1);
    chunk(&mut file, *b"pHYs", &density);
    chunk(&mut file, *b"IDAT", &compressed(bitmap)?);
    chunk(&mut file, *b"IEND", &[]);
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], content: &[u8]) {
    // A chunk has at most 2^31 bytes; the largest picture stays far below.
    file.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
    file.extend(name);
    file.extend(content);
    let mut sum = Crc::new();
    sum.update(&name);
    sum.update(content);
    file.extend(sum.sum().to_be_bytes());
}

fn compressed(bitmap: &Bitmap) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    let row = (bitmap.width as usize).saturating_mul(3).max(1);
    for pixels in bitmap.pixels.chunks_exact(row) {
        // Unfiltered: in lines and letters on one background the compressor finds more than a filter leaves it.
        encoder.write_all(&[0])?;
        encoder.write_all(pixels)?;
    }
    encoder.finish()
}

#[cfg(test)]
pub(super) mod tests;
