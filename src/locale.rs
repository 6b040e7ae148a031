//! Which characters the terminal shows, as far as the environment tells.

/// The variable that decides the character set, and its value: the first of POSIX' three that is set and not empty.
#[must_use]
pub fn deciding(variable: impl Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(|value| (name, value));
    ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set)
}

/// Whether a locale of this name has UTF-8: `de_DE.UTF-8`, `C.utf8`.
#[must_use]
pub fn is_utf8(name: &str) -> bool {
    name.to_ascii_lowercase().replace('-', "").contains("utf8")
}

/// Whether this process' locale has UTF-8; the one that no variable sets has not.
#[must_use]
pub fn has_utf8() -> bool {
    deciding(|name| std::env::var(name).ok()).is_some_and(|(_, value)| is_utf8(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let with = |pairs: &'static [(&str, &str)]| {
            deciding(move |name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_string()))
        };
        assert_eq!(with(&[("LANG", "de_DE.UTF-8")]), Some(("LANG", "de_DE.UTF-8".to_string())));
        assert_eq!(
            with(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8"), ("LANG", "C")]),
            Some(("LC_CTYPE", "C.utf8".to_string()))
        );
        assert_eq!(with(&[("LC_ALL", "POSIX"), ("LANG", "C.UTF-8")]), Some(("LC_ALL", "POSIX".to_string())));
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn utf8_is_written_in_several_ways() {
        assert!(["C.UTF-8", "de_DE.utf8", "en_US.UTF8"].into_iter().all(is_utf8));
        assert!(!["C", "POSIX", "de_DE.ISO-8859-1", "ja_JP.eucJP"].into_iter().any(is_utf8));
    }
}
