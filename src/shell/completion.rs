//! Tab completion: a function of the line, the cursor and what is loaded; it needs no terminal.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use clap::Arg;
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
    complete as complete_words,
};

use super::{line, panics};
use crate::commands::{Command, Session, grammar, registry};
use crate::packets::schema;

/// More candidates than a person can read are not offered.
const MOST: usize = 2000;

/// What completion knows of the session, taken before each line is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    tcp_streams: Arc<Vec<String>>,
    mptcp_streams: Arc<Vec<String>>,
    columns: Arc<Vec<String>>,
    captures: Arc<Vec<String>>,
}

impl Snapshot {
    /// What `session` has loaded.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        let captures = Arc::new(session.named().map(|(name, _)| name.to_string()).collect());
        let Some(capture) = session.loaded() else {
            return Snapshot { columns: Arc::new(schema_columns()), captures, ..Snapshot::default() };
        };
        let numbers = |ids: Vec<u32>| Arc::new(ids.iter().map(ToString::to_string).collect());
        let columns = match capture.table() {
            Ok(table) => table.get_column_names().iter().map(ToString::to_string).collect(),
            Err(_) => schema_columns(),
        };
        Snapshot {
            tcp_streams: numbers(capture.tcp_stream_ids()),
            mptcp_streams: numbers(capture.mptcp_stream_ids()),
            columns: Arc::new(columns),
            captures,
        }
    }

    /// The argument with what the session knows of its values.
    fn informed(&self, argument: Arg) -> Arg {
        match argument.get_id().as_str() {
            // Of these the session knows the names, and the rest are files.
            "capture" | "first" | "second" => {
                let names = self.captures.clone();
                argument.add(ArgValueCompleter::new(move |current: &OsStr| {
                    captures_and_files(&names, Path::new("."), current)
                }))
            }
            id => match self.values_of(id) {
                Some(values) => argument.add(ArgValueCandidates::new(move || {
                    values.iter().map(CompletionCandidate::new).collect::<Vec<_>>()
                })),
                None => argument,
            },
        }
    }

    /// The values that an argument of this id can have, when they depend on the session or the registry.
    fn values_of(&self, id: &str) -> Option<Arc<Vec<String>>> {
        match id {
            "tcpstream" => Some(self.tcp_streams.clone()),
            "mptcpstream" => Some(self.mptcp_streams.clone()),
            "column" => Some(self.columns.clone()),
            "name" => Some(self.captures.clone()),
            "command" => Some(Arc::new(registry::names().map(str::to_string).collect())),
            _ => None,
        }
    }
}

/// Names of captures, then files.
fn captures_and_files(names: &[String], directory: &Path, current: &OsStr) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy();
    let names = names.iter().filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new);
    names.chain(PathCompleter::file().current_dir(directory).complete(current)).collect()
}

fn schema_columns() -> Vec<String> {
    schema::COLUMNS.iter().map(|column| column.name.to_string()).collect()
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// As listed.
    pub display: String,
    /// As put into the line, quoted.
    pub replacement: String,
}

/// The candidates for the word that ends at octet `position` of `text`, and where that word starts.
#[must_use]
pub fn complete(snapshot: &Snapshot, text: &str, position: usize) -> (usize, Vec<Candidate>) {
    let before = text.get(..position).unwrap_or(text);
    let partial = line::partial(before);
    let values = match partial.words.split_first() {
        _ if partial.comment => Vec::new(),
        None => command_names(&partial.current),
        Some((name, arguments)) => match registry::find(name) {
            Some(command) => argument_values(snapshot, command, arguments, &partial.current),
            None => Vec::new(),
        },
    };
    // A control character in a file name would be typed into the terminal; such a file is named by hand.
    let candidates =
        values.into_iter().filter(|value| !value.chars().any(char::is_control)).take(MOST).map(typed).collect();
    (partial.start, candidates)
}

/// A value as it is typed: quoted, and followed by a blank unless more of the word is to come.
fn typed(value: String) -> Candidate {
    let end = if value.ends_with(['/', '=']) { "" } else { " " };
    Candidate { replacement: format!("{}{end}", line::quote(&value)), display: value }
}

