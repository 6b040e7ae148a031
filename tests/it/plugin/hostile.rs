//! Plugins that do what they must not: each costs one clear sentence, and the shell goes on.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use expectrl::{ControlCode, Eof, Expect, Session};

use crate::support::program::{Finished, Home};

const HELLO: &str = r#"echo '{"hello": {"protocol": 1, "version": "1"}}'"#;

/// A plugin called `name` in the person's own place; `script` is what its shell does after the interpreter's line.
pub fn plugin(home: &Home, name: &str, script: &str) -> PathBuf {
    let manifest = format!(
        "name = '{name}'\nversion = '1'\nprotocol = 1\nexecutable = 'run.sh'\n\n[[command]]\nname = '{name}'\n\
         summary = 'Do what {name} does'\n"
    );
    plugin_with(home, name, &manifest, script)
}

pub fn plugin_with(home: &Home, folder: &str, manifest: &str, script: &str) -> PathBuf {
    let folder = home.path("data/mptcpanalyzer/plugins").join(folder);
    write_plugin(&folder, manifest, script);
    folder
}

pub fn write_plugin(folder: &Path, manifest: &str, script: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("plugin.toml"), manifest).unwrap();
    let executable = folder.join("run.sh");
    std::fs::write(&executable, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&executable, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs the command `name` and `help quit` after it, as a script that goes on, with a limit of two seconds a plugin.
fn run(home: &Home, name: &str) -> Finished {
    let config = home.write("config.toml", "plugin_timeout = 2\n");
    home.run(&["--config", config.to_str().unwrap(), "--keep-going"], &format!("{name}\nhelp quit\n"))
}

/// The one sentence that a plugin of `script` costs; the next command of the session must have run.
fn sentence(script: &str) -> String {
    let home = Home::new();
    plugin(&home, "evil", script);
    let done = run(&home, "evil");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.results.contains("Usage: quit"), "the session did not go on: {done:?}");
    assert_eq!(done.messages.lines().count(), 1, "{}", done.messages);
    done.messages.trim_end().trim_start_matches("<stdin>:1: ").to_string()
}

#[test]
fn one_that_hangs_is_ended_with_all_that_it_started() {
    let home = Home::new();
    let marker = home.path("survived");
    let script = format!("{HELLO}\n(sleep 4; touch '{}') &\nsleep 60", marker.display());
    plugin(&home, "evil", &script);
    let started = Instant::now();
    let done = run(&home, "evil");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(
        done.messages,
        "<stdin>:1: plugin `evil` stopped: no answer after 2 s; raise `plugin_timeout` in the configuration\n"
    );
    assert!(done.results.contains("Usage: quit"), "{done:?}");
    std::thread::sleep(Duration::from_secs(5).saturating_sub(started.elapsed()));
    assert!(!marker.exists(), "what the plugin had started lived on");
}

#[test]
fn one_that_hangs_before_it_greets_is_ended() {
    assert!(sentence("sleep 60").starts_with("plugin `evil` stopped: no answer after 2 s"));
}

#[test]
fn a_flood_is_cut_off() {
    assert_eq!(
        sentence(&format!("{HELLO}\nread hello; read request\nhead -c 80000000 /dev/zero | tr '\\0' x")),
        "plugin `evil` stopped: its answer exceeds 64 MiB; reduce the answer"
    );
    // What is short as JSON and long in memory.
    let said = sentence(&format!(
        "{HELLO}\nread hello; read request\nprintf '{{\"table\": {{\"columns\": [\"a\"], \"rows\": [[0]'\n\
         yes ',[0]' | head -n 1500000 | tr -d '\\n'; echo ']}}}}'"
    ));
    assert!(
        said.contains("not an answer of the protocol (a table has at most 1000000 cells; an Arrow file may"),
        "{said}"
    );
    // In place of a greeting, and without any end.
    let said = sentence("exec cat /dev/zero");
    assert!(said.starts_with("handshake with plugin `evil` failed: its first line is `\\u{0}"), "{said}");
    assert!(said.len() < 2000, "{}", said.len());
}

