use std::collections::HashSet;

use super::super::super::figure::Role;
use std::fs;

use super::*;

fn complaint(text: &str) -> String {
    parse(text, "s.toml").unwrap_err().to_string()
}

#[test]
fn every_embedded_style_is_read_and_tells_subflows_apart() {
    for (name, text) in EMBEDDED {
        let style = parse(text, name).unwrap();
        assert_eq!(Style::find(name).unwrap(), style);
        let looks: Vec<_> = (0..8).map(|index| style.look(Role::subflow(index))).collect();
        let marks: HashSet<_> = looks.iter().map(|look| look.mark).collect();
        assert_eq!(marks.len(), 8, "{name}: each of eight subflows has a mark of its own");
        // What `plot dsn --help` says of repeated data.
        for (index, look) in (0..8).zip(&looks) {
            for kind in [RoleKind::Retransmission, RoleKind::Reinjection, RoleKind::Loss] {
                assert_eq!(
                    style.look(Role::of_subflow(kind, index)).colour,
                    look.colour,
                    "{name}: {kind:?} of {index}"
                );
            }
        }
        for index in 1..8 {
            let (one, other) = (looks[index - 1], looks[index]);
            assert_ne!(one.dash, other.dash, "{name}: neighbours have other dashes");
            assert_ne!(one.colour, other.colour, "{name}");
            let contrast = (one.colour.brightness() - style.background.brightness()).abs();
            assert!(contrast > 0.2, "{name}: subflow {index} is as bright as the background");
        }
    }
    assert_eq!(EMBEDDED.map(|(name, _)| name), Style::NAMES);
    assert_ne!(Style::find("dark").unwrap().background, Style::default().background);
}

#[test]
fn a_file_changes_what_it_names_and_keeps_the_rest() {
    let style = parse(
        "based_on = 'dark'\nfont_size = 20\n[total]\ncolour = '#010203'\nwidth = 3\n[[subflow]]\ncolour='#ff0000'\nmark='star'",
        "s.toml",
    )
    .unwrap();
    let dark = Style::find("dark").unwrap();
    assert_eq!((style.font_size, style.background), (20.0, dark.background));
    let total = style.look(Role::of(RoleKind::Total));
    assert_eq!((total.colour.hexadecimal().as_str(), total.width, total.mark), ("#010203", Some(3.0), Symbol::None));
    for index in [0, 1, 7, u32::MAX] {
        assert_eq!(style.look(Role::subflow(index)).colour, Colour { red: 255, green: 0, blue: 0 });
    }
}

#[test]
fn roles_may_take_the_colour_of_their_subflow() {
    let style = Style::default();
    let acknowledgement = style.look(Role::of_subflow(RoleKind::Acknowledgement, 2));
    assert_eq!(acknowledgement.colour, style.look(Role::subflow(2)).colour);
    assert_eq!(style.look(Role::of(RoleKind::Acknowledgement)).colour, style.foreground);
}

#[test]
fn colours_that_repeat_come_with_another_mark() {
    let style = Style::default();
    let (first, ninth) = (style.look(Role::subflow(0)), style.look(Role::subflow(8)));
    assert_eq!(first.colour, ninth.colour);
    assert!(first.mark != ninth.mark && first.dash != ninth.dash);
}

#[test]
fn mistakes_are_named_with_their_line() {
    assert_eq!(complaint("# mine\nfont_sise = 3\n"), "s.toml:2: unknown key `font_sise`; did you mean `font_size`?");
    assert_eq!(complaint("\n[loss]\ncolor = '#000000'\n"), "s.toml:3: unknown key `color`; did you mean `colour`?");
    assert!(complaint("zzz = 1").contains("unknown key `zzz`; the keys are based_on, background,"));
    assert_eq!(
        complaint("grid = 'red'"),
        "s.toml:1: `grid` takes a colour such as \"#0072b2\"; correct the value or delete the line"
    );
    for (text, line, key) in [
        ("font_size = 3", 1, "font_size"),
        ("font_size = nan", 1, "font_size"),
        ("line_width = 0", 1, "line_width"),
        ("mark_size = 'big'", 1, "mark_size"),
        ("based_on = 'drak'", 1, "based_on"),
        ("based_on = 3", 1, "based_on"),
        ("[[subflow]]\nmark = 'heart'", 2, "mark"),
        ("[[subflow]]\nmark = 'star'\n[[subflow]]\ndash = 1", 4, "dash"),
        ("[subflow]\nmark = 'star'", 1, "subflow"),
        ("subflow = []", 1, "subflow"),
        ("subflow = [1]", 1, "subflow"),
        ("event = 1", 1, "event"),
        ("[event]\nwidth = 21", 2, "width"),
    ] {
        assert!(complaint(text).starts_with(&format!("s.toml:{line}: `{key}` takes ")), "{text}: {}", complaint(text));
    }
    assert!(complaint("grid = = 3").starts_with("s.toml:1: not valid TOML: "));
    assert!(complaint("[event]\nmark = 'star'\n[event]\nmark = 'plus'").starts_with("s.toml:3: not valid TOML: "));
}

#[test]
fn a_style_is_looked_for_by_name_and_by_path() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mine.toml");
    fs::write(&file, "font_size = 33").unwrap();
    assert_eq!(Style::find(file.to_str().unwrap()).unwrap().font_size, 33.0);
    let missing = Style::find("drk").unwrap_err().to_string();
    assert_eq!(missing, "`drk` is neither a style nor a file; did you mean `dark`?");
    let missing = Style::find("/nowhere/at\u{1b}all").unwrap_err().to_string();
    assert_eq!(
        missing,
        "`/nowhere/at\\u{1b}all` is neither a style nor a file; the styles are default, dark, print, latex"
    );
    assert!(Style::find(directory.path().to_str().unwrap()).unwrap_err().to_string().starts_with("cannot read"));
}
