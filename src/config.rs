//! The TOML configuration and the XDG places of the program.
//!
//! Every key is one entry of one list, with what it takes and how it is set: the reader, the suggestions for a
//! mistyped key and the tests all use that list.

use std::io;
use std::path::{Path, PathBuf};

use directories::{BaseDirs, ProjectDirs};
use toml::de::{DeTable, DeValue};

use crate::delimiter::Delimiter;
use crate::output::Format;
use crate::packets::Dissector;
use crate::terminal_text::escape;
use crate::toml_file::{Entry, Mistake, Source, TomlKey, in_order, read};
use mptcp_trace::AddressLabels;
use mptcp_trace::memory;
use mptcp_trace::reading;

/// The configuration, every key with a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The dissectors.
    pub dissector: Dissector,
    /// The tshark binary: a name looked up in `PATH`, or a path.
    pub tshark: PathBuf,
    /// Wireshark profile to dissect with; none means an empty private configuration.
    pub wireshark_profile: Option<String>,
    /// Where dissected captures are kept; `None` for the XDG place.
    pub cache_dir: Option<PathBuf>,
    /// Size in MiB beyond which the least recently used cache entries go; 0 keeps nothing.
    pub cache_limit: u64,
    /// Memory that packets may take, in bytes; `None`: half of what is free.
    pub memory_limit: Option<u64>,
    /// Separator of fields in CSV output and exports.
    pub delimiter: Delimiter,
    /// Form in which commands print when `--format` is not given.
    pub format: Format,
    /// Print sizes and rates with unit prefixes.
    pub human_readable: bool,
    /// Lines of history kept.
    pub history_size: usize,
    /// Further Wireshark fields to add to the packet table, each as a text column of its own name.
    pub extra_fields: Vec<String>,
    /// Directories with plugins, beside the person's own.
    pub plugin_dirs: Vec<PathBuf>,
    /// The program that captures for `live`; none means the first that is found.
    pub capture_program: Option<PathBuf>,
    /// Seconds that one use of a plugin may take.
    pub plugin_timeout: u64,
    /// Names of interfaces or networks by the prefixes of their addresses.
    pub interfaces: AddressLabels,
    /// The file that these values were read from; `None` when there was none and all are defaults. Not a key.
    pub file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            dissector: Dissector::Auto,
            tshark: PathBuf::from("tshark"),
            wireshark_profile: None,
            cache_dir: None,
            cache_limit: 2048,
            memory_limit: None,
            delimiter: Delimiter::COMMA,
            format: Format::Table,
            human_readable: false,
            history_size: 1000,
            extra_fields: Vec::new(),
            plugin_dirs: Vec::new(),
            capture_program: None,
            plugin_timeout: 60,
            interfaces: AddressLabels::default(),
            file: None,
        }
    }
}

/// The configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that `--config` names does not exist.
    #[error("{path}: no such configuration file; check the path given to `--config`")]
    Missing {
        /// The file, escaped for a terminal.
        path: String,
    },
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Unreadable {
        /// The file, escaped for a terminal.
        path: String,
        /// Answer of the system.
        source: io::Error,
    },
    /// Not TOML, or a key or a value that does not fit.
    #[error(transparent)]
    Wrong(#[from] Mistake),
}

/// The table of names of interfaces.
const INTERFACES: &str = "interfaces";

