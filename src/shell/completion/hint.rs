//! Missing arguments of the command being typed.

use super::super::line::{self, CursorPlace};
use crate::commands::{grammar, registry};

/// The arguments that may follow `text`, which ends with a blank: `MPTCPSTREAM`, `[FILE]` where it can be left out.
/// `None` where nothing follows, or nothing is known of it.
#[must_use]
pub fn usage(text: &str) -> Option<String> {
    let partial = line::partial(text);
    if partial.place != CursorPlace::Command || !partial.current.is_empty() || !text.ends_with(' ') {
        return None;
    }
    let (name, typed) = partial.words.split_first()?;
    let mut definition = &grammar::definition(registry::COMMANDS.find(name)?);
    let mut given = 0_usize;
    let mut words = typed.iter();
    while let Some(word) = words.next() {
        if let Some(option) = word.strip_prefix('-').filter(|_| word.len() > 1) {
            if takes_value(definition, option) && words.next().is_none() {
                // The value of an option comes next.
                return None;
            }
        } else if let Some(subcommand) = definition.find_subcommand(word).filter(|_| given == 0) {
            definition = subcommand;
        } else {
            given = given.saturating_add(1);
        }
    }
    let positionals = definition.get_positionals().skip(given).map(|argument| {
        let shown = argument.get_value_names().map_or_else(
            || argument.get_id().to_string().to_uppercase(),
            |names| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        );
        if argument.is_required_set() { shown } else { format!("[{shown}]") }
    });
    let subcommand = definition.has_subcommands().then(|| definition.get_subcommand_value_name().unwrap_or("COMMAND"));
    let subcommand = subcommand
        .filter(|_| given == 0)
        .map(|name| if definition.is_subcommand_required_set() { name.to_string() } else { format!("[{name}]") });
    let wanted: Vec<String> = subcommand.into_iter().chain(positionals).collect();
    (!wanted.is_empty()).then(|| wanted.join(" "))
}

/// Whether the value of this option is the next word; `option` is without its first `-`.
fn takes_value(definition: &clap::Command, option: &str) -> bool {
    if option.contains('=') {
        return false;
    }
    let long = option.strip_prefix('-');
    let found = definition.get_arguments().find(|argument| match long {
        Some(long) => argument.get_long_and_visible_aliases().is_some_and(|names| names.contains(&long)),
        None => argument.get_short() == option.chars().last(),
    });
    found.is_some_and(|argument| {
        argument.get_action().takes_values() && argument.get_num_args().is_none_or(|n| n.min_values() > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::usage;

    #[test]
    fn what_is_still_wanted_is_shown() {
        for (text, hint) in [
            ("mptcp_summary ", Some("[MPTCPSTREAM]")),
            ("help; list_reinjections --format json ", Some("MPTCPSTREAM")),
            ("mptcp_summary --format ", None),
            ("mptcp_summary 0 ", None),
            ("mptcp_summary", None),
            ("clock ", Some("PCAP1 PCAP2")),
            ("clock x -H ", Some("PCAP2")),
            ("help ", Some("[COMMAND] [NAME]")),
            ("plot ", Some("NAME")),
            ("plot dsn ", Some("MPTCPSTREAM")),
            ("set ", Some("[NAME]")),
            ("set format ", Some("[VALUE]")),
            ("alias create x ", Some("TEXT")),
            ("nope ", None),
            ("!ls ", None),
            ("", None),
        ] {
            assert_eq!(usage(text).as_deref(), hint, "{text:?}");
        }
    }
}
