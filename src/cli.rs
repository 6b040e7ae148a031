//! The program's own flags. What follows the first word that is no flag belongs to the command of that name.

use crate::arguments::choice;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Parser, ValueEnum, ValueHint};

use crate::output::Format;
use crate::packets::Dissector;
use mptcp_trace::tracking::{CopiesWanted, PointOfView};

/// How much the program says on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, ValueEnum)]
pub enum Level {
    /// Errors only.
    Error,
    /// Warnings, and what commands report about their work.
    #[default]
    Warn,
    /// Also how long each command took.
    Info,
    /// Also the words that each command was given.
    Debug,
}

const MODES: &str = "\
Without COMMAND the program opens its prompt, or runs the commands on standard input when that is no terminal.
A single COMMAND that is the name of a script runs the commands in it, one a line, `#` starts a comment.
`mptcpanalyzer help` lists the commands, `mptcpanalyzer help COMMAND` explains one.

Exit code: 0 all commands did their work, 1 a command failed, 2 wrong usage.";

/// What a packet capture says about Multipath TCP.
#[derive(Debug, Clone, Parser)]
#[command(name = "mptcpanalyzer", version, after_help = MODES, disable_help_subcommand = true)]
pub struct Cli {
    /// Load this capture first; `-` is standard input
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub load: Option<PathBuf>,

    /// Of the loaded capture, only packets recorded on this interface
    #[arg(long, value_name = "NAME", requires = "load")]
    pub interface: Option<String>,

    /// Of the loaded capture, which copies count of packets that were recorded in several places
    #[arg(long, value_name = "WHICH", value_parser = choice::COPIES, requires = "load")]
    pub copies: Option<CopiesWanted>,

    /// Read this configuration instead of the one in the XDG configuration directory
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,

    /// Keep dissected captures in this directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cachedir: Option<PathBuf>,

    /// Memory that packets may take, such as 2GiB; by default half of what is free
    #[arg(long, value_name = "AMOUNT", value_parser = mptcp_trace::memory::parse)]
    pub memory_limit: Option<u64>,

    /// Who dissects captures: this program, tshark, or whichever fits
    #[arg(long, value_name = "DISSECTOR", value_enum)]
    pub dissector: Option<Dissector>,

    /// Dissect captures again even when the cache has them
    #[arg(short = 'r', long, visible_alias = "regen")]
    pub no_cache: bool,

    /// How much to say on standard error
    #[arg(short, long, value_name = "LEVEL", value_enum)]
    pub debug: Option<Level>,

    /// Say more on standard error; twice for still more
    #[arg(short, action = ArgAction::Count)]
    pub verbose: u8,

    /// Print sizes and rates with unit prefixes
    #[arg(short = 'H', long)]
    pub human_readable: bool,

    /// Form of the results, for commands that do not say otherwise
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,

    /// Look for plugins in this directory, too; may be given several times
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub plugin_dir: Vec<PathBuf>,

    /// Run the commands in this file; `-` is standard input
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub batch: Option<PathBuf>,

    /// In a script, go on after a command that failed
    #[arg(long)]
    pub keep_going: bool,

    /// Run these transcripts, commands with what they must print, and show the first difference of each
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "batch", value_hint = ValueHint::FilePath)]
    pub test: Vec<PathBuf>,

    /// A command and its arguments, or a script
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub words: Vec<OsString>,
}

impl Cli {
    /// From where the loaded capture is to be seen, where that was said.
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
