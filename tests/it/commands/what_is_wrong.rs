//! Errors name what is wrong, a missing file before all, and say what to do.

use std::path::Path;

use crate::support::program::{Finished, Home};

/// A home with the two example captures, copies of them, and topologies.
fn home() -> Home {
    let home = Home::new();
    for end in ["client", "server"] {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{end}.pcapng"));
        std::fs::copy(example, home.path(&format!("{end}.pcapng"))).unwrap();
    }
    std::fs::copy(home.path("client.pcapng"), home.path("capture.csv")).unwrap();
    home.write("notes.txt", "text\n");
    home.write("no_paths.json", "{\"paths\": []}");
    home.write("binary.json", b"\xff\xfe\x00");
    home
}

fn run(home: &Home, line: &str) -> Finished {
    home.run(&line.split_whitespace().collect::<Vec<_>>(), "")
}

/// Holds the first line that each of `lines` says on standard error against what is expected.
fn says(lines: &[(&str, &str)]) {
    let home = home();
    for (line, expected) in lines {
        let run = run(&home, line);
        assert!(matches!(run.code, Some(1 | 2)), "{line}: {run:?}");
        assert_eq!(run.messages.lines().next(), Some(&*format!("error: {expected}")), "{line}");
    }
}

#[test]
fn a_missing_file_is_named_wherever_it_stands() {
    let home = home();
    for line in [
        "print_owds tcp client.pcapng nope.pcapng 0 0",
        "print_owds tcp nope.pcapng client.pcapng 0 0",
        "print_owds nope.pcapng client.pcapng 0 0",
        "print_owds client.pcapng 0 nope.pcapng 0",
        "print_owds tcp client.pcapng 0 nope.pcapng",
        "plot owd tcp client.pcapng 0 nope.pcapng 0 --display",
        "plot rtt nope.pcapng 0",
        "plot tcp_attr nope.pcapng 0 tcpseq",
        "tocsv nope.pcapng out.csv",
        "clean_pcap nope.pcapng",
        "clean_pcap nope.pcapng out.pcapng",
        "mptcp_summary nope.pcapng 0",
        "-l nope.pcapng lc",
    ] {
        let run = run(&home, line);
        assert!(matches!(run.code, Some(1 | 2)), "{line}: {run:?}");
        assert_eq!(run.messages, "error: nope.pcapng: no such file; check the path\n", "{line}");
    }
    says(&[
        ("nope.pcapng lt", "nope.pcapng is neither a command nor a file; check the path"),
        ("notes.txt lt", "notes.txt is neither a command nor a capture; `help` lists the commands"),
        (
            "clean_pcap client.pcapng",
            "the following required arguments were not provided: <OUT>; see `help clean_pcap`",
        ),
    ]);
}

