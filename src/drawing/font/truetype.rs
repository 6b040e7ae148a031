//! The needed parts of a TrueType font: glyphs of characters, widths and outlines.
//!
//! It reads the one font that the program carries, so it knows the tables that this font has (character map of format 4,
//! components that are only moved), and nothing else of the format. Tables are those of the OpenType specification 1.9.

/// A point, upwards from the baseline.
pub type Point = (f64, f64);

/// A piece of an outline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Curve {
    /// From, to.
    Line(Point, Point),
    /// From, the control point, to: a quadratic Bézier curve.
    Bend(Point, Point, Point),
}

impl Curve {
    /// The same curve with other points.
    #[must_use]
    pub fn map(self, place: impl Fn(Point) -> Point) -> Curve {
        match self {
            Curve::Line(from, to) => Curve::Line(place(from), place(to)),
            Curve::Bend(from, control, to) => Curve::Bend(place(from), place(control), place(to)),
        }
    }

    /// All its points.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        let (from, control, to) = match *self {
            Curve::Line(from, to) => (from, None, to),
            Curve::Bend(from, control, to) => (from, Some(control), to),
        };
        [Some(from), control, Some(to)].into_iter().flatten()
    }
}

/// Components of components end here.
const DEEPEST: usize = 4;

/// A font file and where its tables begin.
#[derive(Debug)]
pub struct TrueType {
    data: &'static [u8],
    cmap: usize,
    glyf: usize,
    hmtx: usize,
    loca: usize,
    /// Glyphs that have a width of their own; the rest have that of the last.
    widths: u16,
    /// Whether `loca` has 32-bit offsets.
    long_offsets: bool,
    /// Font units of the size of the font.
    pub units_per_em: u16,
}

impl TrueType {
    /// Finds the tables; none where one that is needed is missing.
    #[must_use]
    pub fn read(data: &'static [u8]) -> Option<Self> {
        let table = |tag: &[u8; 4]| {
            let records = data.get(12..)?.chunks_exact(16).take(usize::from(number(data, 4)?));
            records.into_iter().find(|record| record.starts_with(tag)).and_then(|record| long(record, 8))
        };
        let (head, hhea, characters) = (table(b"head")?, table(b"hhea")?, table(b"cmap")?);
        // Encoding records: Unicode's basic plane for Windows, as all fonts have it.
        let mut records = (0..usize::from(number(data, characters + 2)?)).map(|at| characters + 4 + 8 * at);
        let record = records.find(|at| number(data, *at) == Some(3) && number(data, at + 2) == Some(1))?;
        let cmap = characters + long(data, record + 4)?;
        (number(data, cmap)? == 4).then_some(())?;
        Some(TrueType {
            data,
            cmap,
            glyf: table(b"glyf")?,
            hmtx: table(b"hmtx")?,
            loca: table(b"loca")?,
            widths: number(data, hhea + 34)?,
            long_offsets: number(data, head + 50)? != 0,
            units_per_em: number(data, head + 18)?,
        })
    }

    /// The glyph that shows a character; none where the font has none.
    #[must_use]
    pub fn glyph(&self, character: char) -> Option<u16> {
        let code = u16::try_from(u32::from(character)).ok()?;
        let doubled = usize::from(number(self.data, self.cmap + 6)?);
        let (ends, starts) = (self.cmap + 14, self.cmap + 16 + doubled);
        let segment = (0..doubled / 2).map(|at| 2 * at).find(|at| number(self.data, ends + at) >= Some(code))?;
        let (start, delta) = (number(self.data, starts + segment)?, number(self.data, starts + doubled + segment)?);
        let offset_at = starts + 2 * doubled + segment;
        let glyph = match (code.checked_sub(start)?, number(self.data, offset_at)?) {
            (_, 0) => code.wrapping_add(delta),
            (further, offset) => match number(self.data, offset_at + usize::from(offset) + 2 * usize::from(further))? {
                0 => 0,
                glyph => glyph.wrapping_add(delta),
            },
        };
        (glyph != 0).then_some(glyph)
    }

