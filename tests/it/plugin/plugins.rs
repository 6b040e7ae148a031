//! Plugins that do their part: the way of a stranger, what a plugin is given, how its answers are shown.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use expectrl::{ControlCode, Expect, Session};
use serde_json::Value;

use crate::plugin::hostile::plugin_with;
use crate::support::program::{Finished, Home, examples, finish};

/// Fields of every TCP packet of the example capture, as tshark prints them.
fn tshark(fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(capture()).args([
        "-Y",
        "tcp",
        "-o",
        "tcp.desegment_tcp_streams:FALSE",
        "-T",
        "fields",
    ]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_string).collect()).collect()
}

fn capture() -> PathBuf {
    examples().unwrap().join("client.pcapng")
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs the program with the example capture loaded and these plugins beside the person's own.
fn run(home: &Home, plugins: Option<&str>, arguments: &[&str]) -> Finished {
    let mut program = home.program();
    program.arg("--load").arg(capture());
    if let Some(plugins) = plugins {
        program.arg("--plugin-dir").arg(repository(plugins));
    }
    program.args(arguments);
    finish(program, "")
}

fn json(done: &Finished) -> Value {
    assert_eq!(done.code, Some(0), "{done:?}");
    serde_json::from_str(&done.results).unwrap()
}

fn python_is_missing() -> bool {
    let missing = !Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if missing {
        eprintln!("skipped: python3 is not there");
    }
    missing
}

/// Payload of each stream and direction in the example capture, segments of at least `least` bytes, as tshark has it.
fn payload(least: u64) -> Vec<(u64, String, u64)> {
    let mut sums = BTreeMap::new();
    for row in tshark(&["tcp.stream", "tcp.dstport", "tcp.len"]) {
        let towards = if row[1] == "5001" { "server" } else { "client" };
        let bytes: u64 = row[2].parse().unwrap();
        if bytes >= least {
            *sums.entry((row[0].parse().unwrap(), towards.to_string())).or_insert(0) += bytes;
        }
    }
    sums.into_iter().map(|((stream, towards), bytes)| (stream, towards, bytes)).collect()
}

fn stranger(language: &str) {
    let home = Home::new();
    let made = home.run(&["plugin", "new", "hello", "--language", language], "");
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(
        made.messages.contains("`hello` is now a command; edit its files, then run `plugin check hello`"),
        "{made:?}"
    );

    let checked = json(&run(&home, None, &["plugin", "check", "hello", "--format", "json"]));
    let states: Vec<&str> = checked.as_array().unwrap().iter().map(|check| check["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["ok", "ok", "ok", "ok"], "{checked}");

    for (arguments, least) in
        [(["hello", "--format", "json"].as_slice(), 1), (&["hello", "--least", "1000", "--format", "json"], 1000)]
    {
        let answered = json(&run(&home, None, arguments));
        let rows: Vec<(u64, String, u64)> = answered
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let number = |key: &str| row[key].as_u64().unwrap();
                (number("tcpstream"), row["towards"].as_str().unwrap().to_string(), number("payload_bytes"))
            })
            .collect();
        let mut sorted = rows.clone();
        sorted.sort();
        assert_eq!(sorted, payload(least));
    }
    let twice = home.run(&["plugin", "new", "hello"], "");
    assert!(twice.messages.contains("a command `hello` exists already; choose another name"), "{twice:?}");
}

#[test]
fn the_way_of_a_stranger_in_shell() {
    if examples().is_some() {
        stranger("shell");
    }
}

#[test]
fn the_way_of_a_stranger_in_python() {
    if examples().is_some() && !python_is_missing() {
        stranger("python");
    }
}

#[test]
fn a_new_plugin_is_known_at_once_and_an_edited_manifest_once_checked() {
    let home = Home::new();
    let folder = home.path("data/mptcpanalyzer/plugins/hello");
    let script = "plugin new hello --language shell\nhelp hello\n";
    let done = home.run(&[], script);
    assert!(done.code == Some(0) && done.results.contains("Usage: hello [OPTIONS]"), "{done:?}");
    let manifest = std::fs::read_to_string(folder.join("plugin.toml")).unwrap();
    std::fs::write(
        folder.join("plugin.toml"),
        manifest.replace("name = \"hello\"\nsummary", "name = \"hi\"\nsummary").replace("hello --least", "hi --least"),
    )
    .unwrap();
    let done = home.run(&["plugin", "check", "hello"], "");
    assert!(done.code == Some(0) && done.results.contains("command hi"), "{done:?}");
    assert_eq!(home.run(&["help", "hi"], "").code, Some(0));
    assert_eq!(home.run(&["help", "hello"], "").code, Some(2));
}

#[test]
fn a_check_that_finds_something_fails() {
    let home = Home::new();
    let folder = plugin_with(&home, "p", "name = 'p'\nprotocol = 1\nexecutable = 'run.sh'\nzzz = 1\n", "");
    let done = home.run(&["plugin", "check", "p"], "");
    assert_eq!(done.code, Some(1));
    assert!(done.messages.contains(&format!("error: manifest: {}/plugin.toml:4: unknown key `zzz`", folder.display())));
    let done = home.run(&["plugin", "check", "nothing"], "");
    assert!(done.messages.contains("nothing is neither a directory nor an installed plugin"), "{done:?}");
}

const RECORDER: &str = "\
name = 'recorder'
version = '1'
protocol = 1
executable = 'run.sh'

[[command]]
name = 'record'
summary = 'Record the request'
connections = true
packets = { columns = ['packetid'], where = 'tcpstream == {stream} and tcplen > 0', forms = ['arrow', 'csv'] }
argument = [
    { name = 'stream', kind = 'tcpstream', required = true },
    { name = 'mode', kind = 'choice', choices = ['fast', 'slow'], default = 'slow' },
    { name = 'ratio', kind = 'number' },
    { name = 'shift', kind = 'integer', default = -3 },
    { name = 'in_file', kind = 'file' },
    { name = 'loud', kind = 'flag' },
    { name = 'text', kind = 'string' },
    { name = 'by', kind = 'column' },
    { name = 'also', kind = 'column' },
    { name = 'other', kind = 'capture' },
]
";

/// Hands its request back as text.
const RECORD: &str = r#"read -r hello
echo '{"hello": {"protocol": 1}}'
read -r request
cp "$MPTCPANALYZER_PACKETS_CSV" "$HOME/packets.csv"
printf '%s' "$request" > "$HOME/request.json"
printf '%s' "$hello" > "$HOME/hello.json"
echo '{"text": "'"$MPTCPANALYZER_ARGUMENT_MODE $MPTCPANALYZER_ARGUMENT_SHIFT $MPTCPANALYZER_ARGUMENT_LOUD"'"}'"#;

#[test]
fn a_plugin_is_given_what_its_manifest_asks_for() {
    if examples().is_none() {
        return;
    }
    let home = Home::new();
    plugin_with(&home, "recorder", RECORDER, RECORD);
    let line = "record 1 --ratio 1e-3 --in-file x/y --loud --text 'a b' --by ttl --format json --other";
    let mut words = shlex::split(line).unwrap();
    words.push(repository("examples/server.pcapng").display().to_string());
    let done = run(&home, None, &words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(json(&done)["text"], "slow -3 true");

    let request: Value = serde_json::from_str(&std::fs::read_to_string(home.path("request.json")).unwrap()).unwrap();
    let arguments = &request["arguments"];
    assert_eq!(request["kind"], "command");
    assert_eq!(request["name"], "record");
    assert_eq!(arguments["stream"], 1);
    assert_eq!(arguments["mode"], "slow");
    assert_eq!(arguments["ratio"], 0.001);
    assert_eq!(arguments["shift"], -3);
    assert_eq!(arguments["in_file"], home.path("x/y").to_str().unwrap());
    assert_eq!(arguments["loud"], true);
    assert_eq!(arguments["text"], "a b");
    assert_eq!(arguments["by"], "ttl");

    // Packets of that stream with data, by number and by the column that was typed.
    let expected: Vec<String> = tshark(&["tcp.stream", "tcp.len", "frame.number", "ip.ttl"])
        .into_iter()
        .filter(|row| row[0] == "1" && row[1] != "0")
        .map(|row| format!("{},{}", row[2], row[3]))
        .collect();
    let written = std::fs::read_to_string(home.path("packets.csv")).unwrap();
    let (header, rows) = written.split_once('\n').unwrap();
    assert_eq!(header, "packetid,ttl");
    assert_eq!(rows.lines().collect::<Vec<_>>(), expected);
    let packets = &request["capture"]["packets"];
    assert_eq!(packets["rows"], expected.len());
    assert_eq!(packets["columns"], serde_json::json!(["packetid", "ttl"]));
    assert!(packets["arrow"].as_str().unwrap().ends_with("/packets.arrow"));

    let listed = json(&run(&home, None, &["lc", "--format", "json"]));
    assert_eq!(request["capture"]["connections"], listed);
    let key = listed[0]["client_key"].as_str().unwrap();
    let digits = key.strip_prefix("0x").unwrap();
    assert!(digits.len() == 16 && digits.chars().all(|digit| digit.is_ascii_hexdigit()), "{key}");
    // The other capture comes in the same form, with files of its own.
    assert!(arguments["other"]["path"].as_str().unwrap().ends_with("server.pcapng"));
    assert!(arguments["other"]["packets"]["csv"].as_str().unwrap().ends_with("/other.csv"));
    assert_eq!(arguments["other"]["connections"][0]["client_key"], key);

    let hello: Value = serde_json::from_str(&std::fs::read_to_string(home.path("hello.json")).unwrap()).unwrap();
    assert_eq!(hello["hello"]["protocol"], 1);
    assert_eq!(hello["hello"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn wrong_lines_are_refused_before_the_plugin_is_started() {
    if examples().is_none() {
        return;
    }
    let home = Home::new();
    plugin_with(&home, "recorder", RECORDER, "touch \"$HOME/started\"");
    for (arguments, said) in [
        (["record"].as_slice(), "the following required arguments were not provided: <STREAM>"),
        (&["record", "x"], "streams are numbered from 0"),
        (&["record", "9"], "no TCP stream 9 in "),
        (&["record", "0", "--mode", "slwo"], "a similar value exists: 'slow'"),
        (&["record", "0", "--ratio", "inf"], "a number was expected"),
        (&["record", "0", "--by", "tcplne"], "no column `tcplne`: did you mean `tcplen`?"),
        (&["record", "0", "--ladu"], "a similar argument exists: '--loud'"),
    ] {
        let done = run(&home, None, arguments);
        assert!(done.messages.contains(said), "{arguments:?}: {done:?}");
    }
    assert!(home.run(&["record", "0"], "").messages.contains("no capture is loaded"));
    assert!(!home.path("started").exists());
}

#[test]
fn tables_are_printed_in_every_form() {
    let home = Home::new();
    let manifest = "name = 'p'\nprotocol = 1\nexecutable = 'run.sh'\n[[command]]\nname = 'tab'\nsummary = 'S'\n";
    let answer = r#"{"table": {"title": "Things", "columns": ["name", {"name": "size_bytes", "heading": "size", "unit": "bytes"},
        {"name": "part", "unit": "share"}, {"name": "took", "unit": "seconds"}], "rows": [["a", 1949999, 0.25, 1.5],
        ["b", null, null, 0.000001]], "notes": ["b was not seen"]}}"#
        .replace('\n', " ");
    let script = format!("read h\necho '{{\"hello\": {{\"protocol\": 1}}}}'\nread r\ncat <<'END'\n{answer}\nEND");
    plugin_with(&home, "p", manifest, &script);
    let printed = |arguments: &[&str]| {
        let done = home.run(arguments, "");
        assert_eq!((done.code, done.messages.as_str()), (Some(0), ""), "{done:?}");
        done.results
    };
    assert_eq!(
        printed(&["tab", "-H"]),
        "Things\nname    size    part     took\n-----------------------------\n\
         a     1.9 MB  25.0 %  1.500 s\nb          -       -   1.0 µs\n\nb was not seen\n"
    );
    assert_eq!(
        printed(&["tab", "--format", "csv"]),
        "name,size_bytes,part,took\na,1949999,0.25,1.500000000\nb,,,0.000001000\n"
    );
    assert_eq!(
        printed(&["tab", "--format", "ndjson"]),
        "{\"name\":\"a\",\"size_bytes\":1949999,\"part\":0.25,\"took\":1.5}\n\
         {\"name\":\"b\",\"size_bytes\":null,\"part\":null,\"took\":1e-6}\n"
    );
}

#[test]
fn an_arrow_file_is_printed_as_a_table() {
    if examples().is_none() {
        return;
    }
    let home = Home::new();
    let manifest = "name = 'p'\nprotocol = 1\nexecutable = 'run.sh'\n[[command]]\nname = 'echo_packets'\nsummary = 'S'\n\
                    packets = { columns = ['packetid', 'tcplen'], where = 'packetid < 200 and tcplen > 0' }\n";
    let script = "read h\necho '{\"hello\": {\"protocol\": 1}}'\nread r\ncp \"$MPTCPANALYZER_PACKETS_ARROW\" mine.arrow\n\
                  echo '{\"arrow\": \"mine.arrow\"}'";
    plugin_with(&home, "p", manifest, script);
    let printed = run(&home, None, &["echo-packets", "--format", "csv"]).results;
    let expected: String = tshark(&["frame.number", "tcp.len"])
        .into_iter()
        .filter(|row| row[1] != "0" && row[0].parse::<u64>().unwrap() < 200)
        .map(|row| format!("{},{}\n", row[0], row[1]))
        .collect();
    assert_eq!(printed, format!("packetid,tcplen\n{expected}"));
}

#[test]
fn the_shell_example_agrees_with_tshark() {
    if examples().is_none() {
        return;
    }
    let mut expected: BTreeMap<(u64, String, u64), (u64, u64)> = BTreeMap::new();
    for row in tshark(&["tcp.stream", "ip.src", "ip.ttl", "frame.number"]) {
        let key = (row[0].parse().unwrap(), row[1].clone(), row[2].parse().unwrap());
        expected.entry(key).or_insert((0, row[3].parse().unwrap())).0 += 1;
    }
    let home = Home::new();
    let answered = json(&run(&home, Some("plugins/ttl"), &["ttl", "--format", "json"]));
    let rows: BTreeMap<(u64, String, u64), (u64, u64)> = answered
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let number = |key: &str| row[key].as_u64().unwrap();
            let key = (number("tcpstream"), row["sender"].as_str().unwrap().to_string(), number("ttl"));
            (key, (number("packets"), number("first")))
        })
        .collect();
    assert_eq!(rows, expected);
    let one = json(&run(&home, Some("plugins"), &["ttl", "--tcpstream", "1", "--format", "json"]));
    assert!(one.as_array().unwrap().iter().all(|row| row["tcpstream"] == 1), "{one}");
}

