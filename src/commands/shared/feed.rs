//! Results that come one after the other, for as long as a person wants.

use super::super::Session;
use crate::error::Result;
use crate::output::Report;

/// The next item.
#[derive(Debug)]
pub enum Next {
    /// More of the result.
    Part(Box<Report>),
    /// Nothing for now.
    Nothing,
    /// There will be no more.
    End,
}

/// Work whose result grows. The shell shows the parts as they come; Ctrl-C does not interrupt it but ends it.
pub trait Feed: std::fmt::Debug {
    /// The new state, a sentence.
    fn begun(&self) -> String;

    /// The next item; returns soon, even if nothing comes.
    ///
    /// # Errors
    /// When there is nothing that would be worth to go on with.
    fn next(&mut self) -> Result<Next>;

    /// Status, a short line for a terminal.
    fn status(&self) -> String;

    /// No more is wanted: what is under way still comes. Asked a second time, nothing does.
    fn stop(&mut self);

    /// Leaves the result in the session. Sentences of what was done.
    ///
    /// # Errors
    /// When it cannot be left there.
    fn finish(self: Box<Self>, session: &mut Session) -> Result<Vec<String>>;
}
