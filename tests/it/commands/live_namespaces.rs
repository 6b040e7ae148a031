//! `live` on a real transfer between two network namespaces, where they can be made.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::program::{Finished, Home};

/// Bytes that the client's program writes.
const WRITTEN: usize = 3_000_000;

const SERVER: &str = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('0.0.0.0', 5001)); s.listen(1)
print('listening', flush=True)
c, _ = s.accept(); n = 0
while True:
    d = c.recv(65536)
    if not d: break
    n += len(d)
c.close(); print(n, flush=True)
";

const CLIENT: &str = "
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.connect(('10.77.1.2', 5001)); time.sleep(0.3)
left = int(sys.argv[1])
while left:
    n = min(left, 50000); s.sendall(b'x' * n); left -= n; time.sleep(0.02)
s.shutdown(socket.SHUT_WR)
while s.recv(4096): pass
s.close(); time.sleep(0.3)
";

/// Two namespaces with two paths between them; gone when dropped.
struct Network {
    client: String,
    server: String,
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in [&self.client, &self.server] {
            let _ = Command::new("ip").args(["netns", "del", name]).stderr(Stdio::null()).status();
        }
    }
}

impl Network {
    /// `Err` says what is missing.
    fn new() -> Result<Self, String> {
        if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) != 0) {
            return Err("only root makes network namespaces".to_string());
        }
        for program in ["ip", "python3", "tcpdump"] {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
            if !found.status.success() {
                return Err(format!("{program} is not installed"));
            }
        }
        if !Path::new("/proc/sys/net/mptcp/enabled").exists() {
            return Err("the kernel has no MPTCP".to_string());
        }
        let number = std::process::id();
        let network = Network { client: format!("mptcpc{number}"), server: format!("mptcps{number}") };
        let (client, server) = (&network.client, &network.server);
        let mut lines = vec![format!("netns add {client}"), format!("netns add {server}")];
        for path in 1..=2 {
            lines.extend([
                format!("-n {client} link add c{path} type veth peer name s{path} netns {server}"),
                format!("-n {client} addr add 10.77.{path}.1/24 dev c{path}"),
                format!("-n {server} addr add 10.77.{path}.2/24 dev s{path}"),
                format!("-n {client} link set c{path} up"),
                format!("-n {server} link set s{path} up"),
            ]);
        }
        lines.extend([
            // The other address of the server is reached by its own path.
            format!("-n {client} mptcp limits set subflows 2 add_addr_accepted 2"),
            format!("-n {server} mptcp limits set subflows 2 add_addr_accepted 2"),
            format!("-n {server} mptcp endpoint add 10.77.2.2 dev s2 signal"),
        ]);
        for line in lines {
            let done = Command::new("ip").args(line.split(' ')).output().map_err(|error| error.to_string())?;
            if !done.status.success() {
                return Err(format!("`ip {line}`: {}", String::from_utf8_lossy(&done.stderr).trim()));
            }
        }
        Ok(network)
    }

    fn python(&self, namespace: &str, text: &str) -> Child {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, "python3", "-c", text, &WRITTEN.to_string()]);
        command.stdout(Stdio::piped()).spawn().unwrap()
    }
}

#[test]
fn a_transfer_is_watched_while_it_runs_and_counted_to_the_byte() {
    let network = match Network::new() {
        Ok(network) => network,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let home = Home::new();
    let usual = home.program();
    let mut live = Command::new("ip");
    live.args(["netns", "exec", &network.client]).arg(usual.get_program());
    live.args(["--batch", "-"]).current_dir(home.path("."));
    live.envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut live = live.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let script =
        "live any --interval 0.5 --format ndjson\nmptcp_summary 0 --format ndjson\nlist_subflows 0 --format ndjson\n";
    std::io::Write::write_all(&mut live.stdin.take().unwrap(), script.as_bytes()).unwrap();
    // tcpdump needs a moment to begin.
    std::thread::sleep(Duration::from_millis(1500));
    let server = network.python(&network.server, SERVER);
    std::thread::sleep(Duration::from_millis(500));
    assert!(network.python(&network.client, CLIENT).wait().unwrap().success());
    let received = server.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&received.stdout).trim(), format!("listening\n{WRITTEN}"));
    std::thread::sleep(Duration::from_millis(300));
    kill(Pid::from_raw(i32::try_from(live.id()).unwrap()), Signal::SIGINT).unwrap();
    let done: Finished = live.wait_with_output().unwrap().into();
    assert_eq!(done.code, Some(0), "{done:?}");

    let found: Vec<Value> = done.results.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (news, questions): (Vec<&Value>, Vec<&Value>) = found.iter().partition(|it| it["record"].is_string());
    let events: Vec<&str> = news.iter().filter_map(|it| it["event"].as_str()).collect();
    for event in ["established", "add_addr", "add_addr_echo", "join_established", "data_fin"] {
        assert!(events.contains(&event), "{event} is not in {events:?}");
    }
    let joined = news.iter().find(|it| it["event"] == "join_established").unwrap();
    assert_eq!((&joined["client_ip"], &joined["server_ip"]), (&"10.77.2.1".into(), &"10.77.2.2".into()));
    assert_eq!(joined["detail"], "HMAC valid");

    // What the application wrote, and what the rates add up to: payload, less what was sent twice.
    let summary = questions[0]["directions"].as_array().unwrap();
    let server = summary.iter().find(|it| it["towards"] == "server").unwrap();
    assert_eq!(server["goodput_bytes"], WRITTEN, "{server}");
    let sum = |key: &str| -> u64 {
        let own = |it: &&&Value| it["record"] == "rate" && it["towards"] == "server" && it["mptcpstream"] == 0;
        let rates = news.iter().filter(own).filter(|it| it["tcpstream"].is_null());
        rates.map(|rate| rate[key].as_u64().unwrap()).sum()
    };
    let again = sum("retransmitted_bytes") + server["reinjected_bytes"].as_u64().unwrap();
    let resent = server["resent_same_subflow_bytes"].as_u64().unwrap();
    assert_eq!(sum("throughput_bytes") - again - resent, WRITTEN as u64);
    // It was seen while it ran: the transfer takes more than a second, in windows of half of one.
    let windows = news.iter().filter(|it| it["record"] == "rate" && it["tcpstream"].is_null()).count();
    assert!(windows > 4, "{windows} windows");
    assert_eq!(questions.iter().filter(|it| it["kind"] == "join").count(), 1, "{questions:?}");
    let running = Command::new("ip").args(["netns", "pids", &network.client]).output().unwrap();
    assert!(running.stdout.is_empty(), "left behind: {}", String::from_utf8_lossy(&running.stdout));
}