#[test]
fn the_python_example_agrees_with_tshark() {
    if examples().is_none() || python_is_missing() {
        return;
    }
    // The share of packets with data towards the server that carry at most so much, stream by stream.
    let mut sizes: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for row in tshark(&["tcp.stream", "tcp.dstport", "tcp.len"]) {
        let bytes: u64 = row[2].parse().unwrap();
        if row[1] == "5001" && bytes > 0 {
            sizes.entry(row[0].parse().unwrap()).or_default().push(bytes);
        }
    }
    let home = Home::new();
    let done = run(&home, Some("plugins"), &["plot", "segment_sizes", "0", "--towards", "server", "--format", "json"]);
    let values = json(&done);
    for (stream, mut sizes) in sizes {
        sizes.sort_unstable();
        // The axis is in per cent.
        let mut expected = vec![(0.0, 0.0)];
        for (index, size) in sizes.iter().enumerate() {
            if sizes.get(index + 1) != Some(size) {
                #[allow(clippy::cast_precision_loss)]
                expected.push((*size as f64, (index + 1) as f64 / sizes.len() as f64 * 100.0));
            }
        }
        let name = format!("subflow {stream}, packets: {}", sizes.len());
        let drawn: Vec<(f64, f64)> = values
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["series"] == name)
            .map(|row| (row["x"].as_f64().unwrap(), row["y"].as_f64().unwrap()))
            .collect();
        assert_eq!(drawn, expected, "{name} in {values}");
    }
    let skipped =
        run(&home, Some("plugins"), &["plot", "segment_sizes", "0", "--skip-subflow", "0", "--skip-subflow", "1"]);
    assert!(skipped.messages.contains("segment_sizes: connection 0 has no packet with data"), "{skipped:?}");
}

