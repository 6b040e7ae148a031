//! The command line of each command as clap sees it: one place for running, help, completion and the man page.

pub mod program;

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, CommandFactory, ValueEnum, ValueHint};

use super::{Command, Session};
use crate::cli::Cli;
use crate::nearest::nearest;
use crate::output::Format;
use crate::{arguments, described};

/// Id of the shared `--format` option.
pub const FORMAT: &str = "format";
/// Id of the shared `--output` option.
pub const OUTPUT: &str = "output";
/// Id of the shared `--human-readable` flag.
pub const HUMAN_READABLE: &str = "human_readable";

/// Options of commands of the Python mptcpanalyzer that are none here, and what to type instead.
const FORMER: [(&str, &str, &str); 8] = [
    ("export", "--drop-syn", "--where 'tcp.flags.syn == 0' leaves out SYNs"),
    ("export", "--json", "`dump -n 0 --json` prints the packets as JSON"),
    ("export", "--ndjson", "`dump -n 0 --format ndjson` prints a JSON object a packet"),
    ("dump", "--columns", "`dump packetid tcpseq` names columns without an option"),
    ("plot", "--primary", "-o FILE.png writes a picture"),
    ("qualify_reinjections", "--debug", "--format csv has what each verdict comes from"),
    ("print_owds", "--verbose", "--samples lists each packet"),
    ("print_owds", "-v", "--samples lists each packet"),
];

/// Why Rust refuses a number, and what to type instead.
const NUMBERS: [(&str, &str); 5] = [
    ("invalid digit found in string", "it is not a whole number; write one such as 20"),
    ("cannot parse integer from empty string", "it is not a whole number; write one such as 20"),
    ("number too large to fit in target type", "it is too large; write a smaller number"),
    ("invalid float literal", "it is not a number; write one such as 1.5"),
    ("cannot parse float from empty string", "it is not a number; write one such as 1.5"),
];

/// The clap definition of `command`: its own arguments, then the shared ones that every report takes. An option that
/// the command defines itself stays the command's own.
#[must_use]
pub fn definition(command: &dyn Command) -> clap::Command {
    // Pages of parts then name what they are parts of: `Usage: plot dsn`.
    let definition = described::definition(command).no_binary_name(true).bin_name(command.name());
    if command.reports() { with_shared_options(definition) } else { definition }
}

/// The definition with what was set for options that the line does not give; such options have the same id wherever they
/// are.
#[must_use]
pub fn with_defaults(definition: clap::Command, session: &Session) -> clap::Command {
    let clock = session.settings.clock.map(|clock| clock.name().to_string());
    let with = |argument: Arg| {
        let value = match argument.get_id().as_str() {
            "clock" => clock.clone(),
            "style" => session.settings.style.clone(),
            _ => None,
        };
        match value.filter(|_| argument.get_long().is_some()) {
            Some(value) => argument.default_value(value),
            None => argument,
        }
    };
    definition.mut_args(with).mut_subcommands(|subcommand| subcommand.mut_args(with))
}

/// Output format in `matches`; `None` if not given.
#[must_use]
pub fn chosen_format(matches: &ArgMatches) -> Option<Format> {
    for (flag, format) in [("csv", Format::Csv), ("json", Format::Json)] {
        if matches.try_get_one::<bool>(flag).ok().flatten() == Some(&true) {
            return Some(format);
        }
    }
    let name = matches.try_get_one::<String>(FORMAT).ok().flatten()?;
    Format::from_str(name, false).ok()
}

/// True when the line has the shared `--human-readable` flag.
#[must_use]
pub fn chosen_human_readable(matches: &ArgMatches) -> bool {
    matches.try_get_one::<bool>(HUMAN_READABLE).ok().flatten().copied().unwrap_or(false)
}