    /// From one glyph to the next, in font units.
    #[must_use]
    pub fn advance(&self, glyph: u16) -> Option<f64> {
        let glyph = glyph.min(self.widths.checked_sub(1)?);
        number(self.data, self.hmtx + 4 * usize::from(glyph)).map(f64::from)
    }

    /// The outline of a glyph; empty for a space, none where the font has it in a form that this does not know.
    #[must_use]
    pub fn outline(&self, glyph: u16) -> Option<Vec<Curve>> {
        let mut curves = Vec::new();
        self.add(glyph, (0.0, 0.0), 0, &mut curves)?;
        Some(curves)
    }

    /// Adds a glyph's outline, moved.
    fn add(&self, glyph: u16, moved: Point, depth: usize, curves: &mut Vec<Curve>) -> Option<()> {
        let offset = |glyph: usize| match self.long_offsets {
            true => long(self.data, self.loca + 4 * glyph),
            false => number(self.data, self.loca + 2 * glyph).map(|half| 2 * usize::from(half)),
        };
        let (begin, end) = (offset(glyph.into())?, offset(usize::from(glyph) + 1)?);
        if begin == end || depth > DEEPEST {
            return (begin == end).then_some(());
        }
        let mut data = Reader(self.data.get(self.glyf + begin..self.glyf + end)?);
        let contours = data.signed()?;
        // The box around it.
        data.take(8)?;
        match usize::try_from(contours) {
            Ok(contours) => simple(&mut data, contours, moved, curves),
            Err(_) => self.composite(&mut data, moved, depth, curves),
        }
    }

    fn composite(&self, data: &mut Reader, moved: Point, depth: usize, curves: &mut Vec<Curve>) -> Option<()> {
        const WORDS: u16 = 1;
        const OFFSETS: u16 = 2;
        const MORE: u16 = 0x20;
        const SCALED: u16 = 0x08 | 0x40 | 0x80;
        loop {
            let (flags, glyph) = (data.number()?, data.number()?);
            if flags & OFFSETS == 0 || flags & SCALED != 0 {
                return None;
            }
            let (x, y) = match flags & WORDS {
                0 => (f64::from(data.byte()?.cast_signed()), f64::from(data.byte()?.cast_signed())),
                _ => (f64::from(data.signed()?), f64::from(data.signed()?)),
            };
            self.add(glyph, (moved.0 + x, moved.1 + y), depth + 1, curves)?;
            if flags & MORE == 0 {
                return Some(());
            }
        }
    }
}

/// Reads a glyph that is made of contours.
fn simple(data: &mut Reader, contours: usize, moved: Point, curves: &mut Vec<Curve>) -> Option<()> {
    const ON_CURVE: u8 = 1;
    const REPEATED: u8 = 8;
    let lasts = (0..contours).map(|_| data.number().map(usize::from)).collect::<Option<Vec<_>>>()?;
    let count = lasts.last().map_or(0, |last| last + 1);
    let instructions = data.number()?;
    data.take(instructions.into())?;
    let mut flags = Vec::with_capacity(count);
    while flags.len() < count {
        let flag = data.byte()?;
        let times = if flag & REPEATED == 0 { 1 } else { 1 + usize::from(data.byte()?) };
        flags.extend(std::iter::repeat_n(flag, times));
    }
    flags.truncate(count);
    let xs = coordinates(data, &flags, 0x02, 0x10, moved.0)?;
    let ys = coordinates(data, &flags, 0x04, 0x20, moved.1)?;
    let points: Vec<(bool, Point)> =
        flags.iter().zip(xs.into_iter().zip(ys)).map(|(flag, point)| (flag & ON_CURVE != 0, point)).collect();
    let mut first = 0;
    for last in lasts {
        close(points.get(first..=last)?, curves);
        first = last + 1;
    }
    Some(())
}

/// One coordinate of all points: `short` is the flag of a byte, `same` that of its sign, or of no change.
fn coordinates(data: &mut Reader, flags: &[u8], short: u8, same: u8, moved: f64) -> Option<Vec<f64>> {
    let mut at = moved;
    let next = |flag: &u8| {
        at += match (flag & short != 0, flag & same != 0) {
            (true, positive) => f64::from(data.byte()?) * if positive { 1.0 } else { -1.0 },
            (false, true) => 0.0,
            (false, false) => f64::from(data.signed()?),
        };
        Some(at)
    };
    flags.iter().map(next).collect()
}