#[test]
fn plots_of_plugins_stand_beside_the_others() {
    if examples().is_none() || python_is_missing() {
        return;
    }
    let home = Home::new();
    let plots = json(&run(&home, Some("plugins"), &["list_available_plots", "--format", "json"]));
    let names: Vec<&str> = plots.as_array().unwrap().iter().map(|plot| plot["plot"].as_str().unwrap()).collect();
    assert!(names.contains(&"dsn") && names.contains(&"segment_sizes"), "{names:?}");
    let help = run(&home, Some("plugins"), &["plot", "segment_sizes", "--help"]).results;
    assert!(help.contains("From the plugin segment_sizes 1.0.0 in ") && help.contains("--towards <ROLE>"), "{help}");
    let done = run(&home, Some("plugins"), &["plot", "segment_sizes", "0", "-o", "sizes.svg", "--title", "Mine"]);
    assert_eq!(done.messages, "wrote sizes.svg\n");
    let drawn = std::fs::read_to_string(home.path("sizes.svg")).unwrap();
    assert!(drawn.starts_with("<?xml") || drawn.starts_with("<svg"), "{}", &drawn[..100]);
}

#[test]
fn every_example_plugin_passes_its_check() {
    if examples().is_none() || python_is_missing() {
        return;
    }
    let home = Home::new();
    for name in ["ttl", "segment_sizes"] {
        let checks = json(&run(&home, Some("plugins"), &["plugin", "check", name, "--format", "json"]));
        for check in checks.as_array().unwrap() {
            assert_eq!(check["state"], "ok", "{check}");
        }
    }
}

