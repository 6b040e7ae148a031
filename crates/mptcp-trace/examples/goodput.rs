//! Reads a capture, and prints the subflows and the goodput of each connection:
//! `cargo run -p mptcp-trace --example goodput examples/two_paths.pcapng`.

use std::process::ExitCode;

use mptcp_trace::analysis::mptcp_summary::mptcp_summary;
use mptcp_trace::{Capture, Error, Role};

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("name a capture: goodput FILE");
        return ExitCode::from(2);
    };
    match Capture::open(path).and_then(|capture| report(&capture)) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A line for each connection, subflow and direction.
pub fn report(capture: &Capture) -> Result<String, Error> {
    let mut text = String::new();
    for connection in capture.tracking.whole_connections() {
        text += &format!("MPTCP connection {}\n", connection.id);
        for id in &connection.subflows {
            let stream = capture.tcp_stream(*id)?;
            let (client, server) = (stream.endpoint(Role::Client), stream.endpoint(Role::Server));
            text += &format!("  subflow {id}: {client} -> {server}\n");
        }
        for direction in mptcp_summary(capture, connection).directions {
            let (bytes, seconds) = (direction.goodput_bytes, direction.duration);
            text += &format!("  towards the {}: {bytes} bytes in {seconds:.3} s\n", direction.towards.name());
        }
    }
    Ok(text)
}