#[test]
fn a_flood_of_complaints_is_shown_in_part() {
    let home = Home::new();
    let flood = r#"awk 'BEGIN { while (i < 200000) print "to be \033[31mred " ++i }' >&2; exit 3"#;
    plugin(&home, "evil", &format!("{HELLO}\nread h; read r\n{flood}"));
    let done = run(&home, "evil");
    let lines: Vec<&str> = done.messages.lines().collect();
    assert_eq!(lines.len(), 22, "{}", done.messages);
    assert_eq!(lines[0], "warning: evil: to be \\u{1b}[31mred 1");
    assert!(lines[20].starts_with("warning: evil: … "), "{}", lines[20]);
    assert_eq!(lines[21], "<stdin>:1: plugin `evil` failed: it ended with exit code 3");
}

#[test]
fn an_end_without_success_is_told() {
    assert_eq!(sentence("exit 1"), "plugin `evil` failed: it ended with exit code 1");
    assert_eq!(
        sentence(&format!("{HELLO}\nread h; read r\necho '{{\"text\": \"done\"}}'\nexit 1")),
        "plugin `evil` failed: it ended with exit code 1"
    );
    assert_eq!(sentence(&format!("{HELLO}\nkill -SEGV $$")), "plugin `evil` failed: it was ended by signal 11");
}

#[test]
fn half_a_json_garbage_and_nothing_are_told_apart() {
    let answered = |answer: &str| sentence(&format!("{HELLO}\nread h; read r\n{answer}"));
    assert_eq!(
        answered("printf '{\"table\": {\"columns\": [\"a\"], \"rows\": [[1'"),
        "plugin `evil` answered with JSON that is cut short (EOF while parsing a list at line 1 column 40); run \
         `plugin check DIR` for details"
    );
    assert!(answered("echo hi there").starts_with("plugin `evil` answered with text that is not JSON (expected"));
    assert!(
        answered("echo '{\"tabel\": 1}'").contains("answered with JSON that is not an answer of the protocol (unknown")
    );
    assert!(answered("true").starts_with("plugin `evil` answered with nothing; "));
    assert!(
        answered("echo '{\"table\": {\"columns\": [\"a\", \"b\"], \"rows\": [[1, 2], [3]]}}'")
            .starts_with("plugin `evil` answered with a table whose row 2 has 1 values for 2 columns")
    );
    assert!(
        answered("echo '{\"arrow\": \"../../../etc/passwd\"}'").contains("which is not a file in the directory of")
    );
    assert!(
        answered("echo junk > x; echo '{\"arrow\": \"x\"}'").contains("which is not an Arrow IPC file with columns")
    );
    assert!(
        answered("echo '{\"figure\": {\"title\": \"t\", \"panels\": []}}'")
            .ends_with("a figure that cannot be drawn: the figure has no panel; give it at least one")
    );
}

#[test]
fn another_protocol_is_refused_at_the_handshake_and_in_the_manifest() {
    assert_eq!(
        sentence("echo '{\"hello\": {\"protocol\": 9}}'"),
        "plugin `evil` uses protocol version 9, this program version 1; install matching versions"
    );
    assert_eq!(
        sentence("echo hello"),
        "handshake with plugin `evil` failed: its first line is `hello`; run `plugin check DIR` for details"
    );
    let home = Home::new();
    plugin_with(&home, "old", "name = 'old'\nprotocol = 7\nexecutable = 'run.sh'\n[[command]]\nname = 'old'\n", "");
    let done = home.run(&["help", "quit"], "");
    assert_eq!(done.code, Some(0));
    assert!(done.messages.contains("the plugin uses protocol version 7, this program version 1"), "{done:?}");
}

