//! Results have the same columns, in the same order and of the same types, whatever the capture has: files of several
//! captures join.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use polars::prelude::{DataFrame, SerReader};
use polars_io::parquet::read::ParquetReader;

use crate::support::made;
use crate::support::program::Home;
use crate::support::scenarios;

/// What may be asked of one capture.
const OF_ONE: [&str; 34] = [
    "list_interfaces",
    "captures",
    "list_tcp_connections",
    "tcp_summary",
    "tcp_summary 0",
    "retransmissions 0",
    "list_mptcp_connections",
    "list_subflows 0",
    "list_subflows --all",
    "mptcp_summary",
    "mptcp_summary 0",
    "mptcp_required_buffer 0",
    "handshakes",
    "addresses 0",
    "traffic 0",
    "bursts 0",
    "bursts 0 --towards client",
    "handovers 0",
    "events 0",
    "diagnose",
    "diagnose --all",
    "list_reinjections 0",
    "list_reinjections 0 --summary",
    "rtt 0",
    "rtt 0 --samples",
    "ooo 0",
    "ooo 0 --over-time",
    "dump -n 5",
    "dump -n 5 --where 'tcplen > 100000'",
    "sql \"SELECT * FROM connections\"",
    "sql \"SELECT * FROM subflows\"",
    "columns",
    "plot dsn 0",
    "checkhealth",
];

/// What may be asked of two captures of the same transfer, or of others.
const OF_TWO: [&str; 14] = [
    "map_tcp_connection {1} {2}",
    "map_tcp_connection {1} {2} 0",
    "map_mptcp_connection {1} {2}",
    "map_mptcp_connection {1} {2} 0",
    "clock {1} {2}",
    "print_owds mptcp {1} 0 {2}",
    "print_owds tcp {1} 0 {2}",
    "print_owds mptcp {1} 0 {2} --samples",
    "loss mptcp {1} 0 {2}",
    "loss mptcp {1} 0 {2} --packets",
    "summary_extended {1} 0 {2}",
    "qualify_reinjections {1} 0 {2}",
    "merge mptcp {1} 0 {2}",
    "merge tcp {1} 0 {2}",
];

/// Captures in the folder and below it.
fn captures_in(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { captures_in(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng"))
        .collect();
    found.sort();
    found
}

/// Captures that are small: those of the project, and the recorded scenarios where they are here.
fn captures() -> Vec<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<PathBuf> =
        ["examples", "tests/captures"].iter().flat_map(|folder| captures_in(&project.join(folder))).collect();
    found.extend(scenarios::captures());
    found.retain(|path| path.metadata().unwrap().len() < 1_500_000);
    found
}

/// Names and types.
type Columns = Vec<(String, String)>;

fn columns(parquet: &Path) -> Columns {
    let frame: DataFrame = ParquetReader::new(File::open(parquet).unwrap()).finish().unwrap();
    let column = |column: &polars::prelude::Column| (column.name().to_string(), column.dtype().to_string());
    frame.columns().iter().map(column).collect()
}

/// The first columns that each line had, where it was, and how often it was looked at.
#[derive(Default)]
struct Seen(BTreeMap<&'static str, (Columns, PathBuf, usize)>);

impl Seen {
    fn look(&mut self, lines: &[&'static str], home: &Home, capture: &Path, other: Option<&Path>) {
        let files: Vec<PathBuf> = (0..lines.len()).map(|index| home.path(&format!("{index}.parquet"))).collect();
        let shown = |path: &Path| format!("'{}'", path.display());
        let script: String = lines
            .iter()
            .zip(&files)
            .map(|(line, file)| {
                let line = line.replace("{1}", &shown(capture));
                let line = line.replace("{2}", &other.map(shown).unwrap_or_default());
                format!("{line} -o {}\n", file.display())
            })
            .collect();
        let script = home.write("script", script);
        let words = ["--no-cache", "--keep-going", "-l", capture.to_str().unwrap(), "-b", script.to_str().unwrap()];
        let run = home.run(&words, "");
        assert!(!run.messages.contains("panic"), "{}", run.messages);
        for (line, file) in lines.iter().zip(&files).filter(|(_, file)| file.is_file()) {
            let found = columns(file);
            let (expected, first, times) =
                self.0.entry(line).or_insert_with(|| (found.clone(), capture.to_path_buf(), 0));
            assert_eq!(&found, expected, "{line} of {} and of {}", capture.display(), first.display());
            *times += 1;
            std::fs::remove_file(file).unwrap();
        }
    }
}

#[test]
fn columns_do_not_depend_on_the_rows() {
    let captures = captures();
    let mut seen = Seen::default();
    let home = Home::new();
    for capture in &captures {
        seen.look(&OF_ONE, &home, capture, None);
    }
    for line in OF_ONE {
        let times = seen.0.get(line).map_or(0, |(.., times)| *times);
        assert!(times * 2 > captures.len(), "`{line}` answered for {times} of {} captures", captures.len());
    }
}

#[test]
fn columns_of_two_captures_do_not_depend_on_the_rows() {
    let captures = captures();
    let mut seen = Seen::default();
    let home = Home::new();
    let mut pairs = 0;
    for pair in captures.windows(2).filter(|pair| pair[0].parent() == pair[1].parent()) {
        seen.look(&OF_TWO, &home, &pair[0], Some(&pair[1]));
        pairs += 1;
    }
    for line in OF_TWO {
        let times = seen.0.get(line).map_or(0, |(.., times)| *times);
        assert!(times * 2 > pairs, "`{line}` answered for {times} of {pairs} pairs");
    }
}

/// Without any MPTCP, and with names of paths: no row tells that.
#[test]
fn empty_results_and_named_paths_have_all_columns() {
    let home = Home::new();
    let udp = home.write("udp.pcap", made::pcap(&[&made::udp()]));
    let one = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    let lines =
        ["list_mptcp_connections", "list_tcp_connections", "list_subflows --all", "mptcp_summary", "handshakes"];
    let mut seen = Seen::default();
    for capture in [&udp, &one] {
        seen.look(&lines, &home, capture, None);
    }
    assert!(seen.0.values().all(|(.., times)| *times == 2));
    let named = home.write("named.toml", "[interfaces]\n\"10.0.1.1\" = \"Wi-Fi\"\n");
    for capture in [&udp, &one] {
        let file = home.path("named.parquet");
        let words = ["--config", named.to_str().unwrap(), "-l", capture.to_str().unwrap(), "lt", "-o"];
        let run = home.run(&[&words[..], &[file.to_str().unwrap()]].concat(), "");
        assert_eq!(run.code, Some(0), "{}", run.messages);
        let names: Vec<String> = columns(&file).into_iter().map(|(name, _)| name).take(3).collect();
        assert_eq!(names, ["tcpstream", "path", "client_ip"], "{}", capture.display());
    }
}
