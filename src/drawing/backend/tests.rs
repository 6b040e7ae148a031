//! Elements of plotters itself, drawn on our canvas.

use plotters::element::{Circle, PathElement, Rectangle, Text as Words};
use plotters::prelude::{IntoDrawingArea, IntoFont};
use plotters::style::{BLACK, Color as _, RED};

use super::*;

/// What a canvas hands over.
#[derive(Debug, Default)]
pub(in super::super) struct Record {
    pub(in super::super) calls: Vec<String>,
    pub(in super::super) paths: Vec<Vec<PixelPoint>>,
    pub(in super::super) texts: Vec<Text>,
}

impl Surface for Record {
    fn lines(&mut self, paths: &[Vec<PixelPoint>], stroke: &Stroke) {
        self.calls.push(format!("{} lines of {}", paths.len(), stroke.width));
        self.paths.extend_from_slice(paths);
    }

    fn areas(&mut self, polygons: &[Vec<PixelPoint>], _: Colour, opacity: f64) {
        self.calls.push(format!("{} areas of {opacity}", polygons.len()));
    }

    fn marks(&mut self, symbol: Symbol, size: f64, places: &[PixelPoint], _: Colour) {
        self.calls.push(format!("{} {symbol:?} of {size}", places.len()));
    }

    fn text(&mut self, text: &Text) {
        self.calls.push(format!("text {}", text.content));
        self.texts.push(text.clone());
    }

    fn begin(&mut self, series: Option<&Series>) {
        self.calls.push(format!("begin {}", series.map_or("", |series| &series.name)));
    }

    fn end(&mut self) {
        self.calls.push("end".to_string());
    }
}

const UNIT: i32 = 65_536;

#[test]
fn what_has_one_look_is_handed_over_at_once() {
    let mut canvas = Canvas::new(Record::default(), (100, 50));
    let stroke = Stroke { dash: vec![4.0, 1.0, 1.0, 1.0], ..Stroke::solid(Colour::default(), 1.5) };
    for y in 0..3 {
        canvas.line([(0.0, f64::from(y)), (9.0, f64::from(y))], &stroke);
    }
    canvas.line([(0.0, 0.0)], &stroke);
    canvas.line([(0.0, 0.0), (1.0, 1.0)], &Stroke::solid(Colour::default(), 1.5));
    canvas.mark(Symbol::Star, 4.0, (1.0, 1.0), Colour::default());
    canvas.mark(Symbol::Star, 4.0, (2.0, 1.0), Colour::default());
    canvas.begin(None);
    canvas.mark(Symbol::Star, 4.0, (3.0, 1.0), Colour::default());
    canvas.end();
    let calls = canvas.finish().calls;
    assert_eq!(calls, ["3 lines of 1.5", "1 lines of 1.5", "2 Star of 4", "begin ", "1 Star of 4", "end"]);
}

#[test]
fn elements_of_plotters_are_drawn_without_its_rasteriser() {
    let canvas = std::rc::Rc::new(std::cell::RefCell::new(Canvas::new(Record::default(), (100, 50))));
    let root: plotters::drawing::DrawingArea<_, _> = (&canvas).into();
    assert_eq!(root.dim_in_pixel(), (100 * 65_536, 50 * 65_536));
    let black = plotters::style::Color::stroke_width(&BLACK, 2 * 65_536);
    root.draw(&PathElement::new(vec![(0, 0), (10 * UNIT, 5 * UNIT)], black)).unwrap();
    root.draw(&Rectangle::new([(0, 0), (UNIT, UNIT)], RED.mix(0.5).filled())).unwrap();
    root.draw(&Circle::new((5 * UNIT, 5 * UNIT), 2 * UNIT, BLACK.filled())).unwrap();
    let font = ("sans-serif", 12 * UNIT).into_font();
    root.draw(&Words::new("upright", (UNIT, UNIT), font.transform(FontTransform::Rotate270))).unwrap();
    assert!(root.estimate_text_size("two", &font.into()).unwrap().0 > 10 * 65_536);
    drop(root);
    let record = std::rc::Rc::try_unwrap(canvas).ok().unwrap().into_inner().finish();
    assert_eq!(record.calls, ["1 lines of 2", "1 areas of 0.5", "1 areas of 1", "text upright"]);
    assert_eq!(record.paths, [[(0.0, 0.0), (10.0, 5.0)]]);
    let text = &record.texts[0];
    assert_eq!((text.size, text.angle, text.anchor), (12.0, -90.0, Anchor::Start));
    // Its top stands at the place: the baseline is to the right of it, as the text runs upwards.
    assert!((text.x - (1.0 + 12.0 * font::ASCENT)).abs() < 1e-9 && (text.y - 1.0).abs() < 1e-9, "{text:?}");
    let _ = Canvas::new(Record::default(), (1, 1)).into_drawing_area().present();
}

#[test]
fn numbers_are_those_of_formatting() {
    let plain = |value: f64, digits: usize| {
        let text = format!("{value:.digits$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        if text == "-0" { "0".to_string() } else { text.to_string() }
    };
    let of_units = (0..200_000).map(|units| f64::from(units * 7) / UNITS);
    let of_quarters = (0..200).map(|quarters| f64::from(quarters) / 8.0);
    let of_tenths = (0..2000).map(|tenths| f64::from(tenths) * 0.05);
    let edges = [0.000_001, 1e7, 1e8, 123_456_789.25, 1e300, f64::NAN, f64::INFINITY];
    for value in of_units.chain(of_quarters).chain(of_tenths).chain(edges) {
        for value in [value, -value, value.next_up(), value.next_down(), value + 1e-6, value / 3.0] {
            for digits in 0..4 {
                assert_eq!(number(value, digits), plain(value, digits), "{value} {digits}");
            }
        }
    }
}
