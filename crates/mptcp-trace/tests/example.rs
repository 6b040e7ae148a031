//! The example that a stranger starts from.

// Its `main` is not called here.
#[allow(dead_code)]
#[path = "../examples/goodput.rs"]
mod goodput;

use std::path::Path;

use mptcp_trace::{Capture, Error, ReadError};

/// What the client's application wrote, and its addresses, are from the notes on the recording (`examples/README.md`).
#[test]
fn the_goodput_is_what_the_application_wrote() {
    // The recording belongs to the program, and is not part of this package.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/two_paths.pcapng");
    if !path.is_file() {
        return eprintln!("{} is missing: nothing was tested", path.display());
    }
    let text = goodput::report(&Capture::open(path).unwrap()).unwrap();
    assert!(text.contains("towards the server: 800040 bytes in "), "{text}");
    for client in ["[fd00:1::1]:", "[fd00:2::1]:"] {
        assert_eq!(text.lines().filter(|line| line.contains(client)).count(), 1, "{text}");
    }
    assert_eq!(text.lines().filter(|line| line.ends_with("-> [fd00:1::2]:5001")).count(), 2, "{text}");
}

#[test]
fn what_is_not_a_capture_is_an_error_of_one_sentence() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "twelve bytes and more, but not a capture").unwrap();
    let error = Capture::open(file.path()).unwrap_err();
    assert!(matches!(error, Error::Read(ReadError::NotACapture { .. })), "{error:?}");
    assert!(error.to_string().contains("neither pcap nor pcapng"), "{error}");
    let error = Capture::open("/nowhere/at-all.pcap").unwrap_err();
    assert!(matches!(error, Error::Read(ReadError::Unreadable { .. })), "{error:?}");
}
