use super::*;
use crate::error::Error;

/// The words of the only statement of a line.
fn words(line: &[u8]) -> Vec<OsString> {
    let statements = statements(line).unwrap();
    assert!(statements.len() <= 1, "{statements:?}");
    statements.first().map(Statement::arguments).unwrap_or_default()
}

fn outputs(line: &str) -> Vec<(Vec<OsString>, String)> {
    let statements = statements(line.as_bytes()).unwrap();
    statements
        .iter()
        .map(|statement| (statement.arguments(), String::from_utf8(statement.raw_output()).unwrap()))
        .collect()
}

fn refusal(line: &str) -> String {
    match statements(line.as_bytes()) {
        Err(Error::Usage(sentence)) => sentence,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn words_follow_the_rules_of_a_shell() {
    assert_eq!(words(b"dump 'a b' c\\ d \"e'f\" # g"), ["dump", "a b", "c d", "e'f"]);
    assert_eq!(words(b"x \"a\\b\\\"\\$\" 'a\\b' \"\" a'b'\"c\""), ["x", "a\\b\"$", "a\\b", "", "abc"]);
    assert!(words(b"  # only a comment").is_empty());
    assert!(refusal("load_pcap 'x").contains("left open"));
    assert!(refusal("load_pcap x\\").contains("left open"));
    assert_eq!(words(b"?quit"), ["?", "quit"]);
    assert_eq!(words(b"?"), ["?"]);
    assert_eq!(words(b"? quit"), ["?", "quit"]);
}

#[test]
fn a_backslash_joins_lines() {
    assert_eq!(words(b"dump a\\\nb \\\n c 'd\ne'"), ["dump", "ab", "c", "d\ne"]);
}

#[test]
#[cfg(unix)]
fn words_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let words = words(b"load_pcap \xff.pcap *\xff");
    assert_eq!(words[1].as_bytes(), b"\xff.pcap");
    assert_eq!(words[2].as_bytes(), b"*\xff");
}

#[test]
fn home_is_expanded_unless_quoted() {
    let Some(home) = std::env::home_dir() else { return };
    assert_eq!(words(b"load_pcap ~/x ~ ~x '~/x' \\~/x a~"), {
        let text = |text: &str| OsString::from(text);
        let home_itself = home.clone().into_os_string();
        vec![text("load_pcap"), home.join("x").into(), home_itself, text("~x"), text("~/x"), text("~/x"), text("a~")]
    });
}

#[test]
fn statements_are_kept_apart() {
    let none = String::new();
    assert_eq!(
        outputs("a; b 1 ;; c 'x;y'\nd"),
        [("a", vec![]), ("b", vec!["1"]), ("c", vec!["x;y"]), ("d", vec![])].map(|(name, rest)| {
            let words: Vec<OsString> = std::iter::once(name).chain(rest).map(OsString::from).collect();
            (words, none.clone())
        })
    );
    assert!(outputs(" ; ").is_empty());
}

#[test]
fn redirections_and_pipes_are_taken_off() {
    let one = |line: &str| outputs(line).pop().unwrap();
    let words = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>();
    assert_eq!(one("a 0 > f"), (words(&["a", "0"]), " > f".into()));
    assert_eq!(one("a>f 0"), (words(&["a", "0"]), " > f".into()));
    assert_eq!(one("a >> 'my f'"), (words(&["a"]), " >> 'my f'".into()));
    assert_eq!(one("a '>' \\> \">\" '|'"), (words(&["a", ">", ">", ">", "|"]), String::new()));
    assert_eq!(one("a 0 | grep ';' | wc -l; b"), (words(&["a", "0"]), " | grep ';' | wc -l; b".into()));
    assert_eq!(outputs("a | x\nb").len(), 2);
    assert_eq!(one("a | tr '\n' ' '").1, " | tr '\n' ' '");
    for (line, part) in [
        ("a >", "no file follows `>`"),
        ("a > ; b", "no file follows `>`"),
        ("a >>> f", "no file follows `>`"),
        ("a > f > g", "one file or one program"),
        ("a > f | cat", "one file or one program"),
        ("a |", "nothing follows `|`"),
        ("> f", "a command must come before"),
        ("| cat", "a command must come before"),
        ("a | grep 'x", "left open"),
    ] {
        assert!(refusal(line).contains(part), "{line}: {}", refusal(line));
    }
}

#[test]
fn the_rest_of_the_line_is_for_sh() {
    assert_eq!(words(b"!ls *.x | wc > f; date # no comment"), ["!", "ls *.x | wc > f; date # no comment"]);
    assert_eq!(words(b"! ls"), ["!", "ls"]);
    assert_eq!(words(b"shell ls -l 'a b' | wc"), ["shell", "ls -l 'a b' | wc"]);
    assert_eq!(words(b"shell --help"), ["shell", "--help"]);
    assert_eq!(words(b"shell"), ["shell"]);
    assert_eq!(outputs("a; !b; c").len(), 2);
    assert_eq!(words(b"help '!x' !y"), ["help", "!x", "!y"]);
    assert_eq!(words(b"@my\\ script"), ["@", "my script"]);
    assert_eq!(words(b"@ x"), ["@", "x"]);
}

#[test]
fn globs_match_files_unless_quoted() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().to_str().unwrap();
    for name in ["b.pcap", "a.pcap", "c.txt", ".hidden.pcap", "d [1].pcap", "*.pcap"] {
        std::fs::write(directory.path().join(name), "").unwrap();
    }
    std::fs::create_dir(directory.path().join("sub")).unwrap();
    std::fs::write(directory.path().join("sub/e.pcap"), "").unwrap();
    let found = |pattern: &str| -> Vec<String> {
        let expanded = words(format!("x {folder}/{pattern}").as_bytes());
        let names = expanded.iter().skip(1).map(|word| word.to_str().unwrap().replace(&format!("{folder}/"), ""));
        names.collect()
    };
    assert_eq!(found("*.pcap"), ["*.pcap", "a.pcap", "b.pcap", "d [1].pcap"]);
    assert_eq!(found("**.pcap"), found("*.pcap"));
    assert_eq!(found("?.pcap"), ["*.pcap", "a.pcap", "b.pcap"]);
    assert_eq!(found("[ab].*"), ["a.pcap", "b.pcap"]);
    assert_eq!(found("[!ab].pcap"), ["*.pcap"]);
    assert_eq!(found("*/*.pcap"), ["sub/e.pcap"]);
    assert_eq!(found("'*'.pcap"), ["*.pcap"]);
    assert_eq!(found("'d [1]'*"), ["d [1].pcap"]);
    assert_eq!(found("*.gz"), ["*.gz"], "no match leaves the word");
    assert_eq!(found("[.gz"), ["[.gz"], "no pattern leaves the word");
}

#[test]
fn quoted_words_are_read_back() {
    for word in [
        "plain",
        "a b",
        "it's",
        "q\"uote",
        "back\\slash",
        "#x",
        "$HOME",
        "ünï",
        "a\tb",
        "*",
        "a?",
        "",
        "a\nb'",
        "!x",
        "@x",
        "a;b|c>d",
    ] {
        assert_eq!(words(format!("x {}", quote(word)).as_bytes())[1], word, "{}", quote(word));
        assert_eq!(words(quote(word).as_bytes())[0], word, "{}", quote(word));
    }
    assert_eq!(quote("my file.pcapng"), "my\\ file.pcapng");
}
