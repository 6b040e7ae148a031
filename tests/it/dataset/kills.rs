//! A run that is killed at any moment leaves nothing that another run does not put right.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use super::{analyze, content, differing, folder_of_forty, folder_of_small, small};
use crate::support::program::Home;

#[test]
fn after_kills_at_twenty_moments_a_run_equals_an_undisturbed_one() {
    let home = Home::new();
    let folder = folder_of_small(&home);
    let undisturbed = home.path("undisturbed");
    let begun = std::time::Instant::now();
    assert_eq!(analyze(&home, &[&folder], &undisturbed, &[]).code, Some(0));
    let whole = begun.elapsed();
    let expected = content(&undisturbed);
    let out = home.path("killed");
    for moment in 0..20_u32 {
        let mut program = home.program();
        program.args(["analyze", folder.to_str().unwrap(), "--out", out.to_str().unwrap()]);
        if moment % 2 == 0 {
            program.arg("--force");
        }
        let mut child = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(f64::from(moment) / 20.0) + Duration::from_millis(3));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let done = analyze(&home, &[&folder], &out, &[]);
    assert_eq!(done.code, Some(0), "{}", done.messages);
    assert_eq!(differing(&expected, &content(&out)), [] as [String; 0]);
}

#[test]
fn two_runs_at_once_write_what_one_does() {
    let home = Home::new();
    let folder = folder_of_small(&home);
    let alone = home.path("alone");
    assert_eq!(analyze(&home, &[&folder], &alone, &[]).code, Some(0));
    let out = home.path("together");
    let start = || {
        let mut program = home.program();
        program.args(["analyze", folder.to_str().unwrap(), "--out", out.to_str().unwrap()]);
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for child in [start(), start()] {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(differing(&content(&alone), &content(&out)), [] as [String; 0]);
}

#[test]
fn ctrl_c_ends_a_run_and_what_is_done_stays() {
    let home = Home::new();
    let folder = folder_of_forty(&home);
    let out = home.path("dataset");
    let mut program = home.program();
    program.args(["analyze", folder.to_str().unwrap(), "--out", out.to_str().unwrap(), "--jobs", "1"]);
    let mut child = program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(30);
    let parts = || fs::read_dir(out.join("captures")).map_or(0, |entries| entries.count());
    while parts() < 4 && std::time::Instant::now() < until {
        std::thread::sleep(Duration::from_millis(2));
    }
    let id = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!((4..41).contains(&parts()), "{}", parts());
    let left: Vec<_> = fs::read_dir(out.join("_work")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Processes that a process has started.
fn children_of(parent: u32) -> Vec<nix::unistd::Pid> {
    let listed =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let is_child = |id: &i32| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("PPid:").is_some_and(|of| of.trim() == parent.to_string()))
    };
    listed.filter(is_child).map(nix::unistd::Pid::from_raw).collect()
}

#[test]
fn a_killed_process_costs_at_most_the_capture_under_way() {
    let home = Home::new();
    let folder = home.path("captures");
    fs::create_dir(&folder).unwrap();
    for number in 0..60 {
        fs::copy(&small()[number % 12], folder.join(format!("{number}.pcap"))).unwrap();
    }
    let (undisturbed, out) = (home.path("undisturbed"), home.path("dataset"));
    assert_eq!(analyze(&home, &[&folder], &undisturbed, &[]).code, Some(0));
    let mut program = home.program();
    program.args(["analyze", folder.to_str().unwrap(), "--out", out.to_str().unwrap(), "--jobs", "2"]);
    let mut child = program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut killed = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(7));
        for process in children_of(child.id()) {
            killed += u32::from(nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGKILL).is_ok());
        }
    };
    assert!(killed > 0 && matches!(status.code(), Some(0 | 3)), "{killed} {status}");
    let rows = super::rows(&out, "captures");
    assert_eq!(rows.len(), 60);
    let failed = rows.iter().filter(|row| row["status"] == "crashed").count();
    assert!(failed <= usize::try_from(killed).unwrap(), "{failed} failed, {killed} killed");
    assert_eq!(analyze(&home, &[&folder], &out, &["--retry-errors"]).code, Some(0));
    assert_eq!(differing(&content(&undisturbed), &content(&out)), [] as [String; 0]);
}