const KEYS: &[TomlKey<Config>] = &[
    TomlKey {
        name: "dissector",
        takes: "\"auto\", \"native\" or \"tshark\"",
        set: |config, value| {
            config.dissector = read(value)?;
            Some(())
        },
    },
    TomlKey {
        name: "tshark",
        takes: "the name or path of tshark, in quotes",
        set: |config, value| {
            config.tshark = expand_home(&non_empty(read(value)?)?);
            Some(())
        },
    },
    TomlKey {
        name: "wireshark_profile",
        takes: "the name of a Wireshark profile in quotes, or \"\" for none",
        set: |config, value| {
            config.wireshark_profile = non_empty(read(value)?);
            Some(())
        },
    },
    TomlKey {
        name: "capture_program",
        takes: "the name or path of dumpcap, tcpdump or a program with tcpdump's options, in quotes; \"\" for none",
        set: |config, value| {
            config.capture_program = non_empty(read(value)?).map(|text| expand_home(&text));
            Some(())
        },
    },
    TomlKey {
        name: "cache_dir",
        takes: "a directory in quotes, or \"\" for the default",
        set: |config, value| {
            config.cache_dir = non_empty(read(value)?).map(|text| expand_home(&text));
            Some(())
        },
    },
    TomlKey {
        name: "cache_limit",
        takes: "a whole number of MiB, 0 or more",
        set: |config, value| {
            config.cache_limit = read(value)?;
            Some(())
        },
    },
    TomlKey {
        name: "memory_limit",
        takes: "an amount of memory in quotes such as \"2GiB\", at least 64MiB, or \"\" for half of the free memory",
        set: |config, value| {
            let amount: Option<String> = non_empty(read(value)?);
            config.memory_limit =
                amount.map(|text| memory::parse(&text).ok()).map_or(Some(None), |bytes| bytes.map(Some))?;
            Some(())
        },
    },
    TomlKey {
        name: "delimiter",
        takes: Delimiter::TAKES,
        set: |config, value| {
            config.delimiter = read(value)?;
            Some(())
        },
    },
    TomlKey {
        name: "format",
        takes: "\"table\", \"json\", \"ndjson\" or \"csv\"",
        set: |config, value| {
            config.format = Some(read(value)?).filter(|format: &Format| !format.is_binary())?;
            Some(())
        },
    },
    TomlKey {
        name: "human_readable",
        takes: "true or false",
        set: |config, value| {
            config.human_readable = read(value)?;
            Some(())
        },
    },
    TomlKey {
        name: "history_size",
        takes: "a whole number of lines, 0 to 1000000",
        set: |config, value| {
            config.history_size = read(value).filter(|lines| *lines <= 1_000_000)?;
            Some(())
        },
    },
    TomlKey {
        name: "extra_fields",
        takes: "a list of Wireshark field names such as [\"ip.dsfield\", \"frame.comment\"]",
        set: |config, value| {
            config.extra_fields =
                read::<Vec<String>>(value).filter(|fields| fields.iter().all(|field| is_field_name(field)))?;
            Some(())
        },
    },
    TomlKey {
        name: "plugin_dirs",
        takes: "a list of directories in quotes, absolute or beginning with ~/",
        set: |config, value| {
            let directories = read::<Vec<String>>(value)?.into_iter().map(|text| expand_home(&text));
            // What is relative would be looked for beside the captures that one works on.
            config.plugin_dirs = directories.collect::<Vec<_>>();
            config.plugin_dirs.iter().all(|directory| directory.is_absolute()).then_some(())
        },
    },
    TomlKey {
        name: INTERFACES,
        takes: "a table of prefixes and names such as \"192.168.0.0/16\" = \"Wi-Fi\"",
        // Its entries are read one by one: each has a line to name.
        set: |_, _| None,
    },
    TomlKey {
        name: "plugin_timeout",
        takes: "a whole number of seconds, 1 to 86400",
        set: |config, value| {
            config.plugin_timeout = read(value).filter(|seconds| (1..=86_400).contains(seconds))?;
            Some(())
        },
    },
];

impl Config {
    /// Reads the configuration from `path`, or without one from the XDG place, where a missing file means defaults.
    ///
    /// # Errors
    /// [`ConfigError`], one sentence that names the file and, where there is one, the line and the key.
    pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
        match (path, Places::find()) {
            (Some(path), _) => Config::read(path),
            (None, Some(places)) => match Config::read(&places.config_file) {
                Err(ConfigError::Missing { .. }) => Ok(Config::default()),
                other => other,
            },
            (None, None) => Ok(Config::default()),
        }
    }

    fn read(path: &Path) -> Result<Config, ConfigError> {
        let shown = escape(&path.to_string_lossy()).into_owned();
        let text = reading::text(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ConfigError::Missing { path: shown.clone() },
            io::ErrorKind::InvalidData => ConfigError::Unreadable {
                path: shown.clone(),
                source: io::Error::new(source.kind(), "it is not text; name a TOML file"),
            },
            _ => ConfigError::Unreadable { path: shown.clone(), source },
        })?;
        let mut config = parse(&text, &path.to_string_lossy())?;
        config.file = Some(path.to_path_buf());
        Ok(config)
    }

    /// The names of all keys of the file.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        KEYS.iter().map(|key| key.name)
    }
}

