//! The programs that capture: how they are called, what they say.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};

use super::child::Capturing;
use super::{LiveError, SNAP_LENGTH, Wanted};
use crate::children;

/// Those that are looked for, the first that is there is taken: of the two, tcpdump hands packets over at once.
pub const KNOWN: [&str; 2] = ["tcpdump", "dumpcap"];

/// Where Linux lists network interfaces.
const LINUX_LIST: &str = "/sys/class/net";

/// A program that captures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
}

/// A program that was started.
pub struct Started {
    /// The program.
    pub program: Program,
    /// Its process.
    pub capturing: Capturing,
    /// The captured source.
    pub output: ChildStdout,
    /// Number of programs tried.
    pub tried: usize,
}

/// Starts the program that is wanted, or else the first that is there beyond those `tried`, capturing on `interface`.
///
/// # Errors
/// [`LiveError::NoProgram`], [`LiveError::Start`].
pub fn start(wanted: &Wanted, interface: &str, tried: usize) -> Result<Started, LiveError> {
    let known = || KNOWN.iter().map(PathBuf::from).collect();
    let programs: Vec<PathBuf> = wanted.program.clone().map_or_else(known, |named| vec![named]);
    let mut refused = None;
    for (index, path) in programs.into_iter().enumerate().skip(tried) {
        let program = Program { path };
        match Capturing::start(program.command(wanted, interface)) {
            Ok((capturing, output)) => {
                return Ok(Started { program, capturing, output, tried: index.saturating_add(1) });
            }
            Err(source) if source.kind() == ErrorKind::NotFound && wanted.program.is_none() => {}
            // Where only a group may start dumpcap, tcpdump may do.
            Err(source) => {
                let program = program.path.to_string_lossy().into_owned();
                refused = refused.or(Some(LiveError::Start { program, source }));
            }
        }
    }
    Err(refused.unwrap_or(LiveError::NoProgram))
}

/// Whether one of these programs is in a directory of `PATH`.
#[must_use]
pub fn is_there(names: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| names.iter().any(|name| directory.join(name).is_file()))
}

impl Program {
    /// The program's name without its directory.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// How it is called to capture on `interface`, to standard output and without a shell.
    fn command(&self, wanted: &Wanted, interface: &str) -> Command {
        let mut command = Command::new(&self.path);
        command.args(self.arguments(wanted, interface));
        command
    }

    fn arguments(&self, wanted: &Wanted, interface: &str) -> Vec<OsString> {
        let snap = SNAP_LENGTH.to_string();
        let mut words: Vec<&str> = vec!["-i", interface];
        if !wanted.whole {
            words.extend(["-s", &snap]);
        }
        if self.is_dumpcap() {
            words.extend(["-q", "-f", &wanted.filter, "-w", "-"]);
        } else {
            // Each packet at once: neither the kernel nor the program waits for a buffer to fill.
            words.extend(["-n", "-U", "--immediate-mode", "-w", "-", "--", &wanted.filter]);
        }
        words.into_iter().map(OsString::from).collect()
    }

    /// dumpcap has options of its own; all others are called like tcpdump.
    fn is_dumpcap(&self) -> bool {
        self.name().contains("dumpcap")
    }
}

