use std::io::Read as _;

use super::super::super::figure::{Axis, Figure, Panel, Unit};
use super::super::super::sample;
use super::super::super::style::{Colour, Style};
use super::super::{PictureFormat, Target, render};

/// Pixels of a PNG file, read by the letter of RFC 2083 for the one form that is written here.
pub(in super::super) fn decode(file: &[u8]) -> (u32, u32, u32, Vec<u8>) {
    assert_eq!(file[..8], *b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    let (mut at, mut packed, mut names, mut dots) = (8, Vec::new(), Vec::new(), 0);
    while at < file.len() {
        let length = number(at) as usize;
        let (name, content) = (&file[at + 4..at + 8], &file[at + 8..at + 8 + length]);
        assert_eq!(number(at + 8 + length), checksum(&file[at + 4..at + 8 + length]), "checksum of {name:?}");
        match name {
            b"IHDR" => assert_eq!(content[8..], [8, 2, 0, 0, 0]),
            b"pHYs" => dots = number(at + 8),
            b"IDAT" => packed.extend(content),
            _ => {}
        }
        names.push(String::from_utf8(name.to_vec()).unwrap());
        at += 12 + length;
    }
    assert_eq!(names, ["IHDR", "pHYs", "IDAT", "IEND"]);
    let (width, height) = (number(16), number(20));
    let mut rows = Vec::new();
    flate2::read::ZlibDecoder::new(&packed[..]).read_to_end(&mut rows).unwrap();
    let row = 3 * width as usize + 1;
    assert_eq!(rows.len(), row * height as usize);
    let pixels = rows.chunks(row).flat_map(|row| {
        assert_eq!(row[0], 0, "unfiltered");
        &row[1..]
    });
    (width, height, dots, pixels.copied().collect())
}

/// CRC-32 bit by bit, as RFC 2083 defines it.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    };
    !bytes.iter().fold(u32::MAX, step)
}

fn drawn(figure: &Figure, target: &Target) -> (u32, u32, Vec<u8>) {
    let (width, height, _, pixels) = decode(&render(figure, target).unwrap());
    (width, height, pixels)
}

/// Pixels that are not the background, within columns and rows.
fn inked(
    pixels: &[u8],
    width: u32,
    background: Colour,
    columns: std::ops::Range<u32>,
    rows: std::ops::Range<u32>,
) -> usize {
    let paper = [background.red, background.green, background.blue];
    let at = |x: u32, y: u32| ((y * width + x) * 3) as usize;
    rows.flat_map(|y| columns.clone().map(move |x| at(x, y))).filter(|at| pixels[*at..at + 3] != paper).count()
}

#[test]
fn a_picture_has_its_size_its_density_and_ink() {
    for name in Style::NAMES {
        let style = Style::find(name).unwrap();
        let paper = style.background;
        let target = Target { style, ..Target::new(PictureFormat::Png).sized(640, 400) };
        let (width, height, dots, pixels) = decode(&render(&sample::time_sequence(), &target).unwrap());
        // 96 dots an inch are 3780 a metre.
        assert_eq!((width, height, dots), (640, 400, 3780));
        let everywhere = inked(&pixels, 640, paper, 0..640, 0..400);
        assert!(everywhere > 640 * 400 / 50 && everywhere < 640 * 400 / 2, "{name}: {everywhere}");
        assert_eq!(inked(&pixels, 640, paper, 0..640, 0..4), 0, "{name}: nothing at the upper edge");
    }
}

#[test]
fn the_title_is_written_in_the_font_of_the_program() {
    let panel = || Panel::new(Axis::new("", Unit::Plain), Axis::new("", Unit::Plain));
    let target = Target::new(PictureFormat::Png).sized(320, 200);
    let (_, _, with) = drawn(&Figure::new("MMMMMMMMMM").with_panel(panel()), &target);
    let (_, _, thin) = drawn(&Figure::new("iiiiiiiiii").with_panel(panel()), &target);
    let white = Colour { red: 255, green: 255, blue: 255 };
    // The title stands at (9.6, 9.6) in 15 pixels, less what a small picture takes off; ten "M" of DejaVu Sans are ten
    // times 1767/2048 as wide as high.
    let ink = |pixels: &[u8], columns| inked(pixels, 320, white, columns, 6..24);
    assert!(ink(&with, 8..110) > 300, "{}", ink(&with, 8..110));
    assert_eq!(ink(&with, 125..320), 0);
    assert!(ink(&thin, 8..45) > 50);
    assert_eq!(ink(&thin, 50..320), 0);
}

#[test]
fn more_dots_an_inch_make_more_pixels_of_the_same_picture() {
    let target = Target::new(PictureFormat::Png).sized(320, 200);
    let twice = Target { dpi: 192.0, ..target.clone() };
    let (width, height, small) = drawn(&sample::small(), &target);
    assert_eq!((width, height), (320, 200));
    let (width, height, large) = drawn(&sample::small(), &twice);
    assert_eq!((width, height), (640, 400));
    let white = Colour { red: 255, green: 255, blue: 255 };
    let (small, large) = (inked(&small, 320, white, 0..320, 0..200), inked(&large, 640, white, 0..640, 0..400));
    // The same picture in four times as many pixels; edges make up the rest.
    assert!(large > 2 * small && large < 5 * small, "{small} and {large}");
    // 300 dots per inch of 900 x 600 pixels at 96.
    let print = Target { dpi: 300.0, ..Target::new(PictureFormat::Png) };
    let (width, height, _) = drawn(&sample::small(), &print);
    assert_eq!((width, height), (2812, 1875));
    assert!(render(&sample::small(), &Target { dpi: f64::NAN, ..target }).is_err());
}