/// One sentence for a command line that clap refused, its suggestion kept, its usage lines left out.
#[must_use]
pub fn sentence(definition: &clap::Command, error: &clap::Error) -> String {
    // To a person a plot or a setting is not a subcommand.
    match (error.kind(), error.get(ContextKind::ValidSubcommand), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::MissingSubcommand, Some(ContextValue::Strings(names)), _) => {
            return format!("incomplete command; add one of: {}", names.join(", "));
        }
        (ErrorKind::InvalidSubcommand, _, Some(ContextValue::String(typed))) => {
            let near =
                nearest(typed, definition.get_subcommands().flat_map(clap::Command::get_name_and_visible_aliases));
            let meant = near.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
            return format!("unknown name `{typed}`{meant}");
        }
        _ => {}
    }
    if let (ErrorKind::ArgumentConflict, Some(again), Some(prior)) =
        (error.kind(), error.get(ContextKind::InvalidArg), error.get(ContextKind::PriorArg))
        && again == prior
        && let ContextValue::String(option) = again
    {
        let advice = match option.starts_with("--load ") {
            true => "load the others with `load_pcap FILE`, or name both after a command over two captures",
            false => "keep one of them",
        };
        return format!("'{option}' is given more than once; {advice}");
    }
    let former = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(word))) => {
            let is_meant =
                |(command, former, _): &&(&str, &str, &str)| definition.get_name() == *command && former == word;
            let former = FORMER.iter().find(is_meant).map(|(.., advice)| (*advice).to_string());
            former.or_else(|| is_of_the_program(word).then(|| "put it before the command".to_string()))
        }
        _ => None,
    };
    let mut text = error.render().to_string();
    for (reason, advice) in NUMBERS {
        text = text.replace(reason, advice);
    }
    let mut parts: Vec<String> = Vec::new();
    for paragraph in text.trim().split("\n\n").map(str::trim) {
        if paragraph.starts_with("Usage:") || paragraph.starts_with("For more information") {
            continue;
        }
        for (index, line) in paragraph.lines().map(str::trim).enumerate() {
            let part = line.strip_prefix("error: ").or_else(|| line.strip_prefix("tip: ")).unwrap_or(line);
            if part.starts_with("to pass '") {
                // How to quote a mistyped option does not help with the mistake.
                continue;
            }
            match parts.last_mut().filter(|_| index > 0 && !line.starts_with("tip: ")) {
                Some(last) => *last = format!("{last} {part}"),
                None => parts.push(part.to_string()),
            }
        }
    }
    parts.extend(former);
    parts.join("; ")
}

/// Whether an option is one of the program, which stands before the command.
fn is_of_the_program(word: &str) -> bool {
    let long = word.strip_prefix("--");
    let short = word.strip_prefix('-').and_then(|letters| letters.chars().next());
    Cli::command().get_arguments().any(|argument| match long {
        Some(long) => argument.get_long() == Some(long),
        None => argument.get_short().is_some() && argument.get_short() == short,
    })
}

/// What help about `words` is found under: a plot has a page of its own.
#[must_use]
pub fn topic(definition: &clap::Command, words: &[OsString]) -> String {
    let name = definition.get_name();
    match words.first().and_then(|word| definition.find_subcommand(word)).filter(|_| name == "plot") {
        Some(plot) => format!("{name} {}", plot.get_name()),
        None => name.to_string(),
    }
}

/// What to say of a `--where` whose condition is several words, of which only the first was taken.
#[must_use]
pub fn unquoted_condition(words: &[OsString]) -> Option<String> {
    const OPERATORS: [&str; 14] =
        ["==", "!=", "<>", "<=", ">=", "=", "<", ">", "&", "&&", "in", "is", "contains", "not"];
    let place = words.iter().position(|word| word == "--where")?;
    let condition = words.get(place.saturating_add(1)..)?;
    let follows = condition.get(1)?.to_string_lossy();
    if !OPERATORS.iter().any(|operator| follows.eq_ignore_ascii_case(operator)) {
        return None;
    }
    let ended = |word: &&OsString| !word.to_string_lossy().starts_with('-');
    let condition: Vec<_> = condition.iter().take_while(ended).map(|word| word.to_string_lossy()).collect();
    Some(format!("the condition is in several words; quote it: --where '{}'", condition.join(" ")))
}

