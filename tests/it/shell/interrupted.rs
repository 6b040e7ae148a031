//! Ctrl-C while captures that mean harm are worked on: every command stops at once, wherever it is, and shows nothing.
//!
//! `SIGNAL_TRIALS=10 cargo test --test it interrupted -- --nocapture` tries each so often and prints the longest times.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::program::{Finished, Home};
use crate::support::shapes::{Capture, SHAPES};

/// The program ends itself a second after Ctrl-C, whatever its loops do: less than that shows that they look.
const MOST: Duration = Duration::from_millis(900);
/// What a shape has to do with it: each stands for other loops.
const WANTED: [&str; 4] =
    ["each re-sends all before", "alternating holes", "subflows that reinject all", "thousands of subflows"];
const PACKETS: usize = 200_000;

#[test]
fn ctrl_c_stops_the_data_level_wherever_it_is() {
    let trials: u64 = std::env::var("SIGNAL_TRIALS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let home = Home::new();
    let mut moment = 1_u64;
    let (mut interrupted, mut longest) = (0, Duration::ZERO);
    for shape in WANTED.map(|name| SHAPES.iter().find(|shape| shape.name.starts_with(name)).unwrap()) {
        let mut capture = Capture::new("eth0");
        (shape.fill)(&mut capture, PACKETS);
        home.write("a.pcapng", capture.finish());
        for line in [
            "list_tcp_connections",
            "list_mptcp_connections",
            "mptcp_summary",
            "list_reinjections 0",
            "ooo 0",
            "diagnose",
            "events 0",
            "plot dsn 0 --out a.svg",
            "plot flight 0 --out a.svg",
            "loss mptcp a.pcapng 0 a.pcapng 0",
            "rtt 0",
            "export --force a.csv",
            "clean_pcap --force a.pcapng copy.pcapng",
        ] {
            for _ in 0..trials {
                moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let mut delay = Duration::from_millis(50 + (moment >> 33) % 1500);
                // A run that is over by then tells how long it takes, and the next one is met within that.
                if let (_, Met::Over(ran)) = stopped(&home, line, delay) {
                    delay = ran.mul_f64(0.1 + 0.8 * ((moment >> 33) % 100) as f64 / 100.0);
                }
                // A machine that does much else may be slow once, but not at the same place each time.
                let slow = |met: &Met| matches!(met, Met::Working(taken) if *taken >= MOST);
                let mut tries = (0..4).map(|_| stopped(&home, line, delay)).skip_while(|(_, met)| slow(met));
                let (done, met) =
                    tries.next().unwrap_or_else(|| panic!("{line}, {}: slow after {delay:?}", shape.name));
                let Met::Working(taken) = met else { continue };
                if done.code != Some(130) {
                    continue;
                }
                assert_eq!(done.results, "", "{line}, {}", shape.name);
                assert!(!home.path("a.svg").exists(), "{line}, {}", shape.name);
                interrupted += 1;
                longest = longest.max(taken);
                if trials > 1 {
                    println!("{:32} {line:32} {:4} ms", shape.name, taken.as_millis());
                }
            }
            let _ = std::fs::remove_file(home.path("a.svg"));
        }
    }
    println!("{interrupted} runs interrupted, the slowest ended after {} ms", longest.as_millis());
    assert!(interrupted > 10, "only {interrupted} runs were still working");
}

/// How Ctrl-C met a run.
enum Met {
    /// It worked, and took so long to end.
    Working(Duration),
    /// It was over after so long.
    Over(Duration),
}

/// A run that Ctrl-C comes to after `delay`.
fn stopped(home: &Home, line: &str, delay: Duration) -> (Finished, Met) {
    // An earlier run may have been over in time.
    let _ = std::fs::remove_file(home.path("a.svg"));
    let mut program = home.program();
    program.args(["--load", "a.pcapng"]).args(line.split(' '));
    let mut child = program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while started.elapsed() < delay && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (working, ran) = (child.try_wait().unwrap().is_none(), started.elapsed());
    if working {
        Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
    }
    let sent = Instant::now();
    let done = Finished::from(child.wait_with_output().unwrap());
    (done, if working { Met::Working(sent.elapsed()) } else { Met::Over(ran) })
}
