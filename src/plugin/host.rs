//! One use of a plugin: start it, shake hands, ask, wait for the answer.

mod error;

use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Plugin;
use super::process::{Event, Running};
use super::protocol::{self, Answer, Greeting, Hello};
use super::request::Prepared;
use crate::terminal_text::escape;
pub use error::HostError;
use mptcp_trace::interrupt;
use mptcp_trace::units::counted;

/// Between two looks at Ctrl-C and the clock.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long a process that has ended its output may take to end itself, and the other way round.
const LINGERING: Duration = Duration::from_secs(1);
/// Lines of standard error that are shown.
const SHOWN_LINES: usize = 20;
/// Characters that are shown of one line, and of text that is quoted.
const SHOWN_CHARACTERS: usize = 300;

/// Outcome of a use of a plugin.
#[derive(Debug)]
pub struct Spoken {
    /// The answer.
    pub answer: Result<Answer, HostError>,
    /// Greeting of the plugin, once received.
    pub hello: Option<Hello>,
    /// Lines of its standard error, not escaped.
    pub said: Vec<String>,
}

/// Starts `plugin` and asks it. However it ends, nothing of it is left running.
#[must_use]
pub fn ask(plugin: &Plugin, prepared: &Prepared) -> Spoken {
    let mut conversation = Conversation::new(plugin);
    let answer = conversation.hold(prepared);
    Spoken { answer, said: conversation.said.take().unwrap_or_default(), hello: conversation.hello }
}

/// Starts `plugin` in `directory` for its greeting alone.
#[must_use]
pub fn greet(plugin: &Plugin, directory: &Path) -> Spoken {
    let mut conversation = Conversation::new(plugin);
    let answer = conversation.shake_hands_only(directory).map(|()| Answer::Text(String::new()));
    Spoken { answer, said: conversation.said.take().unwrap_or_default(), hello: conversation.hello }
}

struct Conversation<'a> {
    plugin: &'a Plugin,
    deadline: Option<Instant>,
    hello: Option<Hello>,
    /// Lines of standard error, once it has ended.
    said: Option<Vec<String>>,
}

impl<'a> Conversation<'a> {
    fn new(plugin: &'a Plugin) -> Self {
        Conversation { plugin, deadline: Instant::now().checked_add(plugin.limit), hello: None, said: None }
    }

    fn name(&self) -> String {
        self.plugin.manifest.name.clone()
    }

    fn not_started(&self, error: &std::io::Error) -> HostError {
        HostError::NotStarted { name: self.name(), reason: error.to_string() }
    }

    fn hold(&mut self, prepared: &Prepared) -> Result<Answer, HostError> {
        let request = line(&prepared.request).map_err(|error| self.not_started(&error))?;
        let (mut running, events) = self.start(prepared.directory.path(), &prepared.variables)?;
        let answer = self.talk(&mut running, &events, Some(request));
        let status = wait_for_end(&mut running, answer.is_ok());
        self.finish(running, &events);
        judge(self.name(), &answer?, status)
    }

    fn shake_hands_only(&mut self, directory: &Path) -> Result<(), HostError> {
        let (mut running, events) = self.start(directory, &[])?;
        let answer = self.talk(&mut running, &events, None);
        self.finish(running, &events);
        answer.map(drop)
    }

    /// Starts it and greets it.
    fn start(&self, directory: &Path, variables: &[(String, String)]) -> Result<(Running, Receiver<Event>), HostError> {
        let greeted = line(&Greeting { hello: our_hello() }).and_then(|greeting| {
            let (mut running, events) = Running::start(&self.plugin.executable, directory, variables)?;
            running.tell(greeting, false)?;
            Ok((running, events))
        });
        greeted.map_err(|error| self.not_started(&error))
    }

    /// Ends what is left of it, so that its standard error ends, too, and can be shown.
    fn finish(&mut self, mut running: Running, events: &Receiver<Event>) {
        running.kill();
        self.listen(events);
    }

