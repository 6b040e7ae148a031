//! Characters of a figure that the font of plots does not have.

use std::collections::BTreeSet;

use super::figure::{Figure, Marks, Panel};
use super::font;

/// The characters in the texts of `figure` that pictures which carry the font cannot show, each once.
#[must_use]
pub fn unshown(figure: &Figure) -> BTreeSet<char> {
    let texts = std::iter::once(&figure.title).chain(&figure.caption).chain(figure.panels.iter().flat_map(texts));
    let characters = texts.flat_map(|text| text.chars());
    characters.filter(|character| !character.is_control() && font::glyph(*character).is_none()).collect()
}

fn texts(panel: &Panel) -> impl Iterator<Item = &String> {
    let axes = [&panel.x, &panel.y].into_iter().flat_map(|axis| std::iter::once(&axis.label).chain(&axis.categories));
    let series = panel.series.iter().flat_map(|series| {
        let arrows = match &series.marks {
            Marks::Arrows(arrows) => arrows.as_slice(),
            _ => &[],
        };
        std::iter::once(&series.name).chain(arrows.iter().map(|arrow| &arrow.text))
    });
    panel.title.iter().chain(axes).chain(series).chain(panel.annotations.iter().map(|annotation| &annotation.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::figure::{Annotation, Axis, Series, Unit};
    use crate::drawing::figure::{Point, Role};

    #[test]
    fn each_character_without_a_glyph_is_found_once_wherever_it_stands() {
        let marks = Marks::Points(vec![Point { x: 0.0, y: 0.0 }]);
        let panel = Panel::new(Axis::new("日", Unit::Plain), Axis::of_categories("", ["本"]))
            .titled("µ … → ←")
            .with_series(Series::new("語語", Role::subflow(0), marks))
            .with_annotation(Annotation::at(0.0, "← 中"));
        let figure = Figure::new("é文\u{7}").with_caption("字").with_panel(panel);
        assert_eq!(unshown(&figure), "日本語中文字".chars().collect());
    }
}
