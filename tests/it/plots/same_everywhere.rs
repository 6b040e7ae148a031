//! The same bytes whatever the language, the time zone and the home.

use std::fs;
use std::path::Path;

use crate::support::program::{Home, finish};

const FORMS: [&str; 7] = ["svg", "pdf", "png", "xpl", "txt", "csv", "json"];

/// What `plot` and `study` write into files in such an environment.
fn written(language: &str, zone: &str) -> Vec<(String, Vec<u8>)> {
    let home = Home::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (client, server) = (root.join("examples/client.pcapng"), root.join("examples/server.pcapng"));
    let (client, server) = (client.to_str().unwrap(), server.to_str().unwrap());
    let lines = [
        vec!["dsn", "0", "--acks"],
        vec!["dsn", "0", "--origin", "absolute", "--style", "latex"],
        vec!["ladder", "0"],
        vec!["owd", "mptcp", client, "0", server],
    ];
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        for form in FORMS {
            let name = format!("{index}.{form}");
            let mut program = home.program();
            program.env("LC_ALL", language).env("LANG", language).env("TZ", zone);
            // A style changes nothing about values, and is refused there.
            let options = line.iter().take_while(|word| **word != "--style" || !["csv", "json"].contains(&form));
            program.args(["-l", client, "plot"]).args(options).args(["-o", &name]);
            let done = finish(program, "");
            assert_eq!(done.code, Some(0), "{name}: {}", done.messages);
            found.push((name.clone(), fs::read(home.path(&name)).unwrap()));
        }
    }
    found
}

#[test]
fn figures_are_the_same_bytes_in_every_language_time_zone_and_home() {
    let usual = written("C.UTF-8", "UTC");
    assert_eq!(usual.len(), 28);
    for (language, zone) in
        [("C", "Asia/Kolkata"), ("de_DE.UTF-8", "America/New_York"), ("tr_TR.ISO-8859-9", "XYZ-13:37")]
    {
        for ((name, bytes), (_, expected)) in written(language, zone).iter().zip(&usual) {
            assert!(bytes == expected, "{name} differs with LC_ALL={language}, TZ={zone}");
        }
    }
}
