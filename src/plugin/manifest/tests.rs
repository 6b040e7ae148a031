use std::path::Path;

use super::*;

const HEAD: &str = "name = 'p'\nprotocol = 1\nexecutable = 'run'\n";
const COMMAND: &str = "[[command]]\nname = 'c'\nsummary = 'S.'\n";

fn complaint(text: &str) -> String {
    parse(text, Path::new("p/plugin.toml")).unwrap_err().to_string()
}

#[test]
fn everything_is_read() {
    let text = format!(
        "{HEAD}version = '2.1'\nsummary = 'Things'\nsample = 'data/x.csv'\n{COMMAND}details = '''\nMore.\n\nYet more.'''\n\
         packets = {{ columns = ['packetid', 'ip.dsfield'], where = 'tcpstream == {{stream}}', forms = ['csv', 'arrow'] }}\n\
         connections = true\nexamples = [{{ line = 'c 0', purpose = 'the first' }}]\n\
         [[command.argument]]\nname = 'stream'\nkind = 'tcpstream'\nrequired = true\nhelp = 'Which'\n\
         [[command.argument]]\nname = 'mode'\nkind = 'choice'\nchoices = ['a', 'b']\ndefault = 'b'\n\
         [[plot]]\nname = 'c'\nsummary = 'Draw'\n[[plot.argument]]\nname = 'width'\nkind = 'number'\ndefault = 0.5\n"
    );
    let manifest = parse(&text, Path::new("plugin.toml")).unwrap();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("p", "2.1"));
    assert_eq!(manifest.sample.as_deref(), Some("data/x.csv"));
    let [command, plot] = manifest.entries.as_slice() else { panic!("{manifest:?}") };
    assert_eq!(
        (command.role, command.summary.as_str(), command.details.as_str()),
        (Role::Command, "S", "More.\n\nYet more.")
    );
    let packets = command.packets.as_ref().unwrap();
    assert_eq!(packets.columns, ["packetid", "ip.dsfield"]);
    assert_eq!(packets.forms, [PacketsForm::Csv, PacketsForm::Arrow]);
    assert!(command.connections && command.arguments[0].required);
    assert_eq!(command.arguments[1].default.as_deref(), Some("b"));
    assert_eq!((plot.role, plot.packets.is_none()), (Role::Plot, true));
    assert_eq!(plot.arguments[0].default.as_deref(), Some("0.5"));
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
    assert_eq!(
        complaint(&format!("{HEAD}exectuable = 'x'\n{COMMAND}")),
        "p/plugin.toml:4: unknown key `exectuable`; did you mean `executable`?"
    );
    assert_eq!(
        complaint(&format!("{HEAD}{COMMAND}[[command.argument]]\nname = 'a'\nhepl = 'x'\n")),
        "p/plugin.toml:9: unknown key `hepl`; did you mean `help`?"
    );
    assert!(
        complaint(&format!("{HEAD}zzz = 1\n{COMMAND}")).starts_with("p/plugin.toml:4: unknown key `zzz`; the keys are")
    );
    assert_eq!(complaint("name = = 1").split(": ").take(2).collect::<Vec<_>>(), ["p/plugin.toml:1", "not valid TOML"]);
}

#[test]
fn what_does_not_fit_is_named_with_its_line() {
    let with = |more: &str| complaint(&format!("{HEAD}{COMMAND}{more}"));
    let argument = |more: &str| with(&format!("[[command.argument]]\n{more}\n"));
    for (said, start) in [
        (complaint("protocol = 1\n"), "1: `name` is missing: it takes a name of lower-case letters"),
        (complaint("protocol = 1\nname = 'A'\n"), "2: `name` takes a name of lower-case letters"),
        (complaint(HEAD), "1: a plugin has 1 to 64 commands and plots"),
        (complaint("protocol = '1'"), "1: `protocol` takes the version of the protocol, 1"),
        (complaint(&format!("{HEAD}command = 3")), "4: `command` takes tables: write `[[command]]`"),
        (with("packets = 1"), "7: `packets` takes a table"),
        (with("packets = { columns = ['tcplne'] }"), "7: no column `tcplne`: did you mean `tcplen`?"),
        (with("packets = { where = 'tcplen >' }"), "7: `where`: "),
        (with("packets = { where = 'tcplen > {x}' }"), "7: `where` has `{x}`, which is not a whole number or stream"),
        (with("packets = { forms = ['xml'] }"), "7: `forms` takes a list of \"arrow\" and \"csv\""),
        (with(COMMAND), "7: two entries of command are called `c`; rename one"),
        (argument("name = 'a'\nkind = 'text'"), "9: `kind` takes one of \"string\""),
        (argument("name = 'format'"), "7: the argument name `format` is reserved"),
        (argument("name = 'a'\nkind = 'choice'"), "7: `a`: `kind = \"choice\"` and `choices` belong together"),
        (argument("name = 'a'\nrequired = true\ndefault = 'x'"), "7: `a` cannot be required"),
        (argument("name = 'a'\nkind = 'integer'\ndefault = 'x'"), "7: the default of `a` does not match its kind"),
        (argument("name = 'a'\n[[command.argument]]\nname = 'a'"), "9: two arguments are called `a`; rename one"),
    ] {
        assert!(said.starts_with(&format!("p/plugin.toml:{start}")), "{said} does not start with {start}");
    }
}

#[test]
fn numbers_are_filled_into_conditions() {
    let value = |name: &str| (name == "n").then(|| "7".to_string());
    assert_eq!(fill_in("a == {n} or b < {n}", value).unwrap(), "a == 7 or b < 7");
    assert_eq!(fill_in("a == {m}", value).unwrap_err(), "m");
    assert_eq!(fill_in("a contains '{'", value).unwrap(), "a contains '{'");
}

#[test]
fn paths_stay_inside() {
    for inside in ["run", "bin/run.sh", "a b"] {
        assert!(stays_inside(inside), "{inside}");
    }
    for outside in ["", "/bin/sh", "..", "../x", "a/../../x", "./x"] {
        assert!(!stays_inside(outside), "{outside}");
    }
}

/// The text of the first block of `docs/plugins.md` in `language` that holds `part`.
fn documented<'a>(document: &'a str, language: &str, part: &str) -> &'a str {
    let mut blocks = document.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix(language));
    blocks.find(|block| block.contains(part)).unwrap()
}

#[test]
fn what_the_documentation_shows_is_read() {
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plugins.md")).unwrap();
    let manifest = parse(documented(&document, "toml", "[[plot]]"), Path::new("plugin.toml")).unwrap();
    assert_eq!(manifest.entries.len(), 2);
    let answer: protocol::Answer = serde_json::from_str(documented(&document, "json", "\"figure\"")).unwrap();
    let protocol::Answer::Figure(figure) = answer else { panic!("{answer:?}") };
    figure.validate().unwrap();
}

#[test]
fn the_template_is_sound() {
    let text = include_str!("../template/plugin.toml").replace("EXECUTABLE", "plugin.py").replace("NAME", "mine");
    assert_eq!(parse(&text, Path::new("plugin.toml")).unwrap().entries[0].name, "mine");
}