#[test]
fn one_that_cannot_be_started_is_told() {
    let home = Home::new();
    let folder = plugin(&home, "evil", "");
    std::fs::write(folder.join("run.sh"), "#!/no/such/interpreter\n").unwrap();
    let done = run(&home, "evil");
    assert!(done.messages.contains("cannot start plugin `evil` (No such file or directory"), "{done:?}");
    assert!(done.messages.contains("begin it with the line of an installed interpreter"), "{done:?}");
    std::fs::set_permissions(folder.join("run.sh"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let done = home.run(&["help", "quit"], "");
    assert!(done.messages.contains("run.sh is not executable; run `chmod +x "), "{done:?}");
}

#[test]
fn an_executable_outside_of_the_folder_is_refused() {
    let manifest = |executable: &str| {
        format!("name = 'out'\nprotocol = 1\nexecutable = '{executable}'\n[[command]]\nname = 'out'\nsummary = 'Out'\n")
    };
    for executable in ["/bin/sh", "../other/run.sh", "sub/../../other/run.sh", ""] {
        let home = Home::new();
        plugin_with(&home, "other", "", "");
        let folder = plugin_with(&home, "out", &manifest(executable), "");
        let done = home.run(&["out"], "");
        let said =
            format!("warning: plugin skipped: {}/plugin.toml:1: `executable` is missing: it takes", folder.display());
        let wrong = said.replace(":1: `executable` is missing: it takes", ":3: `executable` takes the path of a file in the plugin's folder, neither absolute nor with `..`, in quotes");
        assert!(done.messages.contains(&wrong), "{executable}: {done:?}");
        assert_eq!(done.code, Some(2), "{executable} became a command: {done:?}");
    }
    // A link that leads out of it.
    let home = Home::new();
    let folder = plugin_with(&home, "out", &manifest("run.sh"), "");
    std::fs::remove_file(folder.join("run.sh")).unwrap();
    std::os::unix::fs::symlink("/bin/sh", folder.join("run.sh")).unwrap();
    let done = home.run(&["out"], "");
    assert!(done.messages.contains("run.sh is outside the plugin's directory"), "{done:?}");
    assert_eq!(done.code, Some(2));
}

#[test]
fn a_manifest_that_is_no_file_is_not_waited_for() {
    let home = Home::new();
    let folder = plugin(&home, "evil", "");
    std::fs::remove_file(folder.join("plugin.toml")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.join("plugin.toml")).unwrap();
    let done = home.run(&["help", "quit"], "");
    assert_eq!(done.code, Some(0));
    assert!(done.messages.contains("plugin.toml: it is not a file of at most 1 MiB"), "{done:?}");
}

#[test]
fn escapes_reach_no_terminal() {
    let escape = "\\u001b]0;owned\\u0007\\u202e";
    for answer in [
        format!(r#"{{"text": "one{escape}\ntwo"}}"#),
        format!(r#"{{"table": {{"title": "t{escape}", "columns": ["a{escape}", {{"name": "n", "heading": "h{escape}"}}], "rows": [["b{escape}", 1]], "notes": ["{escape}"]}}}}"#),
        format!(r#"{{"error": "e{escape}"}}"#),
        format!(
            r#"{{"figure": {{"title": "t{escape}", "caption": ["{escape}"], "panels": [{{"title": "{escape}",
               "x": {{"label": "x{escape}", "unit": "plain"}}, "y": {{"label": "y{escape}", "unit": "plain"}},
               "series": [{{"name": "s{escape}", "role": {{"kind": "total"}}, "marks": {{"points": [[1, 2], [3, 4]]}}}}],
               "annotations": [{{"x": 2, "text": "a{escape}"}}]}}]}}}}"#
        )
        .replace('\n', ""),
    ] {
        let home = Home::new();
        plugin(&home, "evil", &format!("{HELLO}\nread h; read r\nprintf 'bad\\033[2J\\n' >&2\ncat <<'END'\n{answer}\nEND"));
        for line in ["evil", "evil --format json"] {
            let done = home.run(&[], &format!("{line}\n"));
            let printed = format!("{}{}", done.results, done.messages);
            assert!(printed.contains("warning: evil: bad\\u{1b}[2J"), "{printed}");
            assert!(!printed.contains(['\x1b', '\x07', '\u{202e}']), "{line}: {printed:?}");
            assert!(done.messages.lines().count() <= 2, "{}", done.messages);
        }
    }
    // Nor from a manifest.
    let home = Home::new();
    let manifest =
        "name = 'out'\nprotocol = 1\nexecutable = 'run.sh'\n[[command]]\nname = 'out'\nsummary = \"a\\u001b[2J\"\n";
    plugin_with(&home, "out", manifest, "");
    let done = home.run(&["help"], "");
    assert!(done.messages.contains("plugin.toml:6: `summary` takes a one-line description"), "{done:?}");
    assert!(!done.results.contains('\x1b'));
}

