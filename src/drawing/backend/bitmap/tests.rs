use super::super::super::style::{Colour, Symbol};
use super::super::super::text::{Anchor, Text};
use super::*;

const BLACK: Colour = Colour { red: 0, green: 0, blue: 0 };
const WHITE: Colour = Colour { red: 255, green: 255, blue: 255 };

fn drawn(width: u32, height: u32, draw: impl FnOnce(&mut Raster)) -> Bitmap {
    let mut raster = Raster::new((width, height), WHITE);
    draw(&mut raster);
    raster.bitmap()
}

fn greys(bitmap: &Bitmap, y: u32) -> Vec<u8> {
    (0..bitmap.width).map(|x| bitmap.pixel(x, y).unwrap().red).collect()
}

/// Amount of black, in pixels.
fn ink(bitmap: &Bitmap) -> f64 {
    bitmap.pixels.chunks(3).map(|pixel| 1.0 - f64::from(pixel[0]) / 255.0).sum()
}

#[test]
fn a_line_covers_the_pixels_that_it_lies_on() {
    let line = |y: f64| drawn(8, 4, |raster| raster.lines(&[vec![(2.0, y), (6.0, y)]], &Stroke::solid(BLACK, 1.0)));
    let sharp = line(1.5);
    assert_eq!(greys(&sharp, 1), [255, 255, 0, 0, 0, 0, 255, 255]);
    assert_eq!((greys(&sharp, 0), greys(&sharp, 2)), (vec![255; 8], vec![255; 8]));
    // Between two rows each has half of it.
    let between = line(2.0);
    assert_eq!((greys(&between, 1)[3], greys(&between, 2)[3]), (128, 128));
}

#[test]
fn what_reaches_beyond_the_edge_is_cut_and_does_not_come_out_on_the_other_side() {
    let paths = vec![vec![(-50.0, 2.5), (50.0, 2.5)], vec![(3.5, -50.0), (3.5, 50.0)]];
    let bitmap = drawn(8, 6, |raster| raster.lines(&paths, &Stroke::solid(BLACK, 1.0)));
    assert_eq!(greys(&bitmap, 2), [0; 8]);
    assert_eq!(greys(&bitmap, 5), [255, 255, 255, 0, 255, 255, 255, 255]);
    let outside = [vec![(20.0, 1.0), (30.0, 1.0), (30.0, 3.0)]];
    assert_eq!(ink(&drawn(8, 6, |raster| raster.areas(&outside, BLACK, 1.0))), 0.0);
}

#[test]
fn overlapping_marks_of_one_series_do_not_cancel_each_other() {
    let places = vec![(10.0, 10.0), (11.0, 10.0), (11.0, 10.0)];
    for symbol in [Symbol::Circle, Symbol::Square, Symbol::Diamond, Symbol::Triangle, Symbol::TriangleDown] {
        let bitmap = drawn(20, 20, |raster| raster.marks(symbol, 8.0, &places, BLACK));
        assert_eq!(bitmap.pixel(10, 10), Some(BLACK), "{symbol:?}");
        assert!(ink(&bitmap) > 25.0 && ink(&bitmap) < 90.0, "{symbol:?}");
    }
}

#[test]
fn marks_have_the_area_of_their_shape() {
    let area = |symbol| ink(&drawn(40, 40, |raster| raster.marks(symbol, 20.0, &[(20.0, 20.0)], BLACK)));
    // A circle of diameter 20: 314; twenty corners leave a little out. A square with sides of 17.6: 310.
    assert!((area(Symbol::Circle) - 309.0).abs() < 3.0, "{}", area(Symbol::Circle));
    assert!((area(Symbol::Square) - 309.8).abs() < 2.0, "{}", area(Symbol::Square));
    assert!(area(Symbol::Ring) < 230.0 && area(Symbol::Ring) > 180.0);
}

#[test]
fn dashes_leave_gaps() {
    let stroke = Stroke { colour: BLACK, width: 1.0, dash: vec![4.0, 2.0] };
    let bitmap = drawn(14, 3, |raster| raster.lines(&[vec![(0.0, 1.5), (12.0, 1.5)]], &stroke));
    assert_eq!(greys(&bitmap, 1), [0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255]);
}

#[test]
fn half_an_opacity_is_half_the_colour() {
    let square = vec![(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)];
    let bitmap = drawn(4, 4, |raster| raster.areas(&[square], BLACK, 0.5));
    assert_eq!(greys(&bitmap, 2), [128; 4]);
}

#[test]
fn upright_text_is_text_turned_to_the_left() {
    let text = |angle: f64, place| Text { angle, ..Text::new("F", place, 24.0, Anchor::Start, BLACK) };
    let flat = drawn(40, 40, |raster| raster.text(&text(0.0, (10.0, 30.0))));
    let upright = drawn(40, 40, |raster| raster.text(&text(-90.0, (30.0, 30.0))));
    assert!(ink(&flat) > 50.0);
    for y in 0..40 {
        for x in 0..40 {
            // What was to the right of the start is now above it, and what was above it is to the left.
            let (right, above) = (i64::from(x) - 10, 29 - i64::from(y));
            let turned = (u32::try_from(29 - above).unwrap_or(99), u32::try_from(29 - right).unwrap_or(99));
            let other = upright.pixel(turned.0, turned.1).unwrap_or(WHITE);
            let difference = flat.pixel(x, y).unwrap().red.abs_diff(other.red);
            assert!(difference < 40, "{x}, {y}: {difference}");
        }
    }
}
