//! The native dissector against tshark: every raw column of every row, null for null.

use std::fs;
use std::path::Path;

use mptcp_trace::packets::Dissection;
use mptcp_trace::packets::native::{self, DissectOptions};
use mptcpanalyzer::packets::cells::Cells;
use mptcpanalyzer::packets::schema;
use mptcpanalyzer::packets::tshark;

use crate::support::columns_of::Columns;
use crate::support::scenarios;

/// A place where the two differ on purpose: what tshark does wrong, by capture, column and packet.
struct Fault {
    capture: &'static str,
    column: &'static str,
    packets: &'static [u64],
}

/// Everything that tshark is known to do wrong in the recorded captures.
const FAULTS: &[Fault] = &[];

pub fn by_tshark(path: &Path) -> Dissection {
    let request = tshark::TsharkRequest { profile: None, extra_fields: &[], expected_frames: None, progress: false };
    tshark::dissect(scenarios::installed_tshark(), path, &request).expect("tshark dissects it").dissection
}

pub fn natively(path: &Path) -> Dissection {
    native::dissect(path, DissectOptions { partial: true }).expect("it is dissected")
}

/// What differs, a line each: packet, column, both values.
pub fn differences(native: &Dissection, tshark: &Dissection) -> Vec<(u64, &'static str, String)> {
    let ids = |dissection: &Dissection| -> Vec<u64> {
        dissection.cells("packetid").u64().unwrap().iter().flatten().collect()
    };
    let (ours, theirs) = (ids(native), ids(tshark));
    let mut found = Vec::new();
    // Rows of the same packet; both lists rise.
    let (mut at, mut their_at) = (0, 0);
    let mut pairs = Vec::new();
    while at < ours.len() || their_at < theirs.len() {
        match (ours.get(at), theirs.get(their_at)) {
            (Some(our), Some(their)) if our == their => {
                pairs.push((at, their_at));
                at += 1;
                their_at += 1;
            }
            (Some(our), their) if their.is_none_or(|their| our < their) => {
                found.push((*our, "packetid", "only native has it".to_string()));
                at += 1;
            }
            (_, their) => {
                found.push((*their.unwrap(), "packetid", "only tshark has it".to_string()));
                their_at += 1;
            }
        }
    }
    for spec in schema::packet_columns() {
        let cells = |dissection: &Dissection| Cells::of(&dissection.cells(spec.name)).unwrap();
        let (native, tshark) = (cells(native), cells(tshark));
        for (row, their_row) in &pairs {
            let (our, their) = (native.value(*row), tshark.value(*their_row));
            if our != their {
                let shown = format!("native {our:?}, tshark {their:?}");
                found.push((ours[*row], spec.name, shown));
            }
        }
    }
    found
}

#[test]
fn every_row_of_every_capture_is_tsharks() {
    let mut wrong = Vec::new();
    let mut packets = 0;
    for path in [scenarios::captures(), scenarios::recorded()].concat() {
        if fs::metadata(&path).unwrap().len() == 0 {
            continue;
        }
        let label = scenarios::label(&path);
        let tshark = by_tshark(&path);
        let native = natively(&path);
        packets += native.height();
        let expected = |(packet, column, _): &(u64, &str, String)| {
            FAULTS.iter().any(|f| label == f.capture && *column == f.column && f.packets.contains(packet))
        };
        let found: Vec<_> = differences(&native, &tshark).into_iter().filter(|found| !expected(found)).collect();
        let count = found.len();
        wrong.extend(
            found
                .into_iter()
                .take(5)
                .map(|(packet, column, what)| format!("{label} packet {packet} {column}: {what} (one of {count})")),
        );
        if (native.facts.frames, &native.facts.interfaces) != (tshark.facts.frames, &tshark.facts.interfaces) {
            wrong.push(format!("{label}: {:?}\n{:?}", native.facts, tshark.facts));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(packets > 500_000 || scenarios::folder().is_none(), "only {packets} packets were compared");
}

/// For looking closer: `MPTCPANALYZER_COMPARE=FILE cargo test --test it compare_one -- --ignored --nocapture`.
#[test]
#[ignore = "a tool, not a test"]
fn compare_one() {
    let path = std::env::var("MPTCPANALYZER_COMPARE").expect("MPTCPANALYZER_COMPARE names a capture");
    let (native, tshark) = (natively(Path::new(&path)), by_tshark(Path::new(&path)));
    println!("native {:?}\ntshark {:?}", native.facts, tshark.facts);
    println!("{} rows, tshark {}", native.height(), tshark.height());
    for (packet, column, what) in differences(&native, &tshark) {
        println!("{packet} {column}: {what}");
    }
}
