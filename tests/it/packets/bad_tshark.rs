//! A tshark that is missing, old, broken, noisy or stuck.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::made;
use crate::support::program::Home;
use crate::support::three_modes::{Prompt, Refusal};

/// A home with a capture, a script in tshark's place whose dissection is `behaviour`, and a configuration for it.
pub fn home_with(behaviour: &str) -> Home {
    let script = format!(
        "#!/bin/sh\n\
         case \"$*\" in\n\
         --version) echo 'TShark (Wireshark) 4.0.17 (made for a test).'; exit 0 ;;\n\
         '-G fields'*) exec tshark \"$@\" ;;\n\
         esac\n\
         {behaviour}\n"
    );
    home_with_program(&script)
}

fn home_with_program(script: &str) -> Home {
    let home = Home::new();
    let program: PathBuf = home.write("fake", script);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    home.write("fake.toml", "dissector = \"tshark\"\ntshark = \"./fake\"\n");
    home.write("syn.pcap", made::pcap(&[&made::mptcp_syn()]));
    home
}

fn fails(home: &Home, says: &str) {
    Refusal { flags: &["--config", "fake.toml"], line: "load_pcap syn.pcap", says, code: 1 }.check(home);
    let done = home.run(&["--config", "fake.toml", "--load", "syn.pcap", "lt"], "");
    assert_eq!((done.code, done.results.as_str(), done.messages), (Some(1), "", format!("error: {says}\n")));
}

#[test]
fn missing() {
    let home = home_with("");
    std::fs::remove_file(home.path("fake")).unwrap();
    fails(
        &home,
        "tshark not found as `./fake`; install it with `apt-get install tshark`, or set `tshark` in the configuration",
    );
}

#[test]
fn too_old() {
    let home = home_with_program("#!/bin/sh\necho 'TShark (Wireshark) 3.4.0.'\n");
    let says = "tshark 3.4.0 is too old; install version 3.6 or newer with `apt-get install tshark`";
    fails(&home, says);
}

#[test]
fn not_tshark_at_all() {
    let home = home_with_program("#!/bin/sh\necho 'libwireshark.so.16: cannot open' >&2\nexit 127\n");
    let says = "./fake is not tshark (libwireshark.so.16: cannot open); set `tshark` in the configuration to the path \
                of tshark";
    fails(&home, says);
}

#[test]
fn no_program() {
    let home = home_with_program("words");
    std::fs::set_permissions(home.path("fake"), std::fs::Permissions::from_mode(0o644)).unwrap();
    fails(&home, "cannot start ./fake: Permission denied (os error 13); check the `tshark` key of the configuration");
}

#[test]
fn fails_with_a_message() {
    let home = home_with("echo 'tshark: out of \x1b[31mcheese' >&2\nexit 1");
    fails(&home, "tshark failed on syn.pcap: out of [31mcheese");
}

#[test]
fn fails_without_a_message() {
    fails(&home_with("exit 3"), "tshark failed on syn.pcap: it ended with exit status: 3 without a message");
}

#[test]
fn killed() {
    let says = "tshark was killed by signal 9 while reading syn.pcap; free some memory or cut the capture with editcap";
    fails(&home_with("kill -9 $$"), says);
}

#[test]
fn garbage() {
    let says = "cannot read tshark's output for syn.pcap: line 1 has no packet number; run again with `--no-cache`";
    fails(&home_with("printf 'a\\tb\\tc\\nd\\te\\tf\\n'"), says);
}

#[test]
fn complains_but_goes_on() {
    let home = home_with("echo 'odd \x1b[31mthing' >&2\nexec tshark \"$@\"");
    let done = home.run(&["--config", "fake.toml", "--load", "syn.pcap", "lt", "--format", "ndjson"], "");
    assert_eq!((done.code, done.results.lines().count()), (Some(0), 1), "{done:?}");
    assert_eq!(done.messages, "warning: tshark says: odd [31mthing\n");
    let done = home.run(&["--config", "fake.toml", "--format", "ndjson"], "load_pcap syn.pcap\nlt\n");
    assert_eq!((done.code, done.results.lines().count()), (Some(0), 1), "{done:?}");
    assert!(
        done.messages.starts_with(
            "warning: tshark says: odd [31mthing\nloaded syn.pcap: 1 TCP packet of 1 frame, 1 TCP stream, 0 "
        ),
        "{done:?}"
    );
}

/// Ctrl-C at a tshark that hangs, or whose own child does: the program ends soon, and leaves no temporary file.
#[test]
fn stuck() {
    for behaviour in ["exec sleep 300", "sleep 300\nexit 0"] {
        let home = home_with(&format!("touch started\n{behaviour}"));
        home.write("lines.txt", "load_pcap syn.pcap\n");
        std::fs::create_dir(home.path("tmp")).unwrap();
        for words in [&["--load", "syn.pcap", "lt"][..], &["lines.txt"]] {
            let mut program = home.program();
            program.env("TMPDIR", home.path("tmp")).args(["--config", "fake.toml"]).args(words);
            program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let child = program.spawn().unwrap();
            let deadline = Instant::now() + Duration::from_secs(60);
            while !home.path("started").exists() {
                assert!(Instant::now() < deadline, "the dissection was never started");
                std::thread::sleep(Duration::from_millis(10));
            }
            std::fs::remove_file(home.path("started")).unwrap();
            let pressed = Instant::now();
            let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
            assert!(interrupted.unwrap().success());
            let output = child.wait_with_output().unwrap();
            assert!(pressed.elapsed() < Duration::from_secs(20), "{:?}", pressed.elapsed());
            let messages = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(130), "{messages}");
            assert!(messages.contains("interrupted: capture not loaded"), "{messages}");
            assert_eq!((messages.lines().count(), output.stdout.len()), (1, 0), "{messages}");
            assert_eq!(std::fs::read_dir(home.path("tmp")).unwrap().count(), 0, "temporary files were left");
        }
    }
}

/// At the prompt the earlier capture stays loaded.
#[test]
fn stuck_at_the_prompt() {
    let home = home_with(
        "case \"$*\" in *slow.pcap*) touch started; sleep 300 ;; esac\n\
         exec tshark \"$@\"",
    );
    home.write("slow.pcap", made::pcap(&[&made::mptcp_syn(), &made::udp()]));
    let mut prompt = Prompt::open(&home, &["--config", "fake.toml", "--load", "syn.pcap"]);
    assert!(prompt.seen.ends_with("mptcpanalyzer [syn.pcap]> "), "{:?}", prompt.seen);
    prompt.type_keys("load_pcap slow.pcap\r");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !home.path("started").exists() {
        assert!(Instant::now() < deadline, "the dissection was never started");
        std::thread::sleep(Duration::from_millis(10));
    }
    let pressed = Instant::now();
    prompt.interrupt();
    prompt.until("error: interrupted: capture not loaded");
    assert!(pressed.elapsed() < Duration::from_secs(20), "{:?}", pressed.elapsed());
    prompt.until("mptcpanalyzer [syn.pcap]> ");
    assert!(prompt.answer("lt --format csv").contains("192.0.2.1,12345,192.0.2.2,80,1,"), "{:?}", prompt.seen);
    prompt.leave();
}
