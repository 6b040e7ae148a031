//! The configuration file of the Python mptcpanalyzer, an INI file that is not read: what to write instead.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::terminal_text::escape;

/// Its keys and ours. Its delimiter also separated what tshark printed, which has no counterpart.
const KEYS: [(&str, &str); 4] = [
    ("tshark_binary", "tshark"),
    ("tshark_bin", "tshark"),
    ("wireshark_profile", "wireshark_profile"),
    ("cache", "cache_dir"),
];

/// A larger file is none of its.
const LONGEST: u64 = 64 << 10;

/// The lines of `config.toml` that say what the file `config` in `folder` says; nothing where there is no such file.
pub(super) fn lines(folder: &Path) -> Option<Vec<String>> {
    let path = folder.join("config");
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut content = String::new();
    File::open(&path).ok()?.take(LONGEST).read_to_string(&mut content).ok()?;
    let line = |line: &str| {
        let (key, value) = line.split_once(['=', ':'])?;
        let (_, ours) = KEYS.iter().find(|(theirs, _)| *theirs == key.trim())?;
        let value = value.trim();
        (!value.is_empty()).then(|| format!("{ours} = {}", toml::Value::String(escape(value).into_owned())))
    };
    Some(content.lines().filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_that_has_a_counterpart_is_written_in_toml() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(lines(folder.path()), None);
        let ini = "[mptcpanalyzer]\ntshark_binary = /usr/bin/tshark\nwireshark_profile: lab \"2\"\ndelimiter = |\n\
                   cache =\n# cache = /tmp\n";
        std::fs::write(folder.path().join("config"), ini).unwrap();
        assert_eq!(lines(folder.path()).unwrap(), ["tshark = \"/usr/bin/tshark\"", "wireshark_profile = 'lab \"2\"'"]);
    }
}
