//! Abilities of each dissector on this machine.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use super::Check;
use crate::children;
use crate::config::Config;
use mptcp_trace::packets::native;

use crate::packets::Dissector;

/// The oldest tshark whose fields suffice.
const OLDEST_TSHARK: (u32, u32) = (3, 6);

/// Formats of the built-in dissector.
pub(super) fn native(config: &Config) -> Check {
    let reads = format!("reads pcap and pcapng, also compressed with gzip, zstd or lz4; link types {}", native::LINKS);
    let detail = match config.dissector {
        Dissector::Tshark => format!("{reads}; not in use, because `dissector` is tshark"),
        Dissector::Auto | Dissector::Native => reads,
    };
    Check::fine("native dissector", detail)
}

/// Which tshark there is, and what it is needed for. Only one that is needed can be a problem.
pub(super) fn tshark(config: &Config) -> Check {
    assess(config, &found(&config.tshark), tshark_version(&config.tshark))
}

fn assess(config: &Config, shown: &str, said: io::Result<String>) -> Check {
    const NAME: &str = "tshark";
    let install = "install it with `apt-get install tshark`, or set `tshark` in the configuration";
    let (trouble, advice) = match said {
        Err(error) if error.kind() == io::ErrorKind::NotFound => ("not found".to_string(), install),
        Err(error) => (format!("{shown}: {error}"), install),
        Ok(line) => match version_in(&line) {
            None => (format!("{shown} gives no version: {line}"), install),
            Some(version) if version < OLDEST_TSHARK => (
                format!("{shown}, {line}, is too old"),
                "install version 3.6 or later, or set `tshark` in the configuration",
            ),
            Some(_) => {
                let line = line.split(" (Git").next().unwrap_or_default();
                return Check::fine(NAME, format!("{shown}, {line}: also reads other formats and link types"));
            }
        },
    };
    match reason_for_tshark(config) {
        Some(reason) => Check::problem(NAME, format!("{trouble}, but needed for {reason}"), advice),
        None => Check::fine(
            NAME,
            format!("{trouble}: needed only for other formats and link types, `extra_fields` and `wireshark_profile`"),
        ),
    }
}

/// Settings that make tshark read every capture.
fn reason_for_tshark(config: &Config) -> Option<&'static str> {
    match config.dissector {
        Dissector::Native => None,
        Dissector::Tshark => Some("`dissector`, which is set to tshark"),
        Dissector::Auto if !config.extra_fields.is_empty() => Some("`extra_fields`"),
        Dissector::Auto => config.wireshark_profile.is_some().then_some("`wireshark_profile`"),
    }
}

/// The file that a name without directories stands for.
fn found(binary: &Path) -> String {
    let in_path =
        || env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(binary)).find(|file| file.is_file());
    let file: Option<PathBuf> = if binary.components().count() > 1 { None } else { in_path() };
    file.as_deref().unwrap_or(binary).to_string_lossy().into_owned()
}

/// The first line that `tshark --version` prints, or why it prints none.
fn tshark_version(binary: &Path) -> io::Result<String> {
    let output = children::output(Process::new(binary).arg("--version").stdin(Stdio::null()))?;
    if !output.status.success() {
        return Err(io::Error::other(format!("it ended with {}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_string())
}

/// Major and minor version in a line such as `TShark (Wireshark) 4.0.17 (Git v4.0.17 …)`.
fn version_in(line: &str) -> Option<(u32, u32)> {
    line.split_whitespace().find_map(|word| {
        let mut parts = word.trim_start_matches('v').split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn versions_are_read_from_what_tshark_prints() {
        assert_eq!(version_in("TShark (Wireshark) 4.0.17 (Git v4.0.17 packaged as 4.0.17-0+deb12u1)"), Some((4, 0)));
        assert_eq!(version_in("TShark (Wireshark) 3.10.2."), Some((3, 10)));
        assert_eq!(version_in("command not found"), None);
    }

    #[test]
    fn tshark_is_a_problem_only_where_it_is_needed() {
        let auto = Config::default();
        let needed = [
            Config { dissector: Dissector::Tshark, ..Config::default() },
            Config { extra_fields: vec!["ip.ttl".to_string()], ..Config::default() },
            Config { wireshark_profile: Some("lab".to_string()), ..Config::default() },
        ];
        for bad in ["TShark (Wireshark) 3.4.16", ""] {
            assert_eq!(assess(&auto, "tshark", Ok(bad.to_string())).state, State::Ok);
            for config in &needed {
                assert_eq!(assess(config, "tshark", Ok(bad.to_string())).state, State::Problem);
            }
        }
        for good in ["TShark (Wireshark) 3.6.0", "TShark (Wireshark) 3.10.0"] {
            assert!(needed.iter().all(|config| assess(config, "tshark", Ok(good.to_string())).state == State::Ok));
        }
        let binary = Path::new("/no/such/tshark");
        let missing = assess(&auto, "tshark", tshark_version(binary));
        assert!(missing.detail.starts_with("not found: needed only for other formats"), "{missing:?}");
        let missing = assess(&needed[0], "tshark", tshark_version(binary));
        assert!(missing.advice.unwrap().contains("apt-get install tshark"));
        // What a person wants that never asks tshark never needs it.
        let native = Config { dissector: Dissector::Native, ..needed[1].clone() };
        assert_eq!(assess(&native, "tshark", tshark_version(binary)).state, State::Ok);
    }

    #[test]
    fn a_program_that_fails_is_no_tshark() {
        assert!(tshark_version(Path::new("false")).unwrap_err().to_string().contains("exit status"));
    }
}
