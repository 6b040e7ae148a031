//! The session as completion sees it, with descriptions.

use crate::packets::LoadedCapture;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock, Weak};

use crate::commands::session::captures::{FileState, Held};
use crate::commands::session::shortcuts::ShortcutKind;
use crate::commands::{Session, registry};
use crate::packets::{live, schema};
use mptcp_trace::units::counted;
use mptcp_trace::{ConnectionId, StreamId};

/// Values and what each of them is.
pub(super) type Described = Arc<Vec<(String, String)>>;

/// The session as completion sees it, taken before each line is read.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub(super) known: Arc<Known>,
    pub(super) held: Arc<Vec<HeldCapture>>,
    pub(super) captures: Described,
    pub(super) shortcuts: Described,
}

/// A capture in memory, under the name that it has or as the file that it was read from.
#[derive(Debug)]
pub(super) struct HeldCapture {
    name: Option<String>,
    file: Option<FileState>,
    known: Arc<Known>,
}

/// Facts of a capture, computed when first needed.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) capture: Option<Weak<LoadedCapture>>,
    pub(super) tcp_streams: OnceLock<Described>,
    pub(super) mptcp_streams: OnceLock<Described>,
    pub(super) columns: OnceLock<Described>,
}

impl Snapshot {
    /// What `session` has. Of `before`, the last one, is kept what is still true.
    #[must_use]
    pub fn of(session: &Session, before: Option<&Snapshot>) -> Self {
        let known = Known::of(session.loaded(), before);
        let describe = |name: Option<&str>, held: &Held| HeldCapture {
            name: name.map(str::to_string),
            file: held.file.clone(),
            known: Known::of(Some(&held.capture), before),
        };
        let unnamed = session.current().into_iter().chain(session.remembered());
        let held = session.named().map(|(name, held)| describe(Some(name), held));
        let held = held.chain(unnamed.map(|held| describe(None, held))).collect();
        let captures = session.named().map(|(name, held)| {
            let path = held.capture.path.to_string_lossy();
            (name.to_string(), format!("{path}, {}", counted(held.capture.segments.len(), "packet")))
        });
        let shortcuts = [ShortcutKind::Alias, ShortcutKind::Macro].into_iter().flat_map(|kind| {
            let named = session.shortcuts.of(kind).iter();
            named.map(move |(name, text)| (name.clone(), format!("{}: {text}", kind.name())))
        });
        Snapshot {
            known,
            held: Arc::new(held),
            captures: Arc::new(captures.collect()),
            shortcuts: Arc::new(shortcuts.collect()),
        }
    }

    /// What is known of the capture that a command would take for `wanted`, a name or a path, without reading it.
    pub(super) fn held(&self, wanted: &Path) -> Option<&Known> {
        let named = self.held.iter().find(|held| held.name.as_deref().is_some_and(|name| wanted == Path::new(name)));
        let found = named.or_else(|| {
            let file = FileState::of(wanted)?;
            self.held.iter().find(|held| held.file.as_ref() == Some(&file))
        });
        found.map(|held| &*held.known)
    }

    /// The values that an argument of this id can have, when they depend on the session or the registry.
    pub(super) fn values_of(&self, id: &str) -> Option<Described> {
        match id {
            "column" => Some(self.known.columns()),
            "name" => Some(self.captures.clone()),
            "shortcut" => Some(self.shortcuts.clone()),
            "interface" => Some(Arc::new(interfaces())),
            "command" => Some(Arc::new(commands())),
            _ => None,
        }
    }
}

/// The network interfaces of this system.
fn interfaces() -> Vec<(String, String)> {
    live::of_system().into_iter().map(|listed| (listed.interface, listed.about.unwrap_or_default())).collect()
}

/// Every name that a command answers to.
pub(super) fn commands() -> Vec<(String, String)> {
    let named = registry::COMMANDS.all().flat_map(|command| {
        let names = std::iter::once(command.name()).chain(command.aliases().iter().copied());
        names.map(|name| (name.to_string(), command.summary().to_string()))
    });
    named.collect()
}

impl Known {
    /// What `before` knows of `capture`, or else a place for it.
    fn of(capture: Option<&Arc<LoadedCapture>>, before: Option<&Snapshot>) -> Arc<Known> {
        let capture = capture.map(Arc::downgrade);
        let is_same = |known: &&Arc<Known>| match (&known.capture, &capture) {
            (Some(one), Some(other)) => one.ptr_eq(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        let known = before
            .into_iter()
            .flat_map(|before| std::iter::once(&before.known).chain(before.held.iter().map(|held| &held.known)));
        known.into_iter().find(is_same).cloned().unwrap_or_else(|| Arc::new(Known { capture, ..Known::default() }))
    }

    fn capture(&self) -> Option<Arc<LoadedCapture>> {
        self.capture.as_ref()?.upgrade()
    }

    pub(super) fn tcp_streams(&self) -> Described {
        self.tcp_streams.get_or_init(|| Arc::new(self.capture().map(|it| tcp_streams(&it)).unwrap_or_default())).clone()
    }

    pub(super) fn mptcp_streams(&self) -> Described {
        let described = || Arc::new(self.capture().map(|it| mptcp_streams(&it)).unwrap_or_default());
        self.mptcp_streams.get_or_init(described).clone()
    }

    fn columns(&self) -> Described {
        self.columns.get_or_init(|| Arc::new(columns(self.capture().as_deref()))).clone()
    }
}

fn tcp_streams(capture: &LoadedCapture) -> Vec<(String, String)> {
    let connections = &capture.tracking.connections;
    let pairs = connections.iter().flat_map(|connection| connection.subflows.iter().map(|id| (*id, connection.id)));
    let connection_of: HashMap<StreamId, ConnectionId> = pairs.collect();
    let described = capture.tracking.streams.iter().map(|stream| {
        let connection = match connection_of.get(&stream.id) {
            Some(connection) => format!("MPTCP connection {connection}"),
            None => "plain TCP".to_string(),
        };
        let packets = counted(stream.packets.len(), "packet");
        (stream.id.to_string(), format!("{} → {}, {connection}, {packets}", stream.client, stream.server))
    });
    described.collect()
}

fn mptcp_streams(capture: &LoadedCapture) -> Vec<(String, String)> {
    let described = capture.tracking.whole_connections().map(|connection| {
        let subflows = counted(connection.subflows.len(), "subflow");
        let first = connection.subflows.first().and_then(|id| capture.tracking.stream(*id));
        let about = match first {
            Some(first) => format!("{} → {}, {subflows}", first.client, first.server),
            None => subflows,
        };
        (connection.id.to_string(), about)
    });
    described.collect()
}

/// The columns of the schema, then those that the configuration added.
fn columns(capture: Option<&LoadedCapture>) -> Vec<(String, String)> {
    let described = |column: &schema::ColumnSpec| match column.unit {
        "" => (column.name.to_string(), column.about.to_string()),
        unit => (column.name.to_string(), format!("{} [{unit}]", column.about)),
    };
    let mut columns: Vec<(String, String)> = schema::COLUMNS.iter().map(described).collect();
    let Some(capture) = capture else { return columns };
    columns.extend(capture.extra_names().map(|name| (name.to_string(), "a Wireshark field".to_string())));
    columns
}
