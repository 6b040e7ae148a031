//! From a capture file to a table of TCP packets, one row each, and to [`segment::Segment`]s, the currency of the
//! pipeline. This room says what is *in* each packet; what packets mean together is [`crate::tracking`]'s question.

pub mod cache;
pub mod capture_file;
pub mod cells;
mod dissector;
pub mod exported;
pub mod live;
pub mod load;
pub mod native;
pub mod option_form;
mod progress;
pub mod schema;
pub mod segment;
pub mod table;
pub mod tshark;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use dissector::Dissector;
pub use load::{LoadOptions, load, payloads};

/// A network interface that packets of the capture were recorded on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Wireshark's `frame.interface_id`, from 0.
    pub id: u32,
    /// Its name as recorded (`eth0`), when the file format has one.
    pub name: Option<String>,
    /// TCP packets seen on it.
    pub packets: u64,
}

impl Interface {
    /// Bytes of a name at most. Systems name interfaces with up to some 50; a capture can hold 64 KiB, for every packet.
    const LONGEST_NAME: usize = 256;

    /// The start of a recorded name that is kept.
    #[must_use]
    pub fn kept_name(recorded: &str) -> &str {
        recorded.get(..recorded.floor_char_boundary(Self::LONGEST_NAME)).unwrap_or(recorded)
    }
}

/// What a dissector knows of the capture beside its packets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CaptureFacts {
    /// Frames of any protocol read from the file.
    pub frames: u64,
    /// The dissector and its version, `tshark 4.0.17`.
    pub dissector: String,
    /// Interfaces in order of their id; empty when the format has none.
    pub interfaces: Vec<Interface>,
    /// What a person must know about the reading: a file cut short, columns that this tshark cannot fill.
    pub warnings: Vec<String>,
}

impl CaptureFacts {
    /// Whether the packets come from a capture, whose payload can be read once more, and not from an exported table.
    #[must_use]
    pub fn has_payload(&self) -> bool {
        self.dissector != exported::DISSECTOR
    }
}

/// A dissected capture: the table of raw columns ([`schema::Origin::Packet`]) and the facts around it.
#[derive(Debug, Clone)]
pub struct Dissection {
    /// The packets.
    pub table: table::PacketTable,
    /// What is known beside the packets.
    pub facts: CaptureFacts,
}

/// A capture could not be turned into packets.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such file.
    #[error("{}: no such file; check the path", .0.display())]
    Missing(PathBuf),
    /// Standard input was named, and a person sits there.
    #[error(
        "standard input is a terminal, not a capture; name a file, or send one as in `tcpdump -w - | mptcpanalyzer --load - …`"
    )]
    Terminal,
    /// A directory was named.
    #[error("{} is a directory; name a capture file in it", .0.display())]
    Directory(PathBuf),
    /// Zero octets.
    #[error("{} is empty (0 bytes), not a capture; record it again", .0.display())]
    Empty(PathBuf),
    /// Not a format that can be read.
    #[error("{} is not a packet capture that can be read{detail}; pcap and pcapng files are, and tables that `export` wrote", path.display())]
    NotACapture {
        /// The file.
        path: PathBuf,
        /// What the dissector said, in parentheses, or empty.
        detail: String,
    },
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// tshark cannot be started or is too old.
    #[error(transparent)]
    Tshark(#[from] tshark::TsharkError),
    /// An exported table lacks columns or has other types.
    #[error("{} is not a table that this program exported: {reason}", path.display())]
    ForeignTable {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// polars refused.
    #[error("cannot build the packet table: {0}")]
    Table(#[from] polars::error::PolarsError),
    /// Its packets take more memory than they may.
    #[error(
        "{} has more packets than fit into {}: reading stopped after {packets} TCP packets; cut it with `editcap -s 128`, \
         choose packets with `tcpdump -r FILE -w OUT FILTER`, or allow more with `--memory-limit`",
        path.display(), crate::units::bytes(*limit)
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Packets that were read.
        packets: usize,
        /// The limit, in bytes.
        limit: u64,
    },
    /// Ctrl-C.
    #[error("interrupted: the capture was not loaded")]
    Interrupted,
}
