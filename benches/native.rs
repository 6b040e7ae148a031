//! The native dissector against tcptrace, which lists TCP connections, and against reading the file alone: whole
//! processes, run in turn, so that a busy machine slows all alike.
//!
//! `cargo bench --profile dev --bench native` prints medians and ratios of two captures of about 500 MB that it makes
//! from recorded ones, thousands of connections and a long one, and of the same cut to 128 bytes a frame, where tcptrace
//! reads as little as we do. Behind each row is its goal. It keeps captures in `MPTCPANALYZER_BENCH_FOLDER`, by default a
//! folder of that name in the temporary directory. With the word `flat` it measures the time per packet of five commands from
//! 50,000 to 5,000,000 packets and from 1 to 40,000 connections instead; with the word `processors` what one processor takes
//! and what all of them take.

#[allow(dead_code)] // Of what makes captures, only a part is needed here.
mod generate;
mod process;

use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use process::{Taken, median, timed};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Rounds, each of one run of everything.
const ROUNDS: usize = 7;

/// Bytes of each frame in captures that are cut.
const CUT: usize = 128;

/// Starts a program.
type Start<'a> = Box<dyn Fn() -> Command + 'a>;

fn main() -> Outcome<()> {
    let folder = std::env::var_os("MPTCPANALYZER_BENCH_FOLDER")
        .map_or_else(|| std::env::temp_dir().join("mptcpanalyzer-bench"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    if std::env::args().any(|word| word == "flat") {
        return flat(&folder);
    }
    let captures =
        [many as fn(&Path, usize) -> Outcome<Made>, long].map(|make| [make(&folder, usize::MAX), make(&folder, CUT)]);
    for capture in captures.into_iter().flatten() {
        let capture = capture?;
        if std::env::args().any(|word| word == "processors") {
            on_one_and_on_all(&capture, &folder)?;
        } else {
            against_others(&capture, &folder)?;
        }
    }
    Ok(())
}

/// A capture that was made.
struct Made {
    path: PathBuf,
    packets: f64,
    /// Its frames were cut.
    cut: bool,
}

impl Made {
    /// Makes the capture with `write` unless it was made before.
    fn new(path: PathBuf, write: impl FnOnce(&Path) -> std::io::Result<()>) -> Outcome<Made> {
        if !path.exists() {
            let part = path.with_extension("part");
            write(&part)?;
            std::fs::rename(&part, &path)?;
        }
        let packets = mptcp_trace::packets::capture_file::count_frames(&path)?.whole as f64;
        let cut = path.file_stem().is_some_and(|name| name.to_string_lossy().ends_with(&CUT.to_string()));
        Ok(Made { path, packets, cut })
    }
}

/// The name of a capture with at most `snap` bytes of each frame.
fn named(name: &str, snap: usize) -> String {
    if snap == usize::MAX { format!("{name}.pcap") } else { format!("{name}{snap}.pcap") }
}

/// Thousands of connections.
fn many(folder: &Path, snap: usize) -> Outcome<Made> {
    Made::new(folder.join(named("many", snap)), |path| {
        let short = "12_many_short/client.pcapng";
        let names = [short, "02_fullmesh/client.pcap", "04_rm_addr_prio/client.pcap", "06_lossy/client.pcapng"];
        let recorded = names.map(generate::recording);
        generate::write(path, generate::many::multiplied(&recorded, 18), snap)
    })
}

/// One connection.
fn long(folder: &Path, snap: usize) -> Outcome<Made> {
    Made::new(folder.join(named("long", snap)), |path| {
        let recorded = generate::recording("15_bulk/client.pcapng");
        generate::write(path, generate::longer::prolonged(&recorded, 6), snap)
    })
}

fn against_others(capture: &Made, folder: &Path) -> Outcome<()> {
    let ours = |command: &[&str]| {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mptcpanalyzer"));
        process.env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_CACHE_HOME", folder);
        process.args(["--no-cache", "--dissector", "native", "--load"]).arg(&capture.path).args(command);
        process
    };
    let with_file = |program: &str, arguments: &[&str]| {
        let mut process = Command::new(program);
        process.args(arguments).arg(&capture.path);
        process
    };
    let figure = folder.join("figure.svg").display().to_string();
    let values = folder.join("values.csv").display().to_string();
    let runs: [(&str, Start<'_>); 21] = [
        ("tcptrace -n", Box::new(|| with_file("tcptrace", &["-n"]))),
        ("cat | wc -c", Box::new(|| with_file("sh", &["-c", "cat \"$0\" | wc -c"]))),
        ("list_mptcp_connections", Box::new(|| ours(&["list_mptcp_connections"]))),
        ("list_tcp_connections", Box::new(|| ours(&["list_tcp_connections"]))),
        ("mptcp_summary 0", Box::new(|| ours(&["mptcp_summary", "0"]))),
        ("tcp_summary 0", Box::new(|| ours(&["tcp_summary", "0"]))),
        ("mptcp_summary of all", Box::new(|| ours(&["mptcp_summary"]))),
        ("tcp_summary of all", Box::new(|| ours(&["tcp_summary"]))),
        ("diagnose", Box::new(|| ours(&["diagnose"]))),
        ("rtt 0", Box::new(|| ours(&["rtt", "0"]))),
        ("ooo 0", Box::new(|| ours(&["ooo", "0"]))),
        ("list_reinjections 0", Box::new(|| ours(&["list_reinjections", "0"]))),
        ("events 0", Box::new(|| ours(&["events", "0"]))),
        ("bursts 0", Box::new(|| ours(&["bursts", "0"]))),
        ("mptcp_required_buffer 0", Box::new(|| ours(&["mptcp_required_buffer", "0"]))),
        ("plot dsn 0", Box::new(|| ours(&["plot", "dsn", "0", "--out", &figure]))),
        ("plot dsn 0, values", Box::new(|| ours(&["plot", "dsn", "0", "--out", &values]))),
        ("plot rtt 0", Box::new(|| ours(&["plot", "rtt", "0", "--out", &figure]))),
        ("plot ooo 0", Box::new(|| ours(&["plot", "ooo", "0", "--out", &figure]))),
        ("plot flight 0", Box::new(|| ours(&["plot", "flight", "0", "--out", &figure]))),
        ("plot mptcp_gput 0", Box::new(|| ours(&["plot", "mptcp_gput", "0", "--out", &figure]))),
    ];
    // What they are measured by: one connection by the listing, all by their summary.
    let (listing, summary) = (2, 6);
    let mut taken: Vec<Vec<Taken>> = vec![vec![]; runs.len()];
    // A first run of each that does not count: the capture and the programs come from the disk.
    for round in 0..=ROUNDS {
        for (run, all) in runs.iter().zip(&mut taken) {
            let one = timed(run.1(), output(folder)?)?;
            if round > 0 {
                all.push(one);
            }
        }
    }
    let bytes = capture.path.metadata()?.len();
    println!("{}: {bytes} bytes, {} packets; medians of {ROUNDS}", capture.path.display(), capture.packets);
    let heads = ["", "seconds", "/tcptrace", "/cat", "/listing", "/summary", "B/packet"];
    let [name, wall, tcptrace, cat, listing_head, summary_head, memory] = heads;
    println!("{name:22}  {wall:>7}  {tcptrace:>9}  {cat:>6}  {listing_head:>8}  {summary_head:>8}  {memory:>8}");
    let verdict = |goal: f64, found: f64| format!("{goal} {}", if found <= goal { "met" } else { "MISSED" });
    for ((name, _), all) in runs.iter().zip(&taken) {
        let wall = median(all.iter().map(|one| one.wall));
        // Ratios of each round by itself, because its runs had the same neighbours on the machine.
        let ratio = |other: usize| median(all.iter().zip(&taken[other]).map(|(one, other)| one.wall / other.wall));
        let memory = median(all.iter().map(|one| one.memory)) / capture.packets;
        let ratios = (ratio(0), ratio(1), ratio(listing), ratio(summary));
        let goals = match *name {
            "list_mptcp_connections" | "list_tcp_connections" | "mptcp_summary of all" | "tcp_summary of all" => {
                let least = if capture.cut { 0.8 } else { 0.4 };
                format!("  /tcptrace {}, B/packet {}", verdict(least, ratios.0), verdict(120.0, memory))
            }
            "diagnose" => format!("  /summary {}", verdict(1.5, ratios.3)),
            "rtt 0"
            | "ooo 0"
            | "list_reinjections 0"
            | "events 0"
            | "bursts 0"
            | "mptcp_required_buffer 0"
            | "plot dsn 0"
            | "plot rtt 0"
            | "plot ooo 0"
            | "plot flight 0"
            | "plot mptcp_gput 0" => {
                format!("  /listing {}", verdict(1.3, ratios.2))
            }
            _ => String::new(),
        };
        println!(
            "{name:22}  {wall:7.3}  {:9.2}  {:6.2}  {:8.2}  {:8.2}  {memory:8.0}{goals}",
            ratios.0, ratios.1, ratios.2, ratios.3
        );
    }
    Ok(())
}

/// What the second processor brings: the same commands confined to one by `taskset`, and free.
fn on_one_and_on_all(capture: &Made, folder: &Path) -> Outcome<()> {
    println!("{}: seconds, medians of {ROUNDS}", capture.path.display());
    println!("{:22}  {:>7}  {:>7}  {:>5}", "", "on one", "on all", "times");
    for command in ["list_mptcp_connections", "mptcp_summary", "tcp_summary"] {
        let start = |confined: bool| {
            let program = env!("CARGO_BIN_EXE_mptcpanalyzer");
            let mut process = Command::new(if confined { "taskset" } else { program });
            if confined {
                process.args(["--cpu-list", "0", program]);
            }
            process.env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_CACHE_HOME", folder);
            process.args(["--no-cache", "--dissector", "native", "--load"]).arg(&capture.path).arg(command);
            timed(process, output(folder)?)
        };
        let mut taken = [vec![], vec![]];
        for round in 0..=ROUNDS {
            for (confined, all) in [true, false].into_iter().zip(&mut taken) {
                let one = start(confined)?;
                if round > 0 {
                    all.push(one.wall);
                }
            }
        }
        let [one, all] = taken.map(|walls| median(walls.into_iter()));
        let times = one / all;
        let goal = if capture.cut {
            String::new()
        } else {
            format!("  goal 1.6 {}", if times >= 1.6 { "met" } else { "MISSED" })
        };
        println!("{command:22}  {one:7.3}  {all:7.3}  {times:5.2}{goal}");
    }
    Ok(())
}

/// Time per packet must not grow with packets or connections. Packets without payload, so that dissection and tracking
/// are measured and not the disk.
fn flat(folder: &Path) -> Outcome<()> {
    const SNAP: usize = 110;
    let bulk = generate::recording("15_bulk/client.pcapng");
    let short = [generate::recording("12_many_short/client.pcapng")];
    let mut made = Vec::new();
    for times in [1, 6, 56] {
        let path = folder.join(format!("long_{times}.pcap"));
        made.push(Made::new(path, |path| generate::write(path, generate::longer::prolonged(&bulk, times), SNAP))?);
    }
    for rounds in [1, 20, 200] {
        let path = folder.join(format!("many_{rounds}.pcap"));
        made.push(Made::new(path, |path| generate::write(path, generate::many::multiplied(&short, rounds), SNAP))?);
    }
    let (copy, table) =
        (folder.join("copy.pcap").display().to_string(), folder.join("table.csv").display().to_string());
    let commands: [(&str, &[&str]); 5] = [
        ("listing", &["list_mptcp_connections", "--format", "ndjson"]),
        ("summary", &["mptcp_summary", "--format", "ndjson"]),
        ("diagnose", &["diagnose", "--format", "ndjson"]),
        ("export", &["export", &table]),
        ("clean_pcap", &["clean_pcap", "CAPTURE", &copy, "--force"]),
    ];
    println!("nanoseconds and bytes of memory per packet, medians of 3");
    println!("{:14}  {:>9}  {:>11}", "", "packets", "connections");
    for capture in made {
        let mut connections = 0;
        let mut told = String::new();
        for (name, command) in commands {
            let mut runs = Vec::new();
            for _ in 0..=3 {
                let mut process = Command::new(env!("CARGO_BIN_EXE_mptcpanalyzer"));
                process.env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_CACHE_HOME", folder);
                process.args(["--dissector", "native"]);
                if !command.contains(&"CAPTURE") {
                    process.arg("--load").arg(&capture.path);
                }
                let path = capture.path.as_os_str();
                process.args(command.iter().map(|word| if *word == "CAPTURE" { path } else { word.as_ref() }));
                runs.push(timed(process, output(folder)?)?);
            }
            if name == "listing" {
                connections = std::fs::read_to_string(folder.join("result.txt"))?.lines().count();
            }
            let wall = median(runs[1..].iter().map(|one| one.wall)) * 1e9 / capture.packets;
            let memory = median(runs[1..].iter().map(|one| one.memory)) / capture.packets;
            told += &format!("  {name} {wall:5.0} ns {memory:4.0} B");
        }
        let name = capture.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        println!("{name:14}  {:9}  {connections:11}{told}", capture.packets);
    }
    Ok(())
}

/// Where a process prints to: a file, which takes all at once.
fn output(folder: &Path) -> Outcome<Stdio> {
    Ok(Stdio::from(File::create(folder.join("result.txt"))?))
}
