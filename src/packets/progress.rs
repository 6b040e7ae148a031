//! Progress on standard error, for work that takes long.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

/// Work shorter than this shows no progress.
const QUIET: Duration = Duration::from_secs(1);

/// Interval of progress updates.
const PULSE: Duration = Duration::from_millis(200);

/// The counted thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Packets.
    Packets,
    /// Bytes of the file.
    Bytes,
}

/// A bar when the end is known, a counter otherwise. It clears itself when dropped.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    unit: Unit,
    wanted: bool,
    shown: Instant,
    started: Instant,
}

impl Progress {
    /// Shows nothing yet, and never when it is not `wanted`.
    #[must_use]
    pub fn new(unit: Unit, wanted: bool) -> Self {
        let now = Instant::now();
        Progress { bar: None, unit, wanted, shown: now, started: now }
    }

    /// Shows how far the work is, and of how much where that is known, when it is time to.
    pub fn show(&mut self, position: u64, end: Option<u64>) {
        if !self.wanted || self.started.elapsed() < QUIET || self.shown.elapsed() < PULSE {
            return;
        }
        self.shown = Instant::now();
        let unit = self.unit;
        self.bar.get_or_insert_with(|| bar(unit, end)).set_position(position);
    }
}

fn bar(unit: Unit, end: Option<u64>) -> ProgressBar {
    let (bar, template) = match (end, unit) {
        (Some(_), Unit::Packets) => (true, "dissecting {bar:30} {human_pos}/{human_len} packets, {eta} left"),
        (Some(_), Unit::Bytes) => (true, "dissecting {bar:30} {bytes}/{total_bytes}, {eta} left"),
        (None, Unit::Packets) => (false, "dissecting {spinner} {human_pos} packets"),
        (None, Unit::Bytes) => (false, "dissecting {spinner} {bytes}"),
    };
    let bar = if bar { ProgressBar::new(end.unwrap_or(0)) } else { ProgressBar::new_spinner() };
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_finish(ProgressFinish::AndClear)
}
