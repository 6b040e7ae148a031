//! Commands about all packets of a capture: `clean_pcap`, `export`, `sql` and `dump`, as ratios to the list of its streams
//! and to `cp`, which copies as much as `clean_pcap` does. The last line has both together: what `clean_pcap` would take
//! if it found out what to keep as the list does, and then copied as `cp` does. Whole processes, run in turn, so that a
//! busy machine slows all alike.
//!
//! `cargo bench --profile dev --bench tables` makes a capture of about 250 MB from recorded ones, or takes those named in
//! `MPTCPANALYZER_BENCH_CAPTURES`, parted by colons.

#[allow(dead_code)] // Of what makes captures, only a part is needed here.
mod generate;
mod process;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use process::{Taken, median, timed};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Rounds, each of one run of everything.
const ROUNDS: usize = 5;

/// Times of the list that a command may take.
const TARGETS: [(&str, f64); 3] = [("clean_pcap", 1.5), ("export Parquet", 2.5), ("export CSV", 3.0)];
/// Bytes that an export may take beside what the list takes.
const MEMORY: f64 = 200e6;

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let named = std::env::var("MPTCPANALYZER_BENCH_CAPTURES").unwrap_or_default();
    let mut captures: Vec<PathBuf> = named.split(':').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    if captures.is_empty() {
        let path = folder.path().join("many.pcap");
        let names = ["12_many_short/client.pcapng", "02_fullmesh/client.pcap", "06_lossy/client.pcapng"];
        generate::write(&path, generate::many::multiplied(&names.map(generate::recording), 18), usize::MAX)?;
        captures.push(path);
    }
    captures.iter().try_for_each(|capture| measure(capture, folder.path()))
}

fn measure(capture: &Path, folder: &Path) -> Outcome<()> {
    let out = |name: &str| folder.join(name).display().to_string();
    let ours = |words: &[&str]| {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mptcpanalyzer"));
        process.env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_CACHE_HOME", folder);
        process.args(["--no-cache", "--dissector", "native"]).args(words);
        process
    };
    let path = capture.display().to_string();
    let grouped = "SELECT tcpstream, COUNT(*), SUM(tcplen) FROM packets GROUP BY tcpstream";
    let runs: [(&str, &dyn Fn() -> Command); 8] = [
        ("list_tcp_connections", &|| ours(&["-l", &path, "list_tcp_connections"])),
        ("cp", &|| {
            let mut process = Command::new("cp");
            process.args([&path, &out("copy.pcap")]);
            process
        }),
        ("clean_pcap", &|| ours(&["clean_pcap", &path, &out("clean.pcap"), "--force"])),
        ("dump --where", &|| ours(&["-l", &path, "dump", "packetid", "--where", "tcplen > 1000", "-n", "5"])),
        ("sql COUNT(*)", &|| ours(&["-l", &path, "sql", "SELECT COUNT(*) FROM packets"])),
        ("sql GROUP BY", &|| ours(&["-l", &path, "sql", grouped])),
        ("export Parquet", &|| ours(&["-l", &path, "export", &out("table.parquet")])),
        ("export CSV", &|| ours(&["-l", &path, "export", &out("table.csv")])),
    ];
    let mut taken: Vec<Vec<Taken>> = vec![vec![]; runs.len()];
    // A first run of each that does not count: the capture and the programs come from the disk.
    for round in 0..=ROUNDS {
        for ((_, run), all) in runs.iter().zip(&mut taken) {
            let one = timed(run(), Stdio::null())?;
            if round > 0 {
                all.push(one);
            }
        }
    }
    println!("{path}: {} bytes; medians of {ROUNDS}", capture.metadata()?.len());
    println!("{:22}  {:>7}  {:>6}  {:>6}  {:>6}", "", "seconds", "/list", "/cp", "MB");
    for ((name, _), all) in runs.iter().zip(&taken) {
        // Ratios of each round by itself, because its runs had the same neighbours on the machine.
        let ratio = |other: usize| median(all.iter().zip(&taken[other]).map(|(one, other)| one.wall / other.wall));
        let (wall, memory) = (median(all.iter().map(|one| one.wall)), median(all.iter().map(|one| one.memory)) / 1e6);
        let verdict = |met: bool| if met { "met" } else { "MISSED" };
        let target = TARGETS.iter().find(|(of, _)| of == name).map(|(_, target)| {
            let more = memory * 1e6 - median(taken[0].iter().map(|one| one.memory));
            let (time, space) = (verdict(ratio(0) <= *target), verdict(more <= MEMORY));
            let of_time = format!("  target {target:.1} {time}");
            if name.starts_with("export") { format!("{of_time}, {:.0} MB more {space}", MEMORY / 1e6) } else { of_time }
        });
        println!(
            "{name:22}  {wall:7.3}  {:6.2}  {:6.2}  {memory:6.0}{}",
            ratio(0),
            ratio(1),
            target.unwrap_or_default()
        );
    }
    let both = |other: usize| {
        median(
            taken[0].iter().zip(&taken[1]).zip(&taken[other]).map(|((list, cp), one)| one.wall / (list.wall + cp.wall)),
        )
    };
    println!("clean_pcap to list and cp together: {:.2}", both(2));
    Ok(())
}
