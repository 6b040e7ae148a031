//! What a person, or a program, is told of a run.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Instant;

use crate::commands::Session;
use crate::commands::shared::feed::{Feed, Next};
use crate::dataset::run::{self, Options, Outcome, Plan, Run};
use crate::error::{Error, Result};
use crate::output::{Cell, Report, Table};
use mptcp_trace::units::counted;

/// What is known of a run before it begins.
#[derive(Debug)]
pub struct Progress {
    captures: u64,
    skipped: u64,
    bytes: u64,
    jobs: usize,
    dataset: PathBuf,
    /// Captures that went well are reported, too.
    all: bool,
}

impl Progress {
    /// Of this plan, whose captures have so many bytes.
    pub fn new(plan: &Plan, bytes: u64, options: &Options, all: bool) -> Self {
        Progress {
            captures: plan.tasks.len() as u64,
            skipped: plan.skipped.len() as u64,
            bytes,
            jobs: options.jobs.min(plan.tasks.len().max(1)),
            dataset: options.dataset.clone(),
            all,
        }
    }

    /// Of this run.
    pub fn of(self, run: Run, skipped: Vec<Outcome>) -> Watched {
        Watched {
            about: self,
            run,
            skipped: skipped.into(),
            counts: BTreeMap::new(),
            failed: 0,
            done: 0,
            bytes: 0,
            begun: Instant::now(),
            stopped: false,
            ended: false,
        }
    }
}

/// A run that is watched.
#[derive(Debug)]
pub struct Watched {
    about: Progress,
    run: Run,
    skipped: VecDeque<Outcome>,
    /// Captures by status.
    counts: BTreeMap<&'static str, u64>,
    /// Those that failed, in this run or before.
    failed: u64,
    done: u64,
    bytes: u64,
    begun: Instant,
    stopped: bool,
    /// All are done.
    ended: bool,
}

impl Watched {
    fn report(&mut self, outcome: Outcome) -> Next {
        *self.counts.entry(outcome.status).or_default() += 1;
        self.failed += u64::from(outcome.failed);
        if !self.about.all && (outcome.status == "ok" || (outcome.status == "skipped" && !outcome.failed)) {
            return Next::Nothing;
        }
        let mut table = Table::new(&["status", "name", "error"]);
        let text = |text: Option<String>| text.map_or(Cell::Null, Cell::Text);
        table.rows.push(vec![
            Cell::Text(outcome.status.to_string()),
            Cell::Text(outcome.name.clone()),
            text(outcome.error.clone()),
        ]);
        let records = record(&outcome);
        Next::Part(Box::new(Report::new(&vec![outcome], vec![table]).with_records(records)))
    }

    fn sentence(&self) -> String {
        let parts: Vec<String> = self.counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let all: u64 = self.counts.values().sum();
        let all = counted(all, "capture");
        if parts.is_empty() { all } else { format!("{all}: {}", parts.join(", ")) }
    }

    /// Seconds until the end, by the bytes that are done.
    #[allow(clippy::cast_precision_loss)]
    fn left(&self) -> Option<u64> {
        let done = self.bytes as f64 / self.about.bytes.max(1) as f64;
        let elapsed = self.begun.elapsed().as_secs_f64();
        let left = elapsed * (1.0 - done) / done;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        (elapsed > 1.0 && left.is_finite()).then(|| left.ceil().max(0.0) as u64)
    }
}

fn record(outcome: &Outcome) -> Table {
    let mut table = Table::new(&[
        "capture",
        "name",
        "path",
        "status",
        "packets",
        "connections",
        "seconds",
        "cpu_seconds",
        "peak_memory_bytes",
        "error",
    ]);
    let whole = |number: Option<u64>| number.map_or(Cell::Null, |number| Cell::Integer(number.into()));
    let time = |seconds: Option<f64>| seconds.map_or(Cell::Null, Cell::seconds);
    table.rows.push(vec![
        Cell::Text(outcome.capture.clone()),
        Cell::Text(outcome.name.clone()),
        Cell::Text(outcome.path.clone()),
        Cell::Text(outcome.status.to_string()),
        whole(outcome.packets),
        whole(outcome.connections),
        time(outcome.seconds),
        time(outcome.cpu_seconds),
        whole(outcome.peak_memory_bytes),
        outcome.error.clone().map_or(Cell::Null, Cell::Text),
    ]);
    table
}

impl Feed for Watched {
    fn begun(&self) -> String {
        let captures = counted(self.about.captures, "capture");
        let skipped = match self.about.skipped {
            0 => String::new(),
            skipped => format!(", {skipped} already there"),
        };
        format!("{captures} to analyze, {} at a time{skipped}; Ctrl-C stops", self.about.jobs)
    }

    fn next(&mut self) -> Result<Next> {
        if let Some(outcome) = self.skipped.pop_front() {
            return Ok(self.report(outcome));
        }
        Ok(match self.run.wait()? {
            run::Next::Nothing => Next::Nothing,
            run::Next::End => {
                self.ended = true;
                Next::End
            }
            run::Next::Done(outcome) => {
                self.done += 1;
                self.bytes = self.bytes.saturating_add(outcome.size);
                self.report(*outcome)
            }
        })
    }

    fn status(&self) -> String {
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let left = self.left().map_or_else(String::new, |left| format!(", about {left} s left"));
        format!("{} of {} captures{failed}{left}; Ctrl-C stops", self.done, self.about.captures)
    }

    fn stop(&mut self) {
        self.stopped = true;
        self.run.stop();
    }

    fn finish(self: Box<Self>, _: &mut Session) -> Result<Vec<String>> {
        if self.stopped {
            return Err(Error::Interrupted);
        }
        if !self.ended {
            let (done, all) = (self.done, counted(self.about.captures, "capture"));
            let sentence =
                format!("the reader of the report is gone, {done} of {all} are done; run the same line again");
            return Err(Error::Failed(sentence));
        }
        let (sentence, failed) = (self.sentence(), self.failed);
        if failed > 0 {
            let dataset = self.about.dataset.display();
            let advice = format!("the table `captures` of {dataset} says why");
            return Err(Error::InPart(format!("{}, {failed} failed; {advice}", sentence)));
        }
        Ok(vec![sentence])
    }
}
