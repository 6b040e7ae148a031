//! Dissection by tshark: one pass, raw fields only, CSV read by polars.

/// tshark cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TsharkError {
    /// There is no such program.
    #[error(
        "tshark was not found ({0}); install it with `apt-get install tshark`, or set `tshark` in the configuration"
    )]
    NotFound(String),
}
