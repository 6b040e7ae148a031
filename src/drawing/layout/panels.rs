//! The panels: above each other, their frames flush, each as high as the others.

use super::super::extent::{Extent, shares_x};
use super::super::figure::{Figure, Panel};
use super::super::font;
use super::super::geometry::Rectangle;
use super::super::text::{Anchor, Text};
use super::super::wrapping::wrap;
use super::annotations::{Lifted, Riser, lanes};
use super::axes::{NAMED_APART, Scaled, along_x, along_y};
use super::axis_titles::AxisTitle;
use super::{Placed, Sizes};
use crate::terminal_text::escape;

/// Lanes of annotations that a panel may have.
const LANES: usize = 4;
/// The height from which a frame is easy to read.
const COMFORTABLE_HEIGHT: f64 = 6.5;
/// What each name along y needs, in multiples of its size: a line, and the text of a message above it.
const NAMES_APART: f64 = 1.8;
/// So many names along y stand in any case; of more, those that have room.
const ALL_NAMED: usize = 24;
/// The least width of a frame, in multiples of the font's size.
const LEAST_WIDTH: f64 = 8.0;

pub(super) struct Arranged {
    pub(super) texts: Vec<Text>,
    pub(super) panels: Vec<Placed>,
    pub(super) unlabelled: bool,
    /// See [`super::Layout::cramped`].
    pub(super) cramped: bool,
}

/// A panel while its place is worked out.
struct Draft<'a> {
    panel: &'a Panel,
    extent: Extent,
    title: Vec<String>,
    /// Whether numbers and label stand at its x axis.
    has_x: bool,
    on_top: bool,
    x: Scaled,
    y: Scaled,
    x_title: AxisTitle,
    y_title: AxisTitle,
    /// The title of the y axis stands above the panel, because beside it has no room.
    raised: bool,
    lifted: Vec<Lifted>,
}

/// Gives each panel its place in `region`; `None` when there is no room.
pub(super) fn place(figure: &Figure, extents: &[Extent], sizes: &Sizes, region: Rectangle) -> Option<Arranged> {
    let shared = shares_x(figure);
    let last = figure.panels.len().saturating_sub(1);
    let drafts = figure.panels.iter().zip(extents.iter().copied()).enumerate();
    let mut drafts: Vec<Draft<'_>> =
        drafts.map(|(at, (panel, extent))| Draft::new(panel, extent, !shared || at == last, &region, sizes)).collect();
    let mut margins = (5.0 * sizes.small, sizes.font);
    let mut height = 0.0;
    let mut common = AxisTitle::default();
    // What stands left of the frames depends on their height and the other way round; three rounds settle it.
    for _ in 0..3 {
        let (left, right) = (region.left + margins.0, region.right - margins.1);
        drafts.iter_mut().for_each(|draft| draft.spread(left, right, sizes));
        let around: f64 = drafts.iter().map(|draft| draft.above(sizes) + draft.below(sizes)).sum();
        height = (region.height() - around) / drafts.len() as f64;
        if height < sizes.least_frame || right - left < LEAST_WIDTH * sizes.font {
            return None;
        }
        drafts.iter_mut().for_each(|draft| draft.rise(height, sizes));
        common = in_common(&mut drafts, region.height(), height, sizes);
        drafts.iter_mut().for_each(|draft| draft.raise(&region, sizes));
        margins = margins_of(&drafts, (left, right), &region, sizes);
        margins.0 += common.height();
    }
    let (left, right) = (region.left + margins.0, region.right - margins.1);
    // A title that went above its panel in the last round takes room from all.
    let around: f64 = drafts.iter().map(|draft| draft.above(sizes) + draft.below(sizes)).sum();
    height = height.min((region.height() - around) / drafts.len() as f64);
    if right - left < LEAST_WIDTH * sizes.font || height < sizes.least_frame {
        return None;
    }
    if drafts.iter().any(|draft| height < draft.least_for_names(sizes)) {
        return None;
    }
    let mut arranged = Arranged { texts: Vec::new(), panels: Vec::new(), unlabelled: false, cramped: false };
    let beside = region.left + common.height();
    let mut top = region.top;
    for draft in &mut drafts {
        draft.lift(left, right, sizes);
        let frame_top = top + draft.above(sizes);
        // Whole pixels keep the frame's lines sharp.
        let frame = Rectangle {
            left: left.round(),
            top: frame_top.round(),
            right: right.round(),
            bottom: (frame_top + height).round(),
        };
        top = frame_top + height + draft.below(sizes);
        arranged.cramped |= draft.is_cramped(height, sizes);
        arranged.unlabelled |= draft.lifted.iter().any(|lifted| !lifted.told);
        arranged.panels.push(draft.placed(frame, sizes, beside, &mut arranged.texts));
    }
    if let (Some(first), Some(last)) = (arranged.panels.first(), arranged.panels.last()) {
        let middle = (first.frame.top + last.frame.bottom) / 2.0;
        upwards(&common, region.left, middle, sizes, &mut arranged.texts);
    }
    Some(arranged)
}