#[test]
fn of_two_with_one_name_the_first_stays_and_built_in_names_are_taken() {
    let home = Home::new();
    let answer = |text: &str| format!("{HELLO}\nread h; read r\necho '{{\"text\": \"{text}\"}}'");
    let manifest = |plugin: &str, command: &str| {
        format!(
            "name = '{plugin}'\nprotocol = 1\nexecutable = 'run.sh'\n[[command]]\nname = '{command}'\nsummary = 'S'\n"
        )
    };
    plugin_with(&home, "a", &manifest("same", "hey"), &answer("first"));
    plugin_with(&home, "b", &manifest("same", "hoy"), &answer("second"));
    plugin_with(&home, "c", &manifest("other", "hey"), &answer("third"));
    plugin_with(&home, "d", &manifest("bold", "quit"), &answer("fourth"));
    plugin_with(&home, "e", &manifest("bolder", "lc"), &answer("fifth"));
    let done = home.run(&["hey"], "");
    assert_eq!((done.code, done.results.as_str()), (Some(0), "first\n"), "{done:?}");
    let warnings: Vec<&str> = done.messages.lines().collect();
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    assert!(
        warnings[0].contains("plugins/b skipped, because another in ") && warnings[0].contains("is also called `same`")
    );
    assert!(warnings[1].contains("command `hey` of plugin `other` skipped: another command has"));
    assert!(warnings[2].contains("command `quit` of plugin `bold` skipped"), "{}", warnings[2]);
    assert!(warnings[3].contains("command `lc` of plugin `bolder` skipped"), "{}", warnings[3]);
}

#[test]
fn the_current_directory_is_never_searched() {
    let home = Home::new();
    let manifest = "name = 'here'\nprotocol = 1\nexecutable = 'run.sh'\n[[command]]\nname = 'here'\nsummary = 'S'\n";
    for folder in ["plugins/here", "here", "."] {
        write_plugin(&home.path(folder), manifest, HELLO);
    }
    let done = home.run(&["help", "here"], "");
    assert_eq!(done.code, Some(2), "{done:?}");
    let config = home.write("config.toml", "plugin_dirs = ['plugins']\n");
    let done = home.run(&["--config", config.to_str().unwrap(), "help", "here"], "");
    assert!(done.messages.contains("config.toml:1: `plugin_dirs` takes a list of directories in quotes"), "{done:?}");
}

#[test]
fn ctrl_c_ends_it_and_the_prompt_comes_back() {
    let home = Home::new();
    let marker = home.path("survived");
    let script = format!("{HELLO}\nread h; read r\necho started >&2\n(sleep 2; touch '{}') & wait", marker.display());
    plugin(&home, "evil", &script);
    let mut program = home.program();
    program.env("NO_COLOR", "1");
    let mut session = Session::spawn(program).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(20)));
    session.expect("mptcpanalyzer> ").unwrap();
    session.send("evil\r").unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let pressed = Instant::now();
    session.send(ControlCode::EndOfText).unwrap();
    session.expect("error: interrupted").unwrap();
    session.expect("mptcpanalyzer> ").unwrap();
    assert!(pressed.elapsed() < Duration::from_millis(1500), "{:?}", pressed.elapsed());
    session.send("help quit\r").unwrap();
    session.expect("Usage: quit").unwrap();
    session.expect("mptcpanalyzer> ").unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert!(!marker.exists(), "what the plugin had started lived on");
    session.send("quit\r").unwrap();
    session.expect(Eof).unwrap();
}

