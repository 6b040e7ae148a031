//! What packets mean together.

pub mod counted_once;
pub mod doubled;
pub mod dsn;
pub mod ends_of_subflows;
pub mod handshakes;
pub mod kernel;
pub mod life;
pub mod mid_connection;
pub mod model;
pub mod places;
pub mod properties;
pub mod reassembly;
pub mod truth;
pub mod wireshark;