fn parse(text: &str, path: &str) -> Result<Config, ConfigError> {
    let source = Source::new(path, text);
    let mut config = Config::default();
    for entry in source.entries()? {
        if let (INTERFACES, DeValue::Table(table)) = (entry.name.as_str(), entry.value.get_ref()) {
            interfaces(&source, table.clone(), &mut config.interfaces)?;
            continue;
        }
        source.set(&mut config, KEYS, &Config::keys().collect::<Vec<_>>(), entry)?;
    }
    Ok(config)
}

/// Reads the lines of [`INTERFACES`].
fn interfaces(source: &Source<'_>, table: DeTable<'_>, labels: &mut AddressLabels) -> Result<(), ConfigError> {
    for Entry { name, at, value } in in_order(table) {
        let label = read(value).and_then(non_empty);
        if label.and_then(|label| labels.add(&name, &label)).is_none() {
            let what =
                format!("`{name}` is not a prefix with a name; write one such as \"192.168.0.0/16\" = \"Wi-Fi\"");
            return Err(source.wrong(at, what).into());
        }
    }
    Ok(())
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// `~/x` in the person's home, because no shell expands it in a file.
fn expand_home(text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), BaseDirs::new()) {
        (Some(rest), Some(base)) => base.home_dir().join(rest),
        _ => PathBuf::from(text),
    }
}

/// Where the program keeps things, by the XDG base directory specification (on Linux).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// `$XDG_CONFIG_HOME/mptcpanalyzer/config.toml`.
    pub config_file: PathBuf,
    /// `$XDG_CONFIG_HOME/mptcpanalyzer/shell.toml`: what `set`, `alias` and `macro` keep.
    pub shell_file: PathBuf,
    /// `$XDG_CACHE_HOME/mptcpanalyzer`: what can be made again.
    pub cache_dir: PathBuf,
    /// `$XDG_STATE_HOME/mptcpanalyzer`: the history.
    pub state_dir: PathBuf,
    /// `$XDG_DATA_HOME/mptcpanalyzer/plugins`: the person's plugins.
    pub plugin_dir: PathBuf,
}