/// What a program said when it gave up, in one line, without what it says when all is well.
#[must_use]
pub fn complaint(said: &str) -> String {
    const USUAL: [&str; 6] =
        ["listening on", "Capturing on", "File: ", "dropped privs", "packets captured", "packet captured"];
    const LONGEST: usize = 300;
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling: Vec<&str> = lines.filter(|line| !USUAL.iter().any(|usual| line.contains(usual))).collect();
    let text = telling.join(" ");
    let text = text.trim_end_matches(['.', ';', ' ']);
    if text.chars().count() <= LONGEST { text.to_string() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

/// Whether a complaint is about permission to capture.
#[must_use]
pub fn is_forbidden(complaint: &str) -> bool {
    let complaint = complaint.to_lowercase();
    ["permission", "not permitted", "privilege", "superuser"].iter().any(|part| complaint.contains(part))
}

/// Advice about a complaint.
#[must_use]
pub fn advice(complaint: &str) -> &'static str {
    let lower = complaint.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    if is_forbidden(complaint) {
        "run it as root, or permit it to capture: `sudo setcap cap_net_raw,cap_net_admin=eip $(command -v tcpdump)`"
    } else if has(&["no such device", "no device named", "does not exist", "doesn't exist", "not up"]) {
        "`live` alone lists the interfaces"
    } else if has(&["syntax", "filter", "expression", "vlan support"]) {
        "see pcap-filter(7) for the syntax of filters"
    } else {
        "`live` alone lists the interfaces, and `--with` names another program"
    }
}

/// Packets that the kernel dropped because nobody took them in time, as the program says when it ends; `None` when it
/// does not say.
#[must_use]
pub fn dropped(said: &str) -> Option<u64> {
    let of_tcpdump = |line: &str| {
        let rest = line.trim().strip_suffix(" dropped by kernel")?;
        rest.strip_suffix(" packets").or_else(|| rest.strip_suffix(" packet"))?.parse().ok()
    };
    // Packets received/dropped on interface 'lo': 11/0 (pcap:0/dumpcap:0/flushed:0/ps_ifdrop:0) (100.0%)
    let of_dumpcap = |line: &str| {
        let (_, counts) = line.trim().strip_prefix("Packets received/dropped on interface ")?.rsplit_once(": ")?;
        counts.split_whitespace().next()?.split_once('/')?.1.parse().ok()
    };
    said.lines().rev().find_map(|line| of_tcpdump(line).or_else(|| of_dumpcap(line)))
}

/// A network interface that can be captured on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    /// Its name, as `live` takes it.
    pub interface: String,
    /// Known facts.
    pub about: Option<String>,
}

/// The interfaces, and who says so: `program`, or the first that is there, or the system where there is none.
///
/// # Errors
/// [`LiveError`] for a program that was named and does not list any.
pub fn interfaces(program: Option<&Path>) -> Result<(Vec<Listed>, String), LiveError> {
    let named = program.map(Path::to_path_buf);
    let programs = named.clone().into_iter().chain(KNOWN.iter().map(PathBuf::from).filter(|_| named.is_none()));
    for path in programs {
        let mut command = Command::new(&path);
        let answer = children::output(command.arg("-D").env("LC_ALL", "C").stdin(Stdio::null()));
        match answer {
            Ok(answer) if answer.status.success() => {
                return Ok((listed(&String::from_utf8_lossy(&answer.stdout)), path.display().to_string()));
            }
            Ok(answer) if named.is_some() => {
                let said = complaint(&String::from_utf8_lossy(&answer.stderr));
                let (program, interface) = (path.display().to_string(), "any interface".to_string());
                return Err(LiveError::Refused { program, interface, advice: advice(&said), said });
            }
            Err(source) if named.is_some() => {
                return Err(LiveError::Start { program: path.display().to_string(), source });
            }
            _ => {}
        }
    }
    Ok((of_system(), LINUX_LIST.to_string()))
}

/// The lines of `-D`: `1.eth0 [Up, Running]`, `2. lo (Loopback)`.
fn listed(text: &str) -> Vec<Listed> {
    let line = |line: &str| {
        let (number, rest) = line.trim().split_once('.')?;
        number.parse::<u32>().ok()?;
        let rest = rest.trim();
        let (interface, about) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let about = Some(about.trim().to_string()).filter(|about| !about.is_empty());
        Some(Listed { interface: interface.to_string(), about })
    };
    text.lines().filter_map(line).collect()
}