    /// Up to the end of its standard output; without a request up to its greeting.
    fn talk(
        &mut self,
        running: &mut Running,
        events: &Receiver<Event>,
        mut request: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, HostError> {
        let mut ended_at = None;
        loop {
            if interrupt::requested() {
                return Err(HostError::Interrupted);
            }
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(HostError::TimedOut { name: self.name(), seconds: self.plugin.limit.as_secs() });
            }
            match events.recv_timeout(PATIENCE) {
                Ok(Event::Greeting(line)) => {
                    self.hello = Some(self.shake_hands(line.as_deref(), running)?);
                    let Some(request) = request.take() else { return Ok(Vec::new()) };
                    running.tell(request, true).map_err(|error| self.not_started(&error))?;
                }
                Ok(Event::Answer(bytes)) => return Ok(bytes),
                Ok(Event::Flood) => return Err(HostError::Flood { name: self.name() }),
                Ok(Event::Said(kept, more)) => self.said = Some(lines(&kept, more)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
            }
            // It has ended, and something that it left behind keeps its output open.
            if running.ended().is_some() {
                let since = *ended_at.get_or_insert_with(Instant::now);
                if since.elapsed() > LINGERING {
                    let what = "nothing before it ended, and left a process running that holds its output".to_string();
                    return Err(HostError::BadAnswer { name: self.name(), what });
                }
            }
        }
    }

    fn shake_hands(&self, line: Option<&[u8]>, running: &mut Running) -> Result<Hello, HostError> {
        let name = self.name();
        let Some(line) = line else {
            let since = Instant::now();
            while running.ended().is_none() && since.elapsed() < LINGERING {
                std::thread::sleep(PATIENCE);
            }
            return Err(match running.ended() {
                Some(status) if !status.success() => HostError::Failed { name, how: how(status) },
                _ => HostError::NoHandshake { name, what: "it said nothing".to_string() },
            });
        };
        let greeting: Greeting = serde_json::from_slice(line).map_err(|_| HostError::NoHandshake {
            name: name.clone(),
            what: format!("its first line is `{}`", quoted(&String::from_utf8_lossy(line))),
        })?;
        if greeting.hello.protocol != protocol::VERSION {
            return Err(HostError::OtherProtocol { name, spoken: greeting.hello.protocol });
        }
        Ok(greeting.hello)
    }

    /// Takes what came on standard error, if that has not been taken yet.
    fn listen(&mut self, events: &Receiver<Event>) {
        let since = Instant::now();
        while self.said.is_none() && since.elapsed() < LINGERING {
            match events.recv_timeout(PATIENCE) {
                Ok(Event::Said(kept, more)) => self.said = Some(lines(&kept, more)),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

/// Its end; `None` if it has not ended.
fn wait_for_end(running: &mut Running, answered: bool) -> Option<ExitStatus> {
    let since = Instant::now();
    while answered && running.ended().is_none() && since.elapsed() < LINGERING && !interrupt::requested() {
        std::thread::sleep(Duration::from_millis(1));
    }
    running.ended()
}

fn our_hello() -> Hello {
    Hello {
        protocol: protocol::VERSION,
        version: env!("CARGO_PKG_VERSION").to_string(),
        features: protocol::FEATURES.map(str::to_string).to_vec(),
    }
}

fn line(value: &impl serde::Serialize) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// The answer, or why it is none. What a plugin says of its own failure counts more than how it ended.
fn judge(name: String, bytes: &[u8], status: Option<ExitStatus>) -> Result<Answer, HostError> {
    let answer = serde_json::from_slice::<Answer>(bytes);
    match (answer, status) {
        (Ok(Answer::Error(sentence)), _) => Err(HostError::Refused { name, sentence: quoted(&sentence) }),
        (_, Some(status)) if !status.success() => Err(HostError::Failed { name, how: how(status) }),
        (Ok(answer), _) => Ok(answer),
        (Err(_), _) if bytes.trim_ascii().is_empty() => Err(HostError::BadAnswer { name, what: "nothing".to_string() }),
        (Err(error), _) if error.is_eof() => {
            Err(HostError::BadAnswer { name, what: format!("JSON that is cut short ({error})") })
        }
        (Err(error), _) if error.is_syntax() => {
            Err(HostError::BadAnswer { name, what: format!("text that is not JSON ({})", quoted(&error.to_string())) })
        }
        (Err(error), _) => {
            let what = format!("JSON that is not an answer of the protocol ({})", quoted(&error.to_string()));
            Err(HostError::BadAnswer { name, what })
        }
    }
}

fn how(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("was ended by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => "did not end by itself".to_string(),
    }
}

/// The start of a text, escaped.
fn quoted(text: &str) -> String {
    let text = text.trim_end();
    let start: String = text.chars().take(SHOWN_CHARACTERS).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{}{more}", escape(&start))
}

/// Standard error, line by line.
fn lines(kept: &[u8], more: u64) -> Vec<String> {
    let text = String::from_utf8_lossy(kept);
    let all = || text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let mut shown: Vec<String> = all().take(SHOWN_LINES).map(quoted).collect();
    let left = all().count().saturating_sub(SHOWN_LINES);
    if left > 0 || more > 0 {
        let beyond = if more > 0 { format!(" and {} beyond", counted(more, "byte")) } else { String::new() };
        shown.push(format!("… {}{beyond} not shown", counted(u64::try_from(left).unwrap_or(u64::MAX), "more line")));
    }
    shown
}