/// Makes curves of a contour's points: between two control points lies a point on the curve.
fn close(points: &[(bool, Point)], curves: &mut Vec<Curve>) {
    let middle = |one: Point, other: Point| (f64::midpoint(one.0, other.0), f64::midpoint(one.1, other.1));
    let (Some((on_curve, begin)), Some((last_on_curve, end))) = (points.first(), points.last()) else { return };
    let start = match (on_curve, last_on_curve) {
        (true, _) => *begin,
        (false, true) => *end,
        (false, false) => middle(*begin, *end),
    };
    let (mut from, mut control) = (start, None);
    let rest = points.iter().skip(usize::from(*on_curve));
    for (on_curve, point) in rest.copied().chain([(true, start)]) {
        match (control, on_curve) {
            (None, true) => curves.push(Curve::Line(from, point)),
            (Some(bend), true) => curves.push(Curve::Bend(from, bend, point)),
            (Some(bend), false) => curves.push(Curve::Bend(from, bend, middle(bend, point))),
            (None, false) => {}
        }
        match (control, on_curve) {
            (_, true) => (from, control) = (point, None),
            (Some(bend), false) => (from, control) = (middle(bend, point), Some(point)),
            (None, false) => control = Some(point),
        }
    }
}

fn number(data: &[u8], at: usize) -> Option<u16> {
    Reader(data.get(at..)?).number()
}

fn long(data: &[u8], at: usize) -> Option<usize> {
    let bytes = data.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_be_bytes(*bytes)).ok()
}

/// Rest of a glyph's data.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
    }

    fn signed(&mut self) -> Option<i16> {
        self.number().map(u16::cast_signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn font() -> TrueType {
        TrueType::read(include_bytes!("../../../assets/fonts/DejaVuSans-subset.ttf")).unwrap()
    }

    #[test]
    fn every_glyph_has_an_outline_or_is_a_space() {
        let font = font();
        // 905 glyphs, from the font's maxp table.
        let outlines: Vec<_> = (0..905).map(|glyph| font.outline(glyph).unwrap_or_else(|| panic!("{glyph}"))).collect();
        assert!(outlines.iter().flatten().count() > 10_000);
        assert!(font.outline(font.glyph(' ').unwrap()).unwrap().is_empty());
        assert_eq!(font.glyph('\u{10FFFF}'), None);
        assert_eq!(font.glyph('日'), None);
    }

    #[test]
    fn letters_are_where_the_font_says() {
        let font = font();
        // fontTools: TTFont(…)["glyf"]["l"]: a rectangle from (193, 0) to (377, 1556).
        let outline = font.outline(font.glyph('l').unwrap()).unwrap();
        let corners: Vec<Point> =
            outline.iter().map(|curve| if let Curve::Line(from, _) = curve { *from } else { panic!() }).collect();
        assert_eq!(corners, [(193.0, 1556.0), (377.0, 1556.0), (377.0, 0.0), (193.0, 0.0)]);
        // Every contour ends where it began.
        for character in "Aé%ß8α".chars() {
            let mut begin = None;
            let mut at = (f64::NAN, f64::NAN);
            for curve in font.outline(font.glyph(character).unwrap()).unwrap() {
                let (Curve::Line(from, to) | Curve::Bend(from, _, to)) = curve;
                if from != at {
                    assert!(begin.is_none_or(|begin| begin == at), "{character}");
                    begin = Some(from);
                }
                at = to;
            }
            assert_eq!(begin, Some(at), "{character}");
        }
        // Its glyf entry is "e", unmoved, and an acute accent moved by (139, 0).
        let (plain, accented) = (font.glyph('e').unwrap(), font.glyph('é').unwrap());
        assert!(font.outline(accented).unwrap().starts_with(&font.outline(plain).unwrap()));
        assert_eq!(font.advance(plain), font.advance(accented));
    }
}
