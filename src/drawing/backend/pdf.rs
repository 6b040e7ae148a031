//! PDF (ISO 32000-1): one page, vectors, and text in the built-in font, which the file carries.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::super::figure::Series;
use super::super::font;
use super::super::geometry::PixelPoint;
use super::super::style::{Colour, Symbol};
use super::super::text::Text;
use super::symbol::{self, Outline};
use super::{Stroke, Surface, number};

/// Points, of which 72 are an inch, in a pixel, of which 96 are.
const POINTS: f64 = 0.75;
/// How far the control points of a circle's four curves are from its ends, in radii.
const CIRCLE: f64 = 0.552_284_75;

/// A page that grows. The same figure gives the same bytes: no date and no identifier is in them.
#[derive(Debug)]
pub struct Pdf {
    size: (u32, u32),
    title: String,
    content: String,
    /// Opacities in use, in hundredths.
    opacities: BTreeSet<u32>,
    /// Glyphs in use, with a character that each shows.
    glyphs: BTreeMap<u16, char>,
}

impl Pdf {
    /// A page with nothing on it, of a size in pixels.
    #[must_use]
    pub fn new(size: (u32, u32), title: &str, background: Colour) -> Self {
        let (width, height) = (f64::from(size.0), f64::from(size.1));
        let mut pdf = Pdf {
            size,
            title: title.to_string(),
            content: String::new(),
            opacities: BTreeSet::new(),
            glyphs: BTreeMap::new(),
        };
        // PDF counts from the lower left corner, upwards. Lines meet in bevels, as in SVG.
        pdf.put(format_args!("{POINTS} 0 0 -{POINTS} 0 {} cm 2 j", number(height * POINTS, 2)));
        pdf.put(format_args!("{} rg 0 0 {width} {height} re f", rgb(background)));
        pdf
    }

    fn put(&mut self, content: std::fmt::Arguments<'_>) {
        // Writing to a string never fails.
        let _ = writeln!(self.content, "{content}");
    }

    fn path(&mut self, points: &[PixelPoint]) {
        for (index, point) in points.iter().enumerate() {
            let _ = write!(self.content, "{} {} ", pair(*point), if index == 0 { 'm' } else { 'l' });
        }
    }

    fn stroke(&mut self, colour: Colour, width: f64, cap: u8) {
        self.put(format_args!("{} RG {} w {cap} J", rgb(colour), number(width, 2)));
    }

    /// The whole file.
    ///
    /// # Errors
    /// When the compressor fails, which it has no reason to in memory.
    pub fn document(self) -> std::io::Result<Vec<u8>> {
        let states: String = self
            .opacities
            .iter()
            .map(|hundredths| format!("/G{hundredths} << /ca {} >> ", share(*hundredths)))
            .collect();
        let (width, height) = (number(f64::from(self.size.0) * POINTS, 2), number(f64::from(self.size.1) * POINTS, 2));
        let file = font::FILE;
        let mut objects = Objects::default();
        objects.add("<< /Type /Catalog /Pages 2 0 R >>");
        objects.add("<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
        objects.add(&format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 4 0 R \
             /Resources << /Font << /F 5 0 R >> /ExtGState << {states}>> >> >>"
        ));
        objects.add_stream("", self.content.as_bytes())?;
        objects.add(&format!(
            "<< /Type /Font /Subtype /Type0 /BaseFont /{} /Encoding /Identity-H /DescendantFonts [6 0 R] \
             /ToUnicode 9 0 R >>",
            font::NAME
        ));
        let widths: String = self
            .glyphs
            .keys()
            .map(|glyph| format!("{glyph} [{}] ", number(font::glyph_advance(*glyph) * 1000.0, 0)))
            .collect();
        objects.add(&format!(
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{} /CIDToGIDMap /Identity /FontDescriptor 7 0 R \
             /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 600 /W [{widths}] >>",
            font::NAME
        ));
        // Symbolic, because glyphs are given by number. The box and the heights are those of DejaVu Sans.
        objects.add(&format!(
            "<< /Type /FontDescriptor /FontName /{} /Flags 4 /FontBBox [-1021 -463 1793 1232] /ItalicAngle 0 \
             /Ascent 928 /Descent -236 /CapHeight 729 /StemV 80 /FontFile2 8 0 R >>",
            font::NAME
        ));
        objects.add_stream(&format!("/Length1 {} ", file.len()), file)?;
        objects.add_stream("", characters(&self.glyphs).as_bytes())?;
        objects.add(&format!("<< /Title <{}> >>", utf16(&format!("\u{feff}{}", self.title))));
        Ok(objects.finish())
    }
}

