//! The program as tests start it: its own binary, in directories of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A home directory of a test's own, so that neither the person's configuration nor their history is touched.
pub struct Home {
    directory: TempDir,
}

impl Home {
    /// An empty one.
    pub fn new() -> Self {
        Home { directory: tempfile::tempdir().unwrap() }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file in it and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program, ready to be given arguments; it works in this directory.
    pub fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_mptcpanalyzer"));
        program.current_dir(self.directory.path()).env("HOME", self.directory.path());
        for (variable, name) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_DATA_HOME", "data"),
        ] {
            program.env(variable, self.path(name));
        }
        // An editor that leaves everything as it is, and no pager that waits for keys.
        program.env_remove("VISUAL").env("EDITOR", "true").env("PAGER", "");
        program.env_remove("RUST_BACKTRACE").env_remove("NO_COLOR").env("TERM", "xterm-256color");
        program.env_remove("LC_ALL").env_remove("LC_CTYPE").env("LANG", "C.UTF-8");
        program
    }

    /// Runs the program with `arguments` and `input` on its standard input.
    pub fn run(&self, arguments: &[&str], input: &str) -> Finished {
        let mut program = self.program();
        program.args(arguments);
        finish(program, input)
    }
}

/// What a run left behind.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub results: String,
    pub messages: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Finished {
            code: output.status.code(),
            results: String::from_utf8(output.stdout).unwrap(),
            messages: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs `program` to its end.
pub fn finish(mut program: Command, input: &str) -> Finished {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that does not read its input closes it early, which is its right.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap().into()
}

/// The repository's folder of example captures, when it has the capture that the examples of commands use.
pub fn examples() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    folder.join("client.pcapng").is_file().then_some(folder)
}