#[test]
fn plugins_complete_like_other_commands() {
    if examples().is_none() {
        return;
    }
    let home = Home::new();
    plugin_with(&home, "recorder", RECORDER, RECORD);
    let mut program = home.program();
    program.env("NO_COLOR", "1").arg("--load").arg(capture());
    let mut session = Session::spawn(program).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(20)));
    session.expect("]> ").unwrap();
    for (typed, completed) in [
        ("reco", "record "),
        ("1 --lo", "--loud "),
        ("--mo", "--mode "),
        ("f", "fast "),
        ("--by tt", "ttl "),
        ("--also tcpl", "tcplen "),
    ] {
        session.send(typed).unwrap();
        session.send("\t").unwrap();
        session.expect(completed).unwrap();
    }
    session.send("\r").unwrap();
    session.expect("fast -3 true").unwrap();
    session.expect("]> ").unwrap();
    session.send(ControlCode::EndOfTransmission).unwrap();
}

#[test]
fn places_that_are_not_there_are_warnings() {
    let home = Home::new();
    let missing = home.run(&["--plugin-dir", "/no/such", "plugin", "list", "--format", "json"], "");
    assert_eq!((missing.code, missing.results.as_str()), (Some(0), "[]\n"), "{missing:?}");
    assert!(
        missing.messages.contains("warning: no plugins read from /no/such: No such file or directory"),
        "{missing:?}"
    );
    let config = home.write("config.toml", format!("plugin_dirs = ['{}']\n", repository("plugins").display()));
    let listed = json(&home.run(&["--config", config.to_str().unwrap(), "plugin", "list", "--format", "json"], ""));
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|plugin| plugin["plugin"].as_str().unwrap()).collect();
    assert_eq!(names, ["segment_sizes", "ttl"]);
    let own = home.run(&["plugin", "path"], "");
    assert_eq!(own.results, format!("{}\n", home.path("data/mptcpanalyzer/plugins").display()));
}