impl Surface for Pdf {
    fn begin(&mut self, _: Option<&Series>) {}

    fn end(&mut self) {}

    fn lines(&mut self, paths: &[Vec<PixelPoint>], stroke: &Stroke) {
        self.stroke(stroke.colour, stroke.width, 0);
        let dash: Vec<String> = stroke.dash.iter().map(|length| number(*length, 2)).collect();
        self.put(format_args!("[{}] 0 d", dash.join(" ")));
        paths.iter().for_each(|points| self.path(points));
        self.content.push_str("S [] 0 d\n");
    }

    fn areas(&mut self, polygons: &[Vec<PixelPoint>], colour: Colour, opacity: f64) {
        // Between 0 and 100.
        let hundredths = (opacity.clamp(0.0, 1.0) * 100.0).round() as u32;
        if hundredths < 100 {
            self.opacities.extend([hundredths, 100]);
            self.put(format_args!("/G{hundredths} gs"));
        }
        self.put(format_args!("{} rg", rgb(colour)));
        for corners in polygons {
            self.path(corners);
            self.content.push_str("h ");
        }
        self.content.push_str(if hundredths < 100 { "f /G100 gs\n" } else { "f\n" });
    }

    fn marks(&mut self, symbol: Symbol, size: f64, places: &[PixelPoint], colour: Colour) {
        let at = |(x, y): PixelPoint, (dx, dy): PixelPoint| (x + dx * size, y + dy * size);
        match symbol::outline(symbol) {
            // A line of no length with round ends is a circle.
            Outline::Disc => {
                self.stroke(colour, size, 1);
                places.iter().for_each(|place| self.path(&[*place, *place]));
                self.content.push_str("S 0 J\n");
            }
            Outline::Ring => {
                self.stroke(colour, symbol::LINE * size, 0);
                places.iter().for_each(|place| self.circle(*place, size * (1.0 - symbol::LINE) / 2.0));
                self.content.push_str("S\n");
            }
            Outline::Filled(corners) => {
                let polygons: Vec<Vec<PixelPoint>> =
                    places.iter().map(|place| corners.iter().map(|corner| at(*place, *corner)).collect()).collect();
                self.areas(&polygons, colour, 1.0);
            }
            Outline::Lines(lines) => {
                self.stroke(colour, symbol::LINE * size, 0);
                for place in places {
                    lines.iter().for_each(|(from, to)| self.path(&[at(*place, *from), at(*place, *to)]));
                }
                self.content.push_str("S\n");
            }
        }
    }

    fn text(&mut self, text: &Text) {
        let mut glyphs = String::with_capacity(text.content.len().saturating_mul(4));
        for character in text.content.chars() {
            let glyph = font::glyph(character).unwrap_or(0);
            self.glyphs.entry(glyph).or_insert(character);
            let _ = write!(glyphs, "{glyph:04x}");
        }
        if glyphs.is_empty() {
            return;
        }
        let (sine, cosine) = text.angle.to_radians().sin_cos();
        let before = text.before();
        let start = (text.x - before * cosine, text.y - before * sine);
        let [along, across] =
            [(cosine, sine), (sine, -cosine)].map(|(x, y)| format!("{} {}", number(x, 4), number(y, 4)));
        let (colour, size) = (rgb(text.colour), number(text.size, 2));
        self.put(format_args!("BT {colour} rg /F {size} Tf {along} {across} {} Tm <{glyphs}> Tj ET", pair(start)));
    }
}

