//! The native dissector against tshark on captures made by hand: what the recorded ones do not have.

pub mod build;
mod clocks;
mod compressed;
mod files;
mod links;
mod mptcp;
mod network;
mod options;
mod random;
mod tunnels;

use std::fs;
use std::path::Path;

use mptcp_trace::packets::Dissection;

use crate::packets::native::{by_tshark, differences, natively};
use crate::support::columns_of::Columns;
use build::Frame;

/// A frame and what it is an example of.
pub type Case = (String, Frame);

/// A case.
fn case(name: impl Into<String>, frame: impl Into<Frame>) -> Case {
    (name.into(), frame.into())
}

/// Cells on which the two differ on purpose: how the name of the case begins, the column, and why tshark is not the
/// judge. `interfaces` stands for the list of interfaces.
type Fault<'a> = (&'a str, &'a str, &'a str);

/// Dissects a capture of these frames by both, and demands the same rows, cell by cell, but for `faults`. Each fault must
/// really be there. Returns what native found.
fn agree(link: u32, cases: &[Case], faults: &[Fault<'_>]) -> Dissection {
    let frames: Vec<Frame> = cases.iter().map(|(_, frame)| frame.clone()).collect();
    let name = |packet: u64| cases[usize::try_from(packet).unwrap() - 1].0.as_str();
    agree_on_file(&build::pcap(link, &frames), name, faults)
}

/// The same for the bytes of a file, whose packets `name` names.
fn agree_on_file<'a>(file: &[u8], name: impl Fn(u64) -> &'a str, faults: &[Fault<'_>]) -> Dissection {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.cap");
    fs::write(&path, file).unwrap();
    let (native, tshark) = (natively(&path), by_tshark(&path));
    let mut unseen: Vec<&Fault<'_>> = faults.iter().collect();
    let mut wrong = Vec::new();
    for (packet, column, what) in differences(&native, &tshark) {
        let name = name(packet);
        let known = |(start, known, _): &Fault<'_>| name.starts_with(start) && *known == column;
        unseen.retain(|fault| !known(fault));
        if !faults.iter().any(known) {
            wrong.push(format!("packet {packet} ({name}), {column}: {what}"));
        }
    }
    let interfaces = |fault: &&Fault<'_>| fault.1 == "interfaces";
    if faults.iter().any(|fault| interfaces(&fault)) {
        assert_ne!(native.facts.interfaces, tshark.facts.interfaces, "tshark has been mended");
        unseen.retain(|fault| !interfaces(fault));
    } else if native.facts.interfaces != tshark.facts.interfaces {
        wrong.push(format!("native {:?}\ntshark {:?}", native.facts, tshark.facts));
    }
    if native.facts.frames != tshark.facts.frames {
        wrong.push(format!("native {:?}\ntshark {:?}", native.facts, tshark.facts));
    }
    let count = wrong.len();
    wrong.truncate(40);
    assert!(wrong.is_empty(), "{count} differences:\n{}\nnative says {:?}", wrong.join("\n"), native.facts.warnings);
    assert!(unseen.is_empty(), "tshark has been mended: {unseen:?}");
    native
}

/// Dissects the bytes of a file natively.
fn dissect(file: &[u8]) -> Dissection {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.cap");
    fs::write(&path, file).unwrap();
    natively(&path)
}

/// The packets that hold TCP.
fn packet_ids(dissection: &Dissection) -> Vec<u64> {
    dissection.cells("packetid").u64().unwrap().iter().flatten().collect()
}

/// The names of the cases that native found TCP in.
fn found(cases: &[Case], dissection: &Dissection) -> Vec<String> {
    packet_ids(dissection).into_iter().map(|packet| cases[usize::try_from(packet).unwrap() - 1].0.clone()).collect()
}

/// Demands that native found TCP in each case but those whose name begins with `not `.
fn found_in_all_but_not(cases: &[Case], dissection: &Dissection) {
    let expected: Vec<String> =
        cases.iter().map(|(name, _)| name.clone()).filter(|name| !name.starts_with("not ")).collect();
    let found = found(cases, dissection);
    let wrong = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|name| !other.contains(name)).cloned().collect()
    };
    assert!(found == expected, "not found: {:?}; too many: {:?}", wrong(&expected, &found), wrong(&found, &expected));
}

/// A file that stays until the folder goes.
fn written(folder: &Path, name: &str, content: &[u8]) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path
}