/// The interfaces that Linux has, by name.
#[must_use]
pub fn of_system() -> Vec<Listed> {
    let mut found: Vec<Listed> = fs::read_dir(LINUX_LIST)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| {
            let fact = |name: &str| {
                let text = fs::read_to_string(entry.path().join(name)).ok()?;
                Some(text.trim().to_string()).filter(|text| !text.is_empty())
            };
            let loopback = fact("type").is_some_and(|kind| kind == "772");
            let state = fact("operstate").filter(|state| state != "unknown");
            let about = [loopback.then(|| "loopback".to_string()), state, fact("address")];
            let about: Vec<String> = about.into_iter().flatten().collect();
            Listed {
                interface: entry.file_name().to_string_lossy().into_owned(),
                about: Some(about.join(", ")).filter(|about| !about.is_empty()),
            }
        })
        .collect();
    found.sort_by(|one, other| one.interface.cmp(&other.interface));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packets::live::PacketSource;

    #[test]
    fn programs_are_called_in_their_own_way_and_no_word_is_an_option_by_accident() {
        let wanted =
            |whole| Wanted { source: PacketSource::of("-x"), program: None, filter: "-tcp".to_string(), whole };
        let words = |path: &str, whole| {
            let words = Program { path: PathBuf::from(path) }.arguments(&wanted(whole), "-x");
            words.into_iter().map(|word| word.into_string().unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(words("/usr/sbin/tcpdump", false), "-i -x -s 256 -n -U --immediate-mode -w - -- -tcp");
        assert_eq!(words("/opt/dumpcap", false), "-i -x -s 256 -q -f -tcp -w -");
        assert_eq!(words("dumpcap", true), "-i -x -q -f -tcp -w -");
    }

    #[test]
    fn complaints_are_what_is_not_said_always() {
        let said = "tcpdump: listening on lo, link-type EN10MB (Ethernet)\ntcpdump: eth9: No such device exists\n\
                    0 packets captured\n";
        assert_eq!(complaint(said), "tcpdump: eth9: No such device exists");
        assert!(advice(&complaint(said)).contains("lists the interfaces"));
        let long = "x".repeat(1000);
        assert_eq!(complaint(&long).chars().count(), 301);
        // As tcpdump 4.99 and dumpcap 4.0 put it.
        for forbidden in [
            "tcpdump: lo: You don't have permission to perform this capture on that device\n(socket: Operation not \
             permitted)",
            "The capture session could not be initiated on capture device \"lo\" (You do not have permission to capture \
             on device \"lo\").",
        ] {
            assert!(is_forbidden(forbidden) && advice(forbidden).contains("setcap"), "{forbidden}");
        }
    }

    #[test]
    fn drops_are_read_from_what_either_program_says() {
        let tcpdump = "11 packets captured\n24 packets received by filter\n2 packets dropped by kernel\n\
                       0 packets dropped by interface\n";
        assert_eq!(dropped(tcpdump), Some(2));
        assert_eq!(dropped("1 packet dropped by kernel"), Some(1));
        let dumpcap = "Packets captured: 11\nPackets received/dropped on interface 'a: 9/8': 11/3 \
                       (pcap:3/dumpcap:0/flushed:0/ps_ifdrop:0) (78.6%)\n";
        assert_eq!(dropped(dumpcap), Some(3));
        assert_eq!(dropped("tcpdump: listening on lo"), None);
    }

    #[test]
    fn interfaces_are_read_from_either_list() {
        let listed = |text| listed(text).into_iter().map(|it| (it.interface, it.about)).collect::<Vec<_>>();
        let about = |text: &str| Some(text.to_string());
        assert_eq!(
            listed("1.eth0 [Up, Running]\n12.any (Pseudo-device) [Up]\n"),
            [("eth0".to_string(), about("[Up, Running]")), ("any".to_string(), about("(Pseudo-device) [Up]"))]
        );
        assert_eq!(
            listed("1. eth0.7\n2. lo (Loopback)\nnonsense\n"),
            [("eth0.7".to_string(), None), ("lo".to_string(), about("(Loopback)"))]
        );
    }
}
