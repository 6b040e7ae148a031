//! Processes that this one started for its work: tshark, capturing programs, plugins. They end with it, and so does what
//! they started.
//!
//! Each gets a process group of its own, which the terminal's Ctrl-C does not reach, and a variable in its environment
//! that all its descendants inherit: by that those are found which left the group. A descendant that clears its
//! environment escapes.
//!
//! A program that gets the terminal or results (`| program`, `!program`, a pager) stays in this program's group, so that
//! Ctrl-C reaches it, and may leave something in the background. It is ended only where this program ends without it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// The variable that marks what was started from here.
const VARIABLE: &str = "MPTCPANALYZER_STARTED_AS";

/// How often the list of processes is searched for one that starts others as fast as they are ended.
const SEARCHES: usize = 5;

/// Memory that a process of this program takes besides what it was started for, bytes.
pub const BASE_MEMORY: u64 = 256 << 20;

/// Families that run. Locked while one is started, so that none is started unseen.
static RUNNING: Mutex<Vec<Family>> = Mutex::new(Vec::new());

#[derive(Debug, Clone, PartialEq, Eq)]
struct Family {
    /// Where it has a group of its own.
    group: Option<Pid>,
    mark: String,
}

/// A started process and all that it started. When dropped, they are ended.
#[derive(Debug)]
pub struct Descendants {
    family: Option<Family>,
}

/// A started process that is not ended with this value. When dropped, it is forgotten.
#[derive(Debug)]
pub struct Beside {
    family: Family,
}

/// Starts `command` in a process group of its own.
///
/// # Errors
/// When the system cannot start it.
pub fn start(command: &mut Command) -> io::Result<(Child, Descendants)> {
    let (child, family) = begin(command, true)?;
    Ok((child, Descendants { family: Some(family) }))
}

/// Starts `command` in this program's process group. It ends by itself, unless this program ends first.
///
/// # Errors
/// When the system cannot start it.
pub fn start_beside(command: &mut Command) -> io::Result<(Child, Beside)> {
    let (child, family) = begin(command, false)?;
    Ok((child, Beside { family }))
}

/// Output of `command` after its end.
///
/// # Errors
/// When the system cannot start it.
pub fn output(command: &mut Command) -> io::Result<Output> {
    let (child, _descendants) = start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    child.wait_with_output()
}

/// Has this process end with the one that started it, `starter`, also where that is killed; false where that has ended
/// already.
#[must_use]
pub fn end_with(starter: u32) -> bool {
    #[cfg(target_os = "linux")]
    {
        // It is the end of the thread that started this process which counts; that thread waits for the answer.
        let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    }
    // It may have ended before that.
    u32::try_from(nix::unistd::getppid().as_raw()).is_ok_and(|parent| parent == starter)
}

fn begin(command: &mut Command, own_group: bool) -> io::Result<(Child, Family)> {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let mark = format!("{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
    command.env(VARIABLE, &mark);
    if own_group {
        command.process_group(0);
    }
    let mut running = running();
    let child = command.spawn()?;
    let group = i32::try_from(child.id()).ok().map(Pid::from_raw).filter(|_| own_group);
    let family = Family { group, mark };
    running.push(family.clone());
    Ok((child, family))
}

fn running() -> std::sync::MutexGuard<'static, Vec<Family>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Descendants {
    /// Asks the group to end, as Ctrl-C does.
    pub fn ask_to_end(&self) {
        if let Some(group) = self.family.as_ref().and_then(|family| family.group) {
            let _ = killpg(group, Signal::SIGINT);
        }
    }

    /// Ends the process and all that it started, and keeps how `child`, which is that process, ended.
    pub fn end_and_wait(&mut self, child: &mut Child, status: &mut Option<ExitStatus>) {
        self.end();
        if status.is_none() {
            let _ = child.kill();
            *status = child.wait().ok();
        }
    }

    /// Ends the process and all that it started.
    pub fn end(&mut self) {
        if let Some(family) = self.family.take() {
            family.end();
            family.forget();
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.family.forget();
    }
}

impl Drop for Descendants {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ends all that was started from here and runs, because this process is about to end without unwinding. Nothing more is
/// started: who wants to waits for the end.
pub fn end_all() {
    let mut running = running();
    for family in running.drain(..) {
        family.end();
    }
    std::mem::forget(running);
}

impl Family {
    fn forget(&self) {
        running().retain(|other| other != self);
    }

    fn end(&self) {
        // A group of which nothing is left is what is wanted.
        if let Some(group) = self.group {
            let _ = killpg(group, Signal::SIGKILL);
        }
        for _ in 0..SEARCHES {
            let escaped = marked(&self.mark);
            if escaped.is_empty() {
                break;
            }
            for process in escaped {
                let _ = kill(process, Signal::SIGKILL);
            }
        }
    }
}

/// The running processes with this mark in their environment, this one excepted.
fn marked(mark: &str) -> Vec<Pid> {
    let wanted = format!("{VARIABLE}={mark}");
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter(|number| u32::try_from(*number).is_ok_and(|number| number != std::process::id()))
        .filter(|number| {
            // Of a process that has ended and is still to be waited for this is empty.
            let environment = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| OsStr::from_bytes(variable) == wanted.as_str())
        })
        .map(Pid::from_raw)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use super::*;

    fn gone(mark: &str) -> bool {
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            if marked(mark).is_empty() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    #[test]
    fn what_left_the_group_ends_as_well() {
        let mut command = Command::new("sh");
        command.args(["-c", "setsid sleep 60 & echo started; wait"]).stdout(Stdio::piped());
        let (mut child, mut descendants) = start(&mut command).unwrap();
        let mark = descendants.family.as_ref().unwrap().mark.clone();
        let until = Instant::now() + Duration::from_secs(5);
        // The shell, and the sleeping process in a session of its own.
        while marked(&mark).len() < 2 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(marked(&mark).len(), 2);
        descendants.end();
        child.wait().unwrap();
        assert!(gone(&mark));
    }
}