impl Pdf {
    fn circle(&mut self, (x, y): PixelPoint, radius: f64) {
        let control = radius * CIRCLE;
        self.path(&[(x + radius, y)]);
        for (first, second, end) in [
            ((radius, control), (control, radius), (0.0, radius)),
            ((-control, radius), (-radius, control), (-radius, 0.0)),
            ((-radius, -control), (-control, -radius), (0.0, -radius)),
            ((control, -radius), (radius, -control), (radius, 0.0)),
        ] {
            let [first, second, end] = [first, second, end].map(|(dx, dy)| pair((x + dx, y + dy)));
            let _ = write!(self.content, "{first} {second} {end} c ");
        }
    }
}

fn pair((x, y): PixelPoint) -> String {
    format!("{} {}", number(x, 2), number(y, 2))
}

fn rgb(colour: Colour) -> String {
    [colour.red, colour.green, colour.blue].map(|value| number(f64::from(value) / 255.0, 3)).join(" ")
}

fn share(hundredths: u32) -> String {
    number(f64::from(hundredths) / 100.0, 2)
}

/// Hexadecimal digits of a text in UTF-16.
fn utf16(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("{unit:04x}")).collect()
}

/// Which characters the glyphs show, so that text can be found and copied.
fn characters(glyphs: &BTreeMap<u16, char>) -> String {
    let mut map = String::from(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Shown def /CMapType 2 def\n\
         1 begincodespacerange <0000> <ffff> endcodespacerange\n",
    );
    let all: Vec<(&u16, &char)> = glyphs.iter().collect();
    // At most a hundred are allowed in one go.
    for some in all.chunks(100) {
        let _ = writeln!(map, "{} beginbfchar", some.len());
        for (glyph, character) in some {
            let _ = writeln!(map, "<{glyph:04x}> <{}>", utf16(&character.to_string()));
        }
        map.push_str("endbfchar\n");
    }
    map.push_str("endcmap end end\n");
    map
}

/// The objects of a file, numbered from 1.
struct Objects {
    file: Vec<u8>,
    starts: Vec<usize>,
}

impl Default for Objects {
    fn default() -> Self {
        // The second line says that the file is not text.
        Objects { file: b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n".to_vec(), starts: Vec::new() }
    }
}

impl Objects {
    fn begin(&mut self) {
        self.starts.push(self.file.len());
        let number = self.starts.len();
        self.file.extend(format!("{number} 0 obj\n").into_bytes());
    }

    fn add(&mut self, content: &str) {
        self.begin();
        self.file.extend(content.as_bytes());
        self.file.extend(b"\nendobj\n");
    }

    fn add_stream(&mut self, entries: &str, content: &[u8]) -> std::io::Result<()> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(content)?;
        let packed = encoder.finish()?;
        self.begin();
        let head = format!("<< {entries}/Filter /FlateDecode /Length {} >>\nstream\n", packed.len());
        self.file.extend(head.into_bytes());
        self.file.extend(packed);
        self.file.extend(b"\nendstream\nendobj\n");
        Ok(())
    }

    /// The file with its table of objects; the first one is the catalogue, the last one says what the file is.
    fn finish(mut self) -> Vec<u8> {
        let (table, count) = (self.file.len(), self.starts.len());
        let all = count.saturating_add(1);
        let mut end = format!("xref\n0 {all}\n0000000000 65535 f \n");
        for start in &self.starts {
            let _ = writeln!(end, "{start:010} 00000 n ");
        }
        let _ = write!(end, "trailer\n<< /Size {all} /Root 1 0 R /Info {count} 0 R >>\nstartxref\n{table}\n%%EOF\n");
        self.file.extend(end.into_bytes());
        self.file
    }
}

#[cfg(test)]
mod tests;
