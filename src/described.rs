//! Descriptions of commands and plots, and the help page made from them.

use std::sync::{PoisonError, RwLock};

use clap::{Arg, ArgAction};

/// Something with a name, arguments and help.
pub trait Described: Sync {
    /// The name, words joined by `_`; `-` is accepted for `_` when typed.
    fn name(&self) -> &'static str;
    /// Other names it answers to.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }
    /// Purpose, one line without a full stop.
    fn summary(&self) -> &'static str;
    /// Further paragraphs of help: what the numbers and marks mean.
    fn details(&self) -> &'static str {
        ""
    }
    /// Adds its arguments to `command`. Arguments with the ids `tcpstream`, `mptcpstream` and `column` complete from the
    /// loaded capture, `command` from the registry, `interface` from the system, `name` with the names of captures, and `capture`, `first` and
    /// `second` ([`crate::arguments::capture`]) with these names and files; file arguments carry a `clap::ValueHint`.
    fn arguments(&self, command: clap::Command) -> clap::Command {
        command
    }
    /// Worked examples; each is run by the tests.
    fn examples(&self) -> &'static [Example];
    /// Output of the first example for `examples/client.pcapng`: shown in the help, compared by a test.
    fn prints(&self) -> Option<&'static str> {
        None
    }
}

/// One worked line.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The line as typed at the prompt.
    pub line: &'static str,
    /// Purpose, a phrase.
    pub purpose: &'static str,
}

/// Everything of one kind: the program's own, and what plugins bring once the program runs.
pub struct Registry<T: ?Sized + 'static> {
    own: &'static [&'static T],
    added: RwLock<Vec<&'static T>>,
}

impl<T: Described + ?Sized> Registry<T> {
    /// A registry of the program's own, in the order in which they are listed.
    #[must_use]
    pub const fn new(own: &'static [&'static T]) -> Self {
        Registry { own, added: RwLock::new(Vec::new()) }
    }

    /// The program's own.
    pub fn own(&self) -> impl Iterator<Item = &'static T> + use<T> {
        self.own.iter().copied()
    }

    /// Makes `added` those that stand beside the program's own, in place of those before.
    pub fn set_added(&self, added: Vec<&'static T>) {
        *self.added.write().unwrap_or_else(PoisonError::into_inner) = added;
    }

    /// Every one, those of plugins last.
    pub fn all(&self) -> impl Iterator<Item = &'static T> + use<T> {
        let added = self.added.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.own().chain(added)
    }

    /// The one of that name or alias; `-` counts as `_`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static T> {
        let wanted = name.replace('-', "_");
        self.all().find(|one| one.name() == wanted || one.aliases().contains(&wanted.as_str()))
    }

    /// Every name and alias that one of them answers to.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<T> {
        self.all().flat_map(|one| std::iter::once(one.name()).chain(one.aliases().iter().copied()))
    }
}

/// The clap definition of one of them, with its own arguments and its page of help.
#[must_use]
pub fn definition<T: Described + ?Sized>(of: &T) -> clap::Command {
    let definition = clap::Command::new(of.name())
        .disable_help_flag(true)
        .about(of.summary())
        .visible_aliases(of.aliases().iter().copied())
        .after_help(further_help(of));
    // There is one page of help, not a short and a long one.
    let help = Arg::new("help").short('h').long("help").action(ArgAction::HelpShort).help("Print this help");
    of.arguments(definition).arg(help.display_order(usize::MAX))
}

/// Columns that the text of a page may take.
const WIDTH: usize = 78;

/// The part of the page below the options.
fn further_help<T: Described + ?Sized>(of: &T) -> String {
    let mut text = String::new();
    if !of.aliases().is_empty() {
        text.push_str(&format!("Also: {}\n", of.aliases().join(", ")));
    }
    if !of.details().is_empty() {
        text.push_str(&format!("\n{}\n", of.details()));
    }
    let examples = of.examples();
    if !examples.is_empty() {
        text.push_str("\nExamples:\n");
    }
    let longest =
        |part: fn(&Example) -> &str| examples.iter().map(|example| part(example).chars().count()).max().unwrap_or(0);
    let width = longest(|example| example.line);
    let side_by_side = width.saturating_add(longest(|example| example.purpose)).saturating_add(2) <= WIDTH;
    for example in examples {
        // Side by side, long lines and what they are for would be folded into each other.
        match side_by_side {
            true => text.push_str(&format!("  {:width$}  {}\n", example.line, example.purpose)),
            false => text.push_str(&format!("  {}\n      {}\n", example.line, example.purpose)),
        }
    }
    if let (Some(prints), Some(example)) = (of.prints(), examples.first()) {
        text.push_str(&format!("\n`{}` prints:\n\n", example.line));
        for line in prints.lines() {
            text.push_str(format!("  {line}").trim_end());
            text.push('\n');
        }
    }
    text.trim().to_string()
}
