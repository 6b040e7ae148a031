//! Whole processes, timed from outside.

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one run took.
#[derive(Clone, Copy)]
pub struct Taken {
    /// Seconds by the clock.
    pub wall: f64,
    /// Peak memory in bytes; 0 where the system does not tell.
    pub memory: f64,
}

/// Runs a process to its end; what it prints goes to `output`.
pub fn timed(mut command: Command, output: Stdio) -> Result<Taken, Box<dyn Error>> {
    command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn()?;
    let mut memory = 0.0_f64;
    loop {
        memory = memory.max(peak(child.id()));
        if let Some(status) = child.try_wait()? {
            if !status.success() {
                return Err(format!("{command:?} ended with {status}").into());
            }
            return Ok(Taken { wall: started.elapsed().as_secs_f64(), memory });
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The most memory that a process has had so far, in bytes: `VmHWM` of Linux.
fn peak(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
}

/// The value in the middle.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