impl Places {
    /// The places of the person who runs the program; `None` when there is no home directory. Creates nothing.
    #[must_use]
    pub fn find() -> Option<Places> {
        let project = ProjectDirs::from("", "", "mptcpanalyzer")?;
        Some(Places {
            config_file: project.config_dir().join("config.toml"),
            shell_file: project.config_dir().join("shell.toml"),
            cache_dir: project.cache_dir().to_path_buf(),
            // Only Linux has a place for state.
            state_dir: project.state_dir().unwrap_or_else(|| project.data_local_dir()).to_path_buf(),
            plugin_dir: project.data_dir().join("plugins"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        parse(text, "c.toml").unwrap_err().to_string()
    }

    #[test]
    fn every_key_is_read() {
        let config = parse(
            "dissector = 'native'\ntshark = '/opt/tshark'\nwireshark_profile = 'lab'\ncache_dir = '/var/c'\ncache_limit = 7\nmemory_limit = '1GiB'\n\
             delimiter = ';'\nformat = 'ndjson'\nhuman_readable = true\nhistory_size = 12\n\
             extra_fields = ['ip.dsfield', 'tcp.options.mptcp.raw']\nplugin_dirs = ['/opt/plugins']\n\
             plugin_timeout = 5\ncapture_program = '/opt/tcpdump'\n[interfaces]\n'10.0.0.0/8' = 'LTE'\n",
            "c.toml",
        )
        .unwrap();
        let expected = Config {
            dissector: Dissector::Native,
            tshark: PathBuf::from("/opt/tshark"),
            wireshark_profile: Some("lab".to_string()),
            cache_dir: Some(PathBuf::from("/var/c")),
            cache_limit: 7,
            memory_limit: Some(1 << 30),
            delimiter: Delimiter::new(';').unwrap(),
            format: Format::Ndjson,
            human_readable: true,
            history_size: 12,
            extra_fields: vec!["ip.dsfield".to_string(), "tcp.options.mptcp.raw".to_string()],
            plugin_dirs: vec![PathBuf::from("/opt/plugins")],
            capture_program: Some(PathBuf::from("/opt/tcpdump")),
            plugin_timeout: 5,
            interfaces: {
                let mut labels = AddressLabels::default();
                labels.add("10.0.0.0/8", "LTE").unwrap();
                labels
            },
            file: None,
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_key() {
        assert_eq!(
            complaint("# mine\n\ncache-limt = 3\n"),
            "c.toml:3: unknown key `cache-limt`; did you mean `cache_limit`?"
        );
        assert!(
            complaint("zzz = 1")
                .contains("c.toml:1: unknown key `zzz`; the keys are dissector, tshark, wireshark_profile,")
        );
        assert!(complaint("[cache]\nlimit = 1").starts_with("c.toml:1: unknown key `cache`"));
    }

    #[test]
    fn the_first_mistake_in_the_file_is_the_one_reported() {
        assert!(complaint("tsharq = 'x'\ndelimitre = 'x'\n").starts_with("c.toml:1: unknown key `tsharq`"));
        assert!(complaint("zeta = 'x'\nalpha = 'x'\n").starts_with("c.toml:1: unknown key `zeta`"));
    }

    #[test]
    fn a_wrong_prefix_is_named_with_its_line() {
        for line in ["'10.0.0.0/33' = 'LTE'", "'wlan0' = 'Wi-Fi'", "'10.0.0.0/8' = ''", "'10.0.0.0/8' = 3"] {
            let sentence = complaint(&format!("tshark = 'tshark'\n\n[interfaces]\n'fd00::/8' = 'LTE'\n{line}\n"));
            let name = line.split('\'').nth(1).unwrap();
            assert!(sentence.starts_with(&format!("c.toml:5: `{name}` is not a prefix with a name;")), "{sentence}");
        }
    }

    #[test]
    fn a_wrong_type_or_value_is_named_with_its_line() {
        assert_eq!(
            complaint("tshark = 'tshark'\ncache_limit = 'big'\n"),
            "c.toml:2: `cache_limit` takes a whole number of MiB, 0 or more; correct the value or delete the line"
        );
        for text in [
            "cache_limit = -1",
            "cache_limit = 1.5",
            "delimiter = ';;'",
            "delimiter = ''",
            "delimiter = '→'",
            "delimiter = 'a'",
            "delimiter = '_'",
            "delimiter = '\"'",
            "delimiter = \"\\n\"",
            "format = 'xml'",
            "dissector = 'wireshark'",
            "format = 3",
            "human_readable = 'yes'",
            "history_size = 1000001",
            "extra_fields = 'ip.ttl'",
            "extra_fields = ['ip.ttl', 'two words']",
            "extra_fields = ['-r']",
            "plugin_dirs = ['plugins']",
            "plugin_dirs = ['']",
            "plugin_dirs = '/opt'",
            "plugin_timeout = 0",
            "interfaces = 'Wi-Fi'",
            "tshark = ''",
            "tshark = ['tshark']",
        ] {
            let key = text.split(' ').next().unwrap();
            assert!(complaint(text).starts_with(&format!("c.toml:1: `{key}` takes ")), "{text}: {}", complaint(text));
        }
    }

    #[test]
    fn what_is_not_toml_is_named_with_its_line() {
        let said = complaint("tshark = 'a'\ncache_limit = = 3\n");
        assert!(said.starts_with("c.toml:2: not valid TOML: "), "{said}");
        assert!(complaint("tshark = 'a'\ntshark = 'b'\n").starts_with("c.toml:2: not valid TOML: "));
    }

    #[test]
    fn control_characters_in_a_key_do_not_reach_the_terminal() {
        let said = complaint("\"\\u001b[31m\" = 1");
        assert!(!said.contains('\u{1b}') && said.contains("\\u{1b}[31m"), "{said}");
    }

    #[test]
    fn a_tab_separates_and_a_tilde_is_home() {
        assert_eq!(parse("delimiter = \"\\t\"", "c").unwrap().delimiter.byte(), b'\t');
        let home = BaseDirs::new().unwrap().home_dir().join("traces");
        assert_eq!(parse("cache_dir = '~/traces'", "c").unwrap().cache_dir, Some(home));
        assert_eq!(parse("cache_dir = ''", "c").unwrap().cache_dir, None);
    }
}
