//! Shared by `map_tcp_connection` and `map_mptcp_connection`: options, the choice of candidates, reasons in tables.

use clap::{Arg, ArgAction, ArgMatches, value_parser};

use crate::output::{Cell, Table};
use mptcp_trace::analysis::mapping::Reason;
use mptcp_trace::tracking::Capture;

/// A candidate with less than this share of the best one's score is not worth considering.
const WORTH: f64 = 0.5;

/// Reasons that are named in a cell; `--verbose` lists all.
const NAMED: usize = 3;

/// `--trim` without a score.
const HALF: &str = "half";

/// The least score of a candidate worth showing.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Least {
    HalfOfBest,
    Score(f64),
}

fn least(text: &str) -> Result<Least, &'static str> {
    match text.parse() {
        _ if text == HALF => Ok(Least::HalfOfBest),
        Ok(score) => Ok(Least::Score(score)),
        Err(_) => Err("a score is a number"),
    }
}

/// Options of both commands.
pub fn options() -> [Arg; 3] {
    [
        Arg::new("limit")
            .long("limit")
            .value_name("K")
            .value_parser(value_parser!(u16).range(1..))
            .default_value("5")
            .help("At most K candidates"),
        Arg::new("trim")
            .long("trim")
            .value_name("SCORE")
            .num_args(0..=1)
            .default_missing_value(HALF)
            .value_parser(least)
            .help(
                "Omit candidates below SCORE; without SCORE, below half the best score (if one is certain, all others)",
            ),
        Arg::new("verbose")
            .long("verbose")
            .short('v')
            .action(ArgAction::SetTrue)
            .help("Show every reason with its bits and values"),
    ]
}

/// Keeps the candidates that are asked for; they come best first.
pub fn choose<T>(candidates: &mut Vec<T>, arguments: &ArgMatches, score: impl Fn(&T) -> f64) {
    if let (Some(best), Some(least)) = (candidates.first().map(&score), arguments.get_one::<Least>("trim")) {
        let least = match least {
            Least::HalfOfBest => best * WORTH,
            Least::Score(score) => *score,
        };
        candidates.retain(|candidate| score(candidate) >= least);
    }
    candidates.truncate(arguments.get_one::<u16>("limit").copied().map_or(usize::MAX, usize::from));
}

/// What a title calls the two captures: their files' names, or the whole paths where these are alike.
pub fn names(first: &Capture, second: &Capture) -> [String; 2] {
    let names = [first.name(), second.name()];
    let [one, other] = &names;
    if one == other { [first, second].map(|capture| capture.path.display().to_string()) } else { names }
}

/// `server key, client key, 2 more; against it: client ISN`
pub fn named(reasons: &[Reason]) -> Cell {
    let names = |picked: &dyn Fn(&&Reason) -> bool| {
        reasons.iter().filter(picked).map(|reason| reason.evidence.to_string()).collect::<Vec<String>>()
    };
    let (mut names_for, against) = (names(&|reason| reason.bits > 0.0), names(&|reason| reason.bits < 0.0));
    if names_for.len() > NAMED + 1 {
        let more = names_for.len() - NAMED;
        names_for.truncate(NAMED);
        names_for.push(format!("{more} more"));
    }
    let mut text = names_for.join(", ");
    if !against.is_empty() {
        text.push_str(&format!("; against it: {}", against.join(", ")));
    }
    Cell::Text(text)
}

/// The names of all reasons for CSV, those against with a minus.
pub fn flat(reasons: &[Reason]) -> Cell {
    let counted = reasons.iter().filter(|reason| reason.bits != 0.0);
    let names = counted.map(|reason| format!("{}{}", if reason.bits < 0.0 { "-" } else { "" }, reason.evidence));
    Cell::Text(names.collect::<Vec<String>>().join(";"))
}

/// Appends one row per reason, each behind the cells that say what it is about.
pub fn list(table: &mut Table, about: &[Cell], reasons: &[Reason]) {
    for reason in reasons {
        let mut cells = about.to_vec();
        cells.extend([
            Cell::Text(reason.evidence.to_string()),
            Cell::Number(reason.bits),
            Cell::Text(reason.detail.clone()),
        ]);
        table.rows.push(cells);
    }
}