/// Names that start like `typed`; aliases only once something is typed, for the list of all is long enough.
fn command_names(typed: &str) -> Vec<String> {
    let wanted = typed.replace('-', "_");
    let mut names: Vec<String> = if wanted.is_empty() {
        registry::COMMANDS.iter().map(|command| command.name().to_string()).collect()
    } else {
        registry::names().filter(|name| name.starts_with(&wanted)).map(str::to_string).collect()
    };
    names.sort();
    names
}

/// What clap's engine offers for `current` after `arguments`, with the session's own values.
fn argument_values(snapshot: &Snapshot, command: &dyn Command, arguments: &[String], current: &str) -> Vec<String> {
    let mut definition = grammar::definition(command)
        .mut_args(|argument| snapshot.informed(argument))
        .mut_subcommands(|subcommand| subcommand.mut_args(|argument| snapshot.informed(argument)));
    let words: Vec<_> = arguments.iter().map(String::as_str).chain([current]).map(Into::into).collect();
    let here = Some(Path::new("."));
    // A completion that fails must not cost the line that is being typed.
    let offered = panics::guard(|| complete_words(&mut definition, words, arguments.len(), here));
    let mut values: Vec<String> = offered
        .ok()
        .and_then(Result::ok)
        .unwrap_or_default()
        .iter()
        .filter_map(|candidate| candidate.get_value().to_str().map(str::to_string))
        .collect();
    // Where nothing is typed yet and values are known, options would only stand in their way: `-` asks for them.
    if current.is_empty() && values.iter().any(|value| !value.starts_with('-')) {
        values.retain(|value| !value.starts_with('-'));
    }
    // Stream numbers count, they are not spelt: 2 before 10. Other values come after them in the engine's order.
    values.sort_by_key(|value| value.parse::<u32>().map_or((1, 0), |number| (0, number)));
    values
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgMatches, ValueHint};

    use super::*;
    use crate::commands::{Category, Example, Outcome};
    use crate::config::Config;

    fn names(text: &str) -> (usize, Vec<String>) {
        let snapshot = Snapshot::of(&Session::new(Config::default(), None));
        let (start, candidates) = complete(&snapshot, text, text.len());
        (start, candidates.into_iter().map(|candidate| candidate.replacement).collect())
    }

    #[test]
    fn commands_complete_by_name_and_alias() {
        assert_eq!(names("hel"), (0, vec!["help ".to_string()]));
        assert_eq!(names("  exi"), (2, vec!["exit ".to_string()]));
        assert!(names("").1.contains(&"quit ".to_string()));
        assert!(!names("").1.contains(&"exit ".to_string()));
        assert_eq!(names("nope"), (0, vec![]));
        assert_eq!(names("nope x"), (5, vec![]));
        assert_eq!(names("# hel").1, Vec::<String>::new());
    }

    #[test]
    fn the_text_after_the_cursor_is_not_read() {
        let (start, candidates) = complete(&Snapshot::default(), "hel quit", 3);
        assert_eq!((start, candidates.len()), (0, 1));
        assert_eq!(candidates[0].display, "help");
    }

    #[test]
    fn help_completes_commands_and_options() {
        assert_eq!(names("help qui"), (5, vec!["quit ".to_string()]));
        assert_eq!(names("? qui"), (2, vec!["quit ".to_string()]));
        assert_eq!(names("help --he"), (5, vec!["--help ".to_string()]));
        assert!(names("help ").1.contains(&"help ".to_string()));
    }

    struct Probe;

    impl Command for Probe {
        fn name(&self) -> &'static str {
            "probe"
        }
        fn category(&self) -> Category {
            Category::Shell
        }
        fn summary(&self) -> &'static str {
            "Probe"
        }
        fn examples(&self) -> &'static [Example] {
            &[]
        }
        fn arguments(&self, command: clap::Command) -> clap::Command {
            command
                .arg(Arg::new("mptcpstream").required(true))
                .arg(Arg::new("file").value_hint(ValueHint::FilePath))
                .arg(Arg::new("column").long("by"))
                .arg(Arg::new("tcpstream").long("tcpstream"))
                .arg(crate::arguments::capture("first", "CAPTURE").long("first"))
                .arg(Arg::new("name").long("drop"))
        }
        fn run(&self, _: &ArgMatches, _: &mut Session) -> crate::error::Result<Outcome> {
            Ok(Outcome::Quit)
        }
    }

    fn probe(arguments: &[&str], current: &str) -> Vec<String> {
        let strings = |values: &[&str]| Arc::new(values.iter().map(ToString::to_string).collect::<Vec<_>>());
        let snapshot = Snapshot {
            tcp_streams: strings(&["1", "7", "10"]),
            mptcp_streams: strings(&["0", "2", "10"]),
            columns: strings(&["dsn", "dack", "tcplen"]),
            captures: strings(&["client", "server"]),
        };
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        argument_values(&snapshot, &Probe, &arguments, current)
    }

    #[test]
    fn streams_and_columns_come_from_the_snapshot() {
        assert_eq!(probe(&[], "")[..3], ["0", "2", "10"]);
        assert_eq!(probe(&[], "1"), ["10"]);
        assert_eq!(probe(&["--tcpstream"], ""), ["1", "7", "10"]);
        assert_eq!(probe(&["--tcpstream", "7"], "2"), ["2"]);
        let mut columns = probe(&["0", "--by"], "d");
        columns.sort();
        assert_eq!(columns, ["dack", "dsn"]);
    }

    #[test]
    fn captures_complete_by_name_before_files() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["client.pcapng", "a.pcapng"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let names: Vec<String> = ["client", "server"].map(str::to_string).into();
        let offered = |typed: &str| -> Vec<String> {
            let candidates = captures_and_files(&names, directory.path(), OsStr::new(typed));
            candidates.iter().map(|candidate| candidate.get_value().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(offered(""), ["client", "server", "a.pcapng", "client.pcapng"]);
        assert_eq!(offered("c"), ["client", "client.pcapng"]);
        assert_eq!(offered("./c"), ["./client.pcapng"]);
        // Through the engine, which must not put them in another order.
        assert_eq!(probe(&["0", "x", "--first"], "")[..2], ["client", "server"]);
        assert_eq!(probe(&["0", "x", "--first"], "s")[..1], ["server"]);
        assert_eq!(probe(&["0", "x", "--drop"], ""), ["client", "server"]);
    }

    #[test]
    fn options_and_their_values_complete() {
        assert_eq!(probe(&["0"], "--fo"), ["--format"]);
        assert_eq!(probe(&["--format"], "nd"), ["ndjson"]);
        assert_eq!(probe(&[], "--format=c"), ["--format=csv"]);
        assert!(probe(&["0", "x"], "").contains(&"--output".to_string()));
    }

    #[test]
    fn files_complete() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("my file.pcapng"), "").unwrap();
        std::fs::create_dir(directory.path().join("more")).unwrap();
        let start = format!("{}/m", directory.path().display());
        let file = format!("{}/my file.pcapng", directory.path().display());
        assert_eq!(probe(&["0"], &start), [format!("{start}ore/"), file.clone()]);
        assert_eq!(probe(&["0", "--output"], &format!("{start}y")), [file]);
        assert_eq!(typed("more/".to_string()).replacement, "more/");
        assert_eq!(typed("my file".to_string()).replacement, "my\\ file ");
    }

    #[test]
    fn plots_complete_with_their_own_arguments() {
        assert_eq!(names("plot mptcp_attr 0 rwnd_").1, ["rwnd_raw "]);
        assert!(names("plot interarrival ").1.contains(&"mptcp ".to_string()));
        assert_eq!(names("plot tcp_tput 0 --window-type s").1, ["sliding "]);
        assert_eq!(names("plot mptcp_g").1, ["mptcp_gput "]);
    }

    #[test]
    fn columns_are_known_before_a_capture_is_loaded() {
        let snapshot = Snapshot::of(&Session::new(Config::default(), None));
        assert!(snapshot.columns.contains(&"tcpstream".to_string()));
        assert!(snapshot.tcp_streams.is_empty());
    }
}
