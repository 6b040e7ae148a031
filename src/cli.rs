//! The program's own flags. What follows the first word that is not a flag belongs to the command of that name.

use crate::arguments::choice;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Parser, ValueEnum, ValueHint};

use crate::output::Format;
use crate::packets::Dissector;
use mptcp_trace::tracking::{CopiesWanted, PointOfView};

/// Level of messages on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, ValueEnum)]
pub enum Level {
    /// Errors only
    Error,
    /// Warnings and progress messages of commands
    #[default]
    Warn,
    /// Also the time that each command took
    Info,
    /// Also the words of each command line
    // `-d`, repeated, is one value for clap.
    #[value(aliases = ["trace", "d", "dd", "ddd"])]
    Debug,
}

const MODES: &str = "\
Without COMMAND, the program opens its prompt, or runs the commands on standard input if that is not a terminal.
If COMMAND is the name of a script, its commands are run: one per line, comments start with `#`.
`mptcpanalyzer help` lists the commands, `mptcpanalyzer help COMMAND` explains one.

Exit code: 0 success, 1 a command failed, 2 wrong usage, 130 ended by Ctrl-C.";

/// Analyze Multipath TCP packet captures.
#[derive(Debug, Clone, Parser)]
#[command(name = "mptcpanalyzer", version, after_help = MODES, disable_help_subcommand = true)]
pub struct Cli {
    /// Load this capture first; `-` is standard input
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub load: Option<PathBuf>,

    /// Load only packets recorded on this interface
    #[arg(long, value_name = "NAME", requires = "load")]
    pub interface: Option<String>,

    /// Copies to count if packets were recorded in several places
    #[arg(long, value_name = "WHICH", value_parser = choice::COPIES, requires = "load")]
    pub copies: Option<CopiesWanted>,

    /// Configuration file, instead of the one in the XDG configuration directory
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,

    /// Directory of the cache of dissected captures
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cachedir: Option<PathBuf>,

    /// Memory limit for packets, such as 2GiB; by default half of the free memory
    #[arg(long, value_name = "AMOUNT", value_parser = mptcp_trace::memory::parse)]
    pub memory_limit: Option<u64>,

    /// Dissector: native, tshark, or auto
    #[arg(long, value_name = "DISSECTOR", value_enum)]
    pub dissector: Option<Dissector>,

    /// Dissect captures again even if they are cached
    #[arg(short = 'r', long, visible_alias = "regen", overrides_with = "no_cache")]
    pub no_cache: bool,

    /// Level of messages on standard error
    #[arg(short, long, value_name = "LEVEL", value_enum, ignore_case = true)]
    pub debug: Option<Level>,

    /// Print more messages on standard error; twice for still more
    #[arg(short, action = ArgAction::Count)]
    pub verbose: u8,

    /// Print sizes and rates with unit prefixes (k, M, G)
    #[arg(short = 'H', long)]
    pub human_readable: bool,

    /// Default output format of commands
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,

    /// Additional plugin directory; may be repeated
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub plugin_dir: Vec<PathBuf>,

    /// Run the commands in this file; `-` is standard input
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub batch: Option<PathBuf>,

    /// Continue a script after a failed command
    #[arg(long)]
    pub keep_going: bool,

    /// Run transcripts (commands with their expected output) and show the first difference of each
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "batch", value_hint = ValueHint::FilePath)]
    pub test: Vec<PathBuf>,

    /// Command with its arguments, or a script
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub words: Vec<OsString>,
}

impl Cli {
    /// Point of view on the loaded capture, if given.
    #[must_use]
    pub fn view(&self) -> Option<PointOfView> {
        let asked = self.interface.is_some() || self.copies.is_some();
        asked.then(|| PointOfView::with(self.interface.clone(), self.copies))
    }

    /// The level in force: `--debug` or the default, raised by one for each `-v`.
    #[must_use]
    pub fn level(&self) -> Level {
        match (self.debug.unwrap_or_default(), self.verbose) {
            (level, 0) => level,
            (Level::Error, 1) => Level::Warn,
            (Level::Error, 2) | (Level::Warn, 1) => Level::Info,
            _ => Level::Debug,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(words: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("mptcpanalyzer").chain(words.iter().copied()))
    }

    #[test]
    fn definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_after_the_command_belong_to_the_command() {
        let cli = parse(&["--load", "x.pcapng", "mptcp_summary", "0", "--format", "json", "-H"]).unwrap();
        assert_eq!(cli.load.as_deref(), Some(std::path::Path::new("x.pcapng")));
        assert_eq!(cli.words, ["mptcp_summary", "0", "--format", "json", "-H"]);
        assert_eq!(cli.format, None);
        assert!(!cli.human_readable);
    }

    #[test]
    fn flags_before_the_command_belong_to_the_program() {
        let cli = parse(&["-H", "--format", "csv", "-r", "help"]).unwrap();
        assert_eq!(cli.format, Some(Format::Csv));
        assert!(cli.human_readable && cli.no_cache);
        assert_eq!(cli.words, ["help"]);
        assert!(parse(&["--regen", "help"]).unwrap().no_cache);
    }

    #[test]
    fn unknown_flag_is_refused_with_a_suggestion() {
        let error = parse(&["--lod", "x"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("'--load'"), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn paths_need_not_be_text() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(vec![b'a', 0xff]);
        let words = ["mptcpanalyzer".into(), "-l".into(), odd.clone(), "lc".into(), odd.clone()];
        let cli = Cli::try_parse_from(words).unwrap();
        assert_eq!(cli.load, Some(PathBuf::from(&odd)));
        assert_eq!(cli.words, [OsString::from("lc"), odd]);
    }

    #[test]
    fn levels_rise_with_each_v() {
        assert_eq!(parse(&[]).unwrap().level(), Level::Warn);
        assert_eq!(parse(&["-v"]).unwrap().level(), Level::Info);
        assert_eq!(parse(&["-vv"]).unwrap().level(), Level::Debug);
        assert_eq!(parse(&["-vvvv"]).unwrap().level(), Level::Debug);
        assert_eq!(parse(&["-d", "error"]).unwrap().level(), Level::Error);
        assert_eq!(parse(&["-d", "error", "-vv"]).unwrap().level(), Level::Info);
    }
}