/// The one title of the y axes of panels that measure the same, where it takes more than a line beside each of them; what
/// each keeps is its unit, if they differ.
fn in_common(drafts: &mut [Draft<'_>], whole: f64, height: f64, sizes: &Sizes) -> AxisTitle {
    let Some(first) = drafts.first() else { return AxisTitle::default() };
    let axis = &first.panel.y;
    let same = |draft: &Draft<'_>| draft.panel.y.label == axis.label && draft.panel.y.categories.is_empty();
    let fits = |draft: &Draft<'_>| draft.y_title.lines.len() == 1 && draft.y_title.size == sizes.font && !draft.raised;
    if drafts.len() < 2 || axis.label.is_empty() || !drafts.iter().all(same) || drafts.iter().all(fits) {
        return AxisTitle::default();
    }
    let unit = &first.y.ticks.unit;
    let one_unit = drafts.iter().all(|draft| draft.y.ticks.unit == *unit);
    let text = if one_unit { first.y.ticks.label(axis) } else { axis.label.clone() };
    let Some(common) = AxisTitle::fit(&escape(&text), whole * 0.8, 2, sizes) else { return AxisTitle::default() };
    let of_unit = |unit: &str| match unit {
        "" => Some(AxisTitle::default()),
        _ if one_unit => Some(AxisTitle::default()),
        unit => AxisTitle::fit(&format!("({unit})"), height, 1, sizes),
    };
    let units: Option<Vec<AxisTitle>> = drafts.iter().map(|draft| of_unit(&draft.y.ticks.unit)).collect();
    let Some(units) = units else { return AxisTitle::default() };
    for (draft, unit) in drafts.iter_mut().zip(units) {
        (draft.y_title, draft.raised) = (unit, false);
    }
    common
}

fn title_lines(text: &str, region: &Rectangle, sizes: &Sizes) -> Vec<String> {
    wrap(&escape(text), region.width(), 2, |text| font::width(text, sizes.font))
}

/// A title that runs upwards, its first line at `left`.
fn upwards(title: &AxisTitle, left: f64, middle: f64, sizes: &Sizes, texts: &mut Vec<Text>) {
    for (index, content) in title.lines.iter().enumerate() {
        let baseline = left + font::ASCENT * title.size + index as f64 * Sizes::line(title.size);
        let text = sizes.text(content, baseline, middle, title.size, Anchor::Middle);
        texts.push(Text { angle: -90.0, ..text });
    }
}

/// Parts left and right of the frames.
fn margins_of(drafts: &[Draft<'_>], (left, right): (f64, f64), region: &Rectangle, sizes: &Sizes) -> (f64, f64) {
    let mut margins = (0.0_f64, 0.4 * sizes.font);
    for draft in drafts {
        let numbers = draft.y.widest() + sizes.tick + 0.4 * sizes.small;
        let title = &draft.y_title;
        let title = if title.lines.is_empty() { 0.0 } else { title.height() + 0.2 * sizes.font };
        margins.0 = margins.0.max(numbers + title);
        if !draft.has_x {
            continue;
        }
        // Numbers stand in the middle below their tick; the outermost may reach beyond the frame.
        for (tick, lines) in draft.x.ticks.ticks.iter().zip(&draft.x.labels) {
            let widest = lines.iter().map(|line| font::width(line, draft.x.size)).fold(0.0, f64::max);
            let half = if draft.x.upright { Sizes::line(draft.x.size) } else { widest } / 2.0;
            let share = draft.share_x(tick.value);
            let middle = left + share * (right - left);
            margins.0 = margins.0.max(half - (middle - left));
            margins.1 = margins.1.max(half - (right - middle));
        }
    }
    (margins.0.min(region.width()), margins.1.min(region.width()))
}

impl<'a> Draft<'a> {
    fn new(panel: &'a Panel, extent: Extent, has_x: bool, region: &Rectangle, sizes: &Sizes) -> Self {
        Draft {
            panel,
            extent,
            title: title_lines(panel.title.as_deref().unwrap_or_default(), region, sizes),
            has_x,
            // Time that runs down and names along x: a sequence diagram, which is read from its names downwards.
            on_top: !panel.x.categories.is_empty() && panel.y.reversed,
            x: Scaled::default(),
            y: Scaled::default(),
            x_title: AxisTitle::default(),
            y_title: AxisTitle::default(),
            raised: false,
            lifted: Vec::new(),
        }
    }

    fn share_x(&self, value: f64) -> f64 {
        let share = self.extent.x.share(value, self.panel.x.scale);
        if self.panel.x.reversed { 1.0 - share } else { share }
    }

    /// Settles what depends on the width.
    fn spread(&mut self, left: f64, right: f64, sizes: &Sizes) {
        self.x = along_x(&self.panel.x, self.extent.x, right - left, self.on_top, sizes);
        if self.has_x {
            self.x_title = AxisTitle::along_x(&self.panel.x, &self.x.ticks, right - left, sizes);
        }
        self.lift(left, right, sizes);
    }

    fn lift(&mut self, left: f64, right: f64, sizes: &Sizes) {
        // Lanes may take a sixth of the picture.
        let most = (sizes.height / 6.0 / Sizes::line(sizes.small)).floor().clamp(1.0, LANES as f64) as usize;
        self.lifted = lanes(self.panel, &self.extent, left, right, most, sizes);
    }

    /// Settles what depends on the height.
    fn rise(&mut self, height: f64, sizes: &Sizes) {
        self.y = along_y(&self.panel.y, &self.extent, height, sizes);
        if self.raised {
            return;
        }
        let label = escape(&self.y.ticks.label(&self.panel.y)).into_owned();
        match AxisTitle::fit(&label, height, 3, sizes) {
            Some(title) => self.y_title = title,
            None => self.raised = true,
        }
    }

    /// Puts the title of the y axis above the panel, behind the panel's own, where beside it has no room.
    fn raise(&mut self, region: &Rectangle, sizes: &Sizes) {
        let own = self.panel.title.as_deref().unwrap_or_default();
        if !self.raised {
            self.title = title_lines(own, region, sizes);
            return;
        }
        self.y_title = AxisTitle::default();
        let label = self.y.ticks.label(&self.panel.y);
        let text = if own.is_empty() { label } else { format!("{own}: {label}") };
        self.title = title_lines(&text, region, sizes);
    }

    /// Whether data, messages or the y axis' title have little room in a frame of this height.
    fn is_cramped(&self, height: f64, sizes: &Sizes) -> bool {
        let names = self.panel.y.categories.len() as f64;
        self.raised || height < COMFORTABLE_HEIGHT * sizes.font || height < names * NAMES_APART * sizes.small
    }

    /// The height that names along y need: between messages that are closer, texts would stand beside the wrong ones.
    fn least_for_names(&self, sizes: &Sizes) -> f64 {
        match self.panel.y.categories.len() {
            _ if self.on_top => (self.extent.y.high - self.extent.y.low) * NAMES_APART * sizes.small,
            few if few <= ALL_NAMED => few as f64 * NAMED_APART * sizes.small,
            _ => 0.0,
        }
    }

    fn lanes(&self) -> usize {
        let lanes = self.lifted.iter().filter_map(|lifted| lifted.text.as_ref());
        lanes.map(|(_, lane, _)| lane.saturating_add(1)).max().unwrap_or(0)
    }

    /// Height of the names above the frame.
    fn names_above(&self, sizes: &Sizes) -> f64 {
        if self.on_top && self.has_x { self.x.height() + sizes.tick + 0.3 * sizes.small } else { 0.0 }
    }

    /// Parts above the frame.
    fn above(&self, sizes: &Sizes) -> f64 {
        let lanes = self.lanes() as f64 * Sizes::line(sizes.small);
        let title = self.title.len() as f64 * Sizes::line(sizes.font);
        // The uppermost number of the y axis reaches half a line beyond the frame.
        0.55 * sizes.small + title + self.names_above(sizes) + lanes
    }

    /// Parts below the frame.
    fn below(&self, sizes: &Sizes) -> f64 {
        let numbers = if self.has_x && !self.on_top {
            sizes.tick + 0.3 * sizes.small + self.x.height()
        } else {
            0.6 * sizes.small
        };
        numbers + self.x_title.height()
    }

    /// The panel in its frame; its texts go to `texts`.
    fn placed(&self, frame: Rectangle, sizes: &Sizes, left: f64, texts: &mut Vec<Text>) -> Placed {
        self.title_texts(&frame, sizes, texts);
        self.x_texts(&frame, sizes, texts);
        self.y_texts(&frame, sizes, left, texts);
        let (risers, raised) = self.risers(&frame, sizes);
        let rooms = raised.iter().map(Text::bounds).collect();
        texts.extend(raised);
        Placed {
            frame,
            extent: self.extent,
            x: self.x.ticks.ticks.clone(),
            y: self.y.ticks.ticks.clone(),
            lifelines: self.on_top,
            risers,
            raised: rooms,
        }
    }

    fn title_texts(&self, frame: &Rectangle, sizes: &Sizes, texts: &mut Vec<Text>) {
        let top = frame.top - self.above(sizes);
        for (index, line) in self.title.iter().enumerate() {
            let baseline = top + index as f64 * Sizes::line(sizes.font) + font::ASCENT * sizes.font;
            let width = font::width(line, sizes.font);
            // Over the frame; a long one starts further left.
            let start = frame.left.min(sizes.width - sizes.pad - width);
            texts.push(sizes.text(line, start, baseline, sizes.font, Anchor::Start));
        }
    }

    fn x_texts(&self, frame: &Rectangle, sizes: &Sizes, texts: &mut Vec<Text>) {
        if !self.has_x {
            return;
        }
        let line = Sizes::line(self.x.size);
        let lanes = self.lanes() as f64 * Sizes::line(sizes.small);
        for (tick, lines) in self.x.ticks.ticks.iter().zip(&self.x.labels) {
            let middle = frame.left + self.share_x(tick.value) * frame.width();
            if self.x.upright {
                let aside = sizes.tick + 0.3 * sizes.small;
                let (y, anchor) = match self.on_top {
                    true => (frame.top - lanes - aside, Anchor::Start),
                    false => (frame.bottom + aside, Anchor::End),
                };
                let x = middle + 0.36 * self.x.size;
                let upwards = |name| Text { angle: -90.0, ..sizes.text(name, x, y, self.x.size, anchor) };
                texts.extend(lines.iter().map(upwards));
                continue;
            }
            let first = if self.on_top {
                // The last line stands right above the tick.
                frame.top
                    - lanes
                    - sizes.tick
                    - (0.1 + font::DESCENT) * self.x.size
                    - lines.len().saturating_sub(1) as f64 * line
            } else {
                frame.bottom + sizes.tick + 0.3 * sizes.small + font::ASCENT * self.x.size
            };
            for (index, content) in lines.iter().enumerate() {
                let baseline = first + index as f64 * line;
                texts.push(sizes.text(content, middle, baseline, self.x.size, Anchor::Middle));
            }
        }
        let size = self.x_title.size;
        let top = frame.bottom + self.below(sizes) - self.x_title.height();
        for (index, content) in self.x_title.lines.iter().enumerate() {
            let middle = (frame.left + frame.right) / 2.0;
            let baseline = top + font::ASCENT * size + index as f64 * Sizes::line(size);
            texts.push(sizes.text(content, middle, baseline, size, Anchor::Middle));
        }
    }

    fn y_texts(&self, frame: &Rectangle, sizes: &Sizes, left: f64, texts: &mut Vec<Text>) {
        let end = frame.left - sizes.tick - 0.4 * sizes.small;
        for (tick, lines) in self.y.ticks.ticks.iter().zip(&self.y.labels) {
            let share = self.extent.y.share(tick.value, self.panel.y.scale);
            let share = if self.panel.y.reversed { 1.0 - share } else { share };
            let middle = frame.bottom - share * frame.height();
            for content in lines {
                texts.push(sizes.text(content, end, middle + 0.36 * sizes.small, sizes.small, Anchor::End));
            }
        }
        upwards(&self.y_title, left, (frame.top + frame.bottom) / 2.0, sizes, texts);
    }

    fn risers(&self, frame: &Rectangle, sizes: &Sizes) -> (Vec<Riser>, Vec<Text>) {
        let line = Sizes::line(sizes.small);
        let mut texts = Vec::new();
        let place = |lifted: &Lifted| {
            let Some((start, lane, content)) = &lifted.text else { return Riser { x: lifted.x, top: frame.top } };
            let bottom = frame.top - *lane as f64 * line;
            let baseline = bottom - (0.1 + font::DESCENT) * sizes.small;
            texts.push(sizes.text(content, *start, baseline, sizes.small, Anchor::Start));
            Riser { x: lifted.x, top: bottom }
        };
        let risers = self.lifted.iter().map(place).collect();
        (risers, texts)
    }
}
