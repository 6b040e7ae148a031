//! The seal of Parquet and Arrow files: a digest of every octet, kept in the file's own metadata.
//!
//! A reader that is handed a damaged length may ask for memory without bound, which ends the process. So a file is
//! shown to polars only when it is, to the octet, what this program wrote. The seal guards against damage and files
//! from elsewhere, not against someone who computes it.

use memchr::memmem;
use mptcp_trace::units::hexadecimal;
use sha2::{Digest, Sha256};

/// The metadata key of the seal.
pub(super) const KEY: &str = "mptcpanalyzer.seal";
/// What the value begins with; the digest in hexadecimal follows.
const MARK: &str = "mptcpanalyzer-sha256:";
const DIGITS: usize = 64;

/// The value before the digest is known.
pub(super) fn blank() -> String {
    format!("{MARK}{}", "0".repeat(DIGITS))
}

/// Puts the digest of the octets, taken with the seal blank, in the place of the blank.
pub(super) fn close(octets: &mut [u8]) {
    let sealed = format!("{MARK}{}", digest(octets));
    replace(octets, blank().as_bytes(), sealed.as_bytes());
}

/// Blanks the seal again; false when there is none or it is broken.
pub(super) fn open(octets: &mut [u8]) -> bool {
    let Some(start) = memmem::find(octets, MARK.as_bytes()) else { return false };
    let Some(sealed) = octets.get(start..start.saturating_add(MARK.len() + DIGITS)).map(<[u8]>::to_vec) else {
        return false;
    };
    replace(octets, &sealed, blank().as_bytes());
    sealed == format!("{MARK}{}", digest(octets)).as_bytes()
}

/// Arrow files carry their metadata twice, before and after the rows.
fn replace(octets: &mut [u8], old: &[u8], new: &[u8]) {
    let places: Vec<usize> = memmem::find_iter(octets, old).collect();
    for place in places {
        if let Some(target) = octets.get_mut(place..place.saturating_add(new.len())) {
            target.copy_from_slice(new);
        }
    }
}

fn digest(octets: &[u8]) -> String {
    hexadecimal(&Sha256::digest(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_breaks_the_seal() {
        let mut file = format!("head {} rows {} tail", blank(), blank()).into_bytes();
        let plain = file.clone();
        close(&mut file);
        assert_ne!(file, plain);
        assert!(open(&mut file.clone()));
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert!(!open(&mut damaged), "octet {at}");
        }
        for length in 0..file.len() {
            assert!(!open(&mut file[..length].to_vec()), "cut at {length}");
        }
        assert!(!open(&mut plain.clone()), "never closed");
    }
}