#[test]
fn ctrl_c_outside_of_the_prompt_ends_both() {
    let home = Home::new();
    let marker = home.path("survived");
    let script = format!("{HELLO}\nread h; read r\n(sleep 3; touch '{}') & wait", marker.display());
    plugin(&home, "evil", &script);
    let mut program = home.program();
    program.arg("evil").stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = program.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let pressed = Instant::now();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let done = Finished::from(child.wait_with_output().unwrap());
    assert!(pressed.elapsed() < Duration::from_secs(2), "{:?}", pressed.elapsed());
    assert_eq!((done.code, done.messages.as_str()), (Some(130), "error: interrupted\n"));
    std::thread::sleep(Duration::from_secs(3));
    assert!(!marker.exists(), "what the plugin had started lived on");
}

#[test]
fn nothing_is_left_in_the_temporary_directory() {
    let home = Home::new();
    let temporary = home.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    plugin(
        &home,
        "evil",
        &format!("{HELLO}\nread h; read r\npwd > '{}'\ntouch a b\nexit 1", home.path("where").display()),
    );
    let mut program = home.program();
    program.env("TMPDIR", &temporary).arg("evil");
    crate::support::program::finish(program, "");
    let inside = std::fs::read_to_string(home.path("where")).unwrap();
    assert!(inside.contains("tmp/mptcpanalyzer-"), "{inside}");
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}

/// What a plugin that answers with the output of `answer` makes the program print in 800 MB of memory.
fn printed(answer: &str, format: &str) -> Finished {
    let home = Home::new();
    plugin(&home, "evil", &format!("{HELLO}\nread h; read r\n{answer}"));
    let program = home.program();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -d 800000; exec \"$0\" evil --format \"$1\""]).arg(program.get_program()).arg(format);
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(home.path("."));
    Finished::from(shell.output().unwrap())
}

#[test]
fn a_long_text_takes_little_more_memory_than_it_has_characters() {
    let lines = "printf '{\"text\": \"'; yes 'x\\n' | head -n 20000000 | tr -d '\\n'; printf '\"}'";
    for (format, length) in [("table", 40_000_000), ("csv", 40_000_005)] {
        let done = printed(lines, format);
        assert_eq!((done.code, done.results.len()), (Some(0), length), "{format}: {}", done.messages);
    }
}

#[test]
fn a_long_cell_does_not_widen_the_others() {
    for character in ["x", "é"] {
        let long = format!("head -c 5000000 /dev/zero | sed 's/\\x00/{character}/g'");
        let row = format!("[\"{character}\", 1]");
        let rows = vec![row; 100].join(", ");
        let answer = format!(
            "printf '{{\"table\": {{\"columns\": [\"a\", \"b\"], \"rows\": [{rows}, [\"'; {long}; printf '\", 2]]}}}}'"
        );
        let done = printed(&answer, "table");
        assert_eq!(done.code, Some(0), "{}", done.messages);
        // The long cell is whole; every other line is as short as its column is without it.
        assert!(done.results.contains(&character.repeat(5_000_000)));
        let others = done.results.lines().filter(|line| line.len() < 10).count();
        assert_eq!(others, 102, "{} bytes", done.results.len());
    }
}

#[test]
fn a_long_name_of_a_column_is_not_repeated_in_every_row() {
    let long = "head -c 5000000 /dev/zero | tr '\\0' x";
    let rows = vec!["[1]"; 10_000].join(", ");
    let answer = format!("printf '{{\"table\": {{\"columns\": [\"'; {long}; printf '\"], \"rows\": [{rows}]}}}}'");
    let done = printed(&answer, "json");
    assert!(done.messages.contains("a column whose name is longer than 1000 bytes; shorten it"), "{done:?}");
}

#[test]
fn an_arrow_file_without_content_is_refused_by_its_end() {
    let done = printed("truncate -s 900M x; echo '{\"arrow\": \"x\"}'", "json");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.messages.contains("the file `x`, which is not an Arrow IPC file with columns"), "{done:?}");
}