#[test]
fn an_error_says_what_to_do() {
    says(&[
        (
            "load_topo client.pcapng",
            "client.pcapng is a capture, not a topology; see `help load_topo`, or load it with `load_pcap`",
        ),
        ("load_topo binary.json", "binary.json is not a topology: it is not text; see `help load_topo`"),
        (
            "load_topo no_paths.json",
            "no_paths.json is not a topology: its list of paths is empty; write at least one, such as {\"rate\": \
             \"10M\", \"rtt\": 20}; see `help load_topo`",
        ),
        (
            "-l client.pcapng lc -o nodir/x.csv",
            "cannot write nodir/x.csv: the folder nodir does not exist; create it first, or name a file elsewhere",
        ),
        (
            "-l client.pcapng export nodir/x.csv",
            "cannot write nodir/x.csv: the folder nodir does not exist; create it first, or name a file elsewhere",
        ),
        (
            "-l client.pcapng dump -n x",
            "invalid value 'x' for '--rows <N>': it is not a whole number; write one such as 20; see `help dump`",
        ),
        (
            "-l client.pcapng plot dsn 0 --dpi abc",
            "invalid value 'abc' for '--dpi <DPI>': it is not a number; write one such as 1.5; see `help plot dsn`",
        ),
        (
            "-l client.pcapng -l server.pcapng lc",
            "'--load <FILE>' is given more than once; load the others with `load_pcap FILE`, or name both after a \
             command over two captures; see `mptcpanalyzer --help`",
        ),
        (
            "lc -l client.pcapng",
            "unexpected argument '-l' found; put it before the command; see `help list_mptcp_connections`",
        ),
        (
            "-l client.pcapng export --json",
            "unexpected argument '--json' found; `dump -n 0 --json` prints the packets as JSON; see `help export`",
        ),
        (
            "print_owds client.pcapng server.pcapng",
            "the number of the stream in the first capture is missing; write it behind that capture; see `help \
             print_owds`",
        ),
        (
            "tocsv client.pcapng",
            "client.pcapng is a capture; name the file to write behind it: `export client.pcapng packets.csv`",
        ),
        (
            "-l client.pcapng dump --columns tcpseq",
            "unexpected argument '--columns' found; `dump packetid tcpseq` names columns without an option; see `help \
             dump`",
        ),
        (
            "client.pcapng server.pcapng lc",
            "two captures stand before the command; name one, or both behind a command over two captures",
        ),
        ("-l client.pcapng tcp_attr 0 tcpseq", "`tcp_attr` is a plot, not a command; type `plot tcp_attr`"),
        ("-l client.pcapng dss 0", "`dss` is a plot, not a command; type `plot dsn`"),
        ("-c client.pcapng lc", "cannot read the configuration file client.pcapng: it is not text; name a TOML file"),
        ("--batch nope.txt", "cannot read nope.txt: no such file; check the path"),
        ("-l client.pcapng lc -o .parquet", ".parquet is an ending without a name; write, for example, result.parquet"),
        ("-l client.pcapng export .csv", ".csv is an ending without a name; write, for example, result.csv"),
        ("-l client.pcapng plot dsn 0 -o .svg", ".svg is an ending without a name; write, for example, result.svg"),
    ]);
}

#[test]
fn the_same_flag_may_be_said_twice() {
    let run = run(&home(), "--regen -r -l client.pcapng lc");
    assert_eq!((run.code, run.messages.as_str()), (Some(0), ""));
}

/// As other programs take them: each word in quotes is a line.
#[test]
fn commands_in_quotes_are_run_one_after_the_other() {
    let home = home();
    let run = home.run(&["load_pcap client.pcapng", "tcp_summary 1 --format csv", "quit", "lc"], "");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.results.contains("\n1,server,2372,") && !run.results.contains("mptcpstream"), "{run:?}");
    let run = home.run(&["load_pcap client.pcapng", "ls 7", "lc"], "");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.messages.ends_with("command line:2: no MPTCP connection 7 in client.pcapng: the only one is 0\n"),
        "{run:?}"
    );
}

#[test]
fn an_export_takes_its_file_as_other_commands_do() {
    let home = home();
    for line in
        ["-l client.pcapng export -o one.csv", "-l client.pcapng export two.csv", "tocsv client.pcapng three.csv"]
    {
        assert_eq!(run(&home, line).code, Some(0), "{line}");
    }
    let read = |name: &str| std::fs::read(home.path(name)).unwrap();
    assert!(read("one.csv") == read("two.csv") && read("two.csv") == read("three.csv"));
}

/// The words of a line that writes, swapped.
#[test]
fn no_result_takes_the_place_of_a_capture() {
    let home = home();
    let before = |name: &str| std::fs::read(home.path(name)).unwrap();
    let kept = ["client.pcapng", "server.pcapng", "capture.csv"].map(|name| (name, before(name)));
    for line in [
        "tocsv capture.csv client.pcapng",
        "tocsv client.pcapng capture.csv",
        "tocsv server.pcapng client.pcapng",
        "clean_pcap server.pcapng client.pcapng",
        "-l client.pcapng export -o capture.csv",
        "-l client.pcapng lc -o capture.csv",
        "-l client.pcapng plot dsn 0 -o capture.csv",
        "-l client.pcapng merge tcp client.pcapng 0 server.pcapng 0 -o capture.csv",
    ] {
        let run = run(&home, line);
        assert!(matches!(run.code, Some(1 | 2)), "{line}: {run:?}");
        for (name, content) in &kept {
            assert!(before(name) == *content, "{line} wrote {name}");
        }
    }
}
