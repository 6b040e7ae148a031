//! Captures that mean harm, one shape each, of about as many packets as are asked for.

mod capture;
mod one_stream;
mod subflows;
mod times;

pub use capture::Capture;

/// A shape: its name, what it is, and how a capture of it is filled.
pub struct Shape {
    /// In the table.
    pub name: &'static str,
    /// Puts about so many packets into a capture.
    pub fill: fn(&mut Capture, usize),
}

/// All of them.
pub const SHAPES: &[Shape] = &[
    Shape { name: "mappings that overlap", fill: one_stream::overlapping },
    Shape { name: "mappings that reach back", fill: one_stream::reaching_back },
    Shape { name: "mappings in fragments", fill: one_stream::fragments },
    Shape { name: "infinite mappings", fill: one_stream::infinite },
    Shape { name: "numbers that wrap", fill: one_stream::wrapping },
    Shape { name: "alternating holes, filled again", fill: one_stream::holes },
    Shape { name: "holes from the back", fill: one_stream::holes_from_the_back },
    Shape { name: "holes filled from the back", fill: one_stream::filled_from_the_back },
    Shape { name: "the first byte never comes", fill: one_stream::waiting },
    Shape { name: "each re-sends all before", fill: one_stream::amplified },
    Shape { name: "all acknowledged at once", fill: one_stream::acknowledged_at_once },
    Shape { name: "SACK blocks in fragments", fill: one_stream::selective },
    Shape { name: "ACKs that go back", fill: one_stream::acknowledgements },
    Shape { name: "one packet again and again", fill: one_stream::identical },
    Shape { name: "one packet over many mappings", fill: one_stream::identical_over_many },
    Shape { name: "one ACK again and again", fill: one_stream::pure_acknowledgements },
    Shape { name: "options of all kinds", fill: one_stream::options },
    Shape { name: "FIN and RST in turn", fill: one_stream::endings },
    Shape { name: "MP_FAIL again and again", fill: one_stream::failures },
    Shape { name: "interface name of 64 KiB", fill: one_stream::long_name },
    Shape { name: "windows that shut", fill: times::shut },
    Shape { name: "time that runs back", fill: times::backwards },
    Shape { name: "times in any order", fill: times::shuffled },
    Shape { name: "all at one time", fill: times::at_once },
    Shape { name: "hours between packets", fill: times::hours },
    Shape { name: "timestamps never echoed", fill: times::not_echoed },
    Shape { name: "everything recorded twice", fill: times::twice },
    Shape { name: "subflows that reinject all", fill: subflows::reinjecting },
    Shape { name: "subflows that repeat the last", fill: subflows::pairs },
    Shape { name: "two subflows in turn", fill: subflows::in_turn },
    Shape { name: "thousands of subflows", fill: subflows::many },
    Shape { name: "subflows that lose options", fill: subflows::without_options },
    Shape { name: "subflows that stand still", fill: subflows::standing },
    Shape { name: "subflows reset by strangers", fill: subflows::reset },
    Shape { name: "joins refused", fill: subflows::refused },
    Shape { name: "backups and priorities", fill: subflows::backups },
    Shape { name: "addresses joined and removed", fill: subflows::addresses },
    Shape { name: "joins that open a connection", fill: subflows::joins_that_open },
    Shape { name: "tokens by the thousand", fill: subflows::tokens },
    Shape { name: "keys by the thousand", fill: subflows::keys },
    Shape { name: "one key for all", fill: subflows::one_key },
    Shape { name: "one pair of ports", fill: subflows::one_pair },
    Shape { name: "connections side by side", fill: subflows::connections },
    Shape { name: "streams without handshakes", fill: subflows::without_handshakes },
];