/// How a command, or the part of it that `words` begin with, is used: `plot dsn [OPTIONS] <MPTCPSTREAM>`.
#[must_use]
pub fn usage(definition: clap::Command, words: &[OsString]) -> String {
    let part = words.iter().find_map(|word| definition.find_subcommand(word).cloned());
    let name = definition.get_name().to_string();
    let usage = part.clone().unwrap_or(definition).render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    // After a refused line clap calls a part by its own name alone.
    if part.is_some() && !usage.starts_with(&format!("{name} ")) {
        format!("{name} {usage}")
    } else {
        usage.to_string()
    }
}

/// Adds `--format`, `--output` and `--human-readable` where neither their names nor their letters are taken.
fn with_shared_options(mut definition: clap::Command) -> clap::Command {
    let formats = PossibleValuesParser::new(Format::value_variants().iter().filter_map(ValueEnum::to_possible_value));
    let shared = [
        (Arg::new(FORMAT).long("format").value_name("FORMAT").value_parser(formats).help("Output format"), None),
        (
            Arg::new(OUTPUT)
                .long("output")
                .value_name("FILE")
                .value_parser(clap::value_parser!(std::path::PathBuf))
                .value_hint(ValueHint::AnyPath)
                .help("Write the result to FILE; its extension (.json, .ndjson, .csv, .parquet, .arrow) selects the format unless --format is given"),
            Some('o'),
        ),
        (arguments::force().help("Allow --output to replace a capture").requires(OUTPUT), None),
        (
            Arg::new(HUMAN_READABLE)
                .long("human-readable")
                .action(ArgAction::SetTrue)
                .help("Print sizes and rates with unit prefixes (k, M, G)"),
            Some('H'),
        ),
    ];
    // Short forms that people type from habit.
    for (id, format) in [("json", "--format json"), ("csv", "--format csv")] {
        let taken = definition.get_arguments().any(|other| other.get_id() == id || other.get_long() == Some(id));
        if !taken && !definition.has_subcommands() {
            let short = Arg::new(id).long(id).action(ArgAction::SetTrue).hide(true).help(format!("Same as {format}"));
            definition = definition.arg(short.conflicts_with(FORMAT));
        }
    }
    // Behind a subcommand they are taken as well.
    let nested = definition.has_subcommands();
    for (argument, letter) in shared {
        let argument = argument.global(nested);
        let taken = definition
            .get_arguments()
            .any(|other| other.get_id() == argument.get_id() || other.get_long() == argument.get_long());
        if taken {
            continue;
        }
        // After an action, too: `plugin list --format json`.
        let argument = argument.global(definition.has_subcommands());
        let letter = letter.filter(|letter| definition.get_arguments().all(|other| other.get_short() != Some(*letter)));
        definition = definition.arg(match letter {
            Some(letter) => argument.short(letter),
            None => argument,
        });
    }
    definition
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::registry::COMMANDS;
    use crate::commands::{Category, Described, Example, Outcome};

    struct Probe;

    impl Described for Probe {
        fn name(&self) -> &'static str {
            "probe"
        }
        fn summary(&self) -> &'static str {
            "Probe things"
        }
        fn details(&self) -> &'static str {
            "A paragraph on probing."
        }
        fn examples(&self) -> &'static [Example] {
            &[Example { line: "probe 3", purpose: "the third" }]
        }
        fn arguments(&self, command: clap::Command) -> clap::Command {
            command.arg(Arg::new("number").required(true)).arg(Arg::new("only").short('o').long("only"))
        }
    }

    impl Command for Probe {
        fn category(&self) -> Category {
            Category::Shell
        }
        fn run(&self, _: &ArgMatches, _: &mut Session) -> crate::error::Result<Outcome> {
            Ok(Outcome::Quit)
        }
    }

    #[test]
    fn every_registered_definition_is_sound() {
        for command in COMMANDS.own() {
            definition(command).debug_assert();
        }
    }

    #[test]
    fn shared_options_leave_the_commands_own_letters_alone() {
        let matches = definition(&Probe).try_get_matches_from(["3", "-o", "mine", "--output", "f", "-H"]).unwrap();
        assert_eq!(matches.get_one::<String>("only").unwrap(), "mine");
        assert_eq!(matches.get_one::<std::path::PathBuf>(OUTPUT).unwrap(), std::path::Path::new("f"));
        assert!(chosen_human_readable(&matches));
        assert_eq!(chosen_format(&matches), None);
        let matches = definition(&Probe).try_get_matches_from(["3", "--format", "ndjson"]).unwrap();
        assert_eq!(chosen_format(&matches), Some(Format::Ndjson));
    }

    #[test]
    fn refusals_are_one_sentence_with_their_suggestion() {
        let refuse = |words: &[&str]| {
            let error = definition(&Probe).try_get_matches_from(words).unwrap_err();
            sentence(&definition(&Probe), &error)
        };
        assert_eq!(
            refuse(&["3", "--fromat", "json"]),
            "unexpected argument '--fromat' found; a similar argument exists: '--format'"
        );
        assert_eq!(
            refuse(&["3", "--format", "jsn"]),
            "invalid value 'jsn' for '--format <FORMAT>' [possible values: table, json, ndjson, csv, parquet, arrow]; \
             a similar value exists: 'json'"
        );
        assert_eq!(refuse(&[]), "the following required arguments were not provided: <number>");
        let refuse = |words: &[&str]| {
            let names = ["dsn", "rtt"].map(clap::Command::new);
            let command = clap::Command::new("plot").no_binary_name(true).subcommand_required(true).subcommands(names);
            let command = command.disable_help_subcommand(true);
            sentence(&command, &command.clone().try_get_matches_from(words).unwrap_err())
        };
        assert_eq!(refuse(&[]), "incomplete command; add one of: dsn, rtt");
        assert_eq!(refuse(&["dsm"]), "unknown name `dsm`; did you mean `dsn`?");
        assert_eq!(refuse(&["dns"]), "unknown name `dns`; did you mean `dsn`?");
        assert_eq!(refuse(&["zzzz"]), "unknown name `zzzz`");
    }

    #[test]
    fn usage_is_that_of_the_part() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(usage(definition(&Probe), &words(&["-o"])), "probe [OPTIONS] <number>");
        let plot = clap::Command::new("plot").no_binary_name(true);
        let plot = plot.subcommand(clap::Command::new("dsn").arg(Arg::new("N").required(true)));
        assert_eq!(usage(plot.clone(), &words(&["dsn", "x", "y"])), "plot dsn <N>");
        let mut refused = plot.clone();
        refused.try_get_matches_from_mut(["dsn", "x", "y"]).unwrap_err();
        assert_eq!(usage(refused, &words(&["dsn", "x", "y"])), "plot dsn <N>");
        assert_eq!(usage(plot, &[]), "plot [COMMAND]");
    }

    #[test]
    fn no_example_is_folded_on_any_page() {
        use crate::plots::registry::PLOTS;
        let commands = COMMANDS.own().map(|command| (definition(command), command.examples()));
        let plots = PLOTS.own().map(|plot| (crate::commands::plot::definition(plot), plot.examples()));
        for (definition, examples) in commands.chain(plots) {
            let page = definition.term_width(100).render_help().to_string();
            for example in examples {
                // A query in SQL may be longer than a page is wide.
                for text in [example.line, example.purpose].into_iter().filter(|text| text.chars().count() <= 94) {
                    assert!(page.lines().any(|line| line.contains(text)), "`{text}` is folded:\n{page}");
                }
            }
        }
    }

    #[test]
    fn help_shows_details_and_examples() {
        let page = definition(&Probe).render_help().to_string();
        for part in ["Probe things", "Usage: probe", "--format", "A paragraph on probing.", "probe 3  the third"] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
