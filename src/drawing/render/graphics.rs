//! Pictures inside of a terminal: the protocols of kitty and iTerm2, and sixel.

mod sixel;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::backend::bitmap::Bitmap;
pub use sixel::sixel;

/// How a terminal takes pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// kitty's: base64 in pieces.
    Kitty,
    /// iTerm2's: one operating system command.
    Iterm2,
    /// DEC's: six rows of pixels a line, from a palette.
    Sixel,
}

/// Bytes of base64 in one piece, the most that kitty takes.
const PIECE: usize = 4096;

/// A PNG file in kitty's protocol.
#[must_use]
pub fn kitty(png: &[u8]) -> String {
    let encoded = STANDARD.encode(png);
    let mut sequence = String::with_capacity(encoded.len().saturating_add(encoded.len() / 128).saturating_add(64));
    let mut pieces = encoded.as_bytes().chunks(PIECE).peekable();
    // A PNG file, transmit and show; the terminal shall not answer, because nobody waits for it.
    let mut control = "a=T,f=100,q=2,";
    while let Some(piece) = pieces.next() {
        let more = u8::from(pieces.peek().is_some());
        let piece = String::from_utf8_lossy(piece);
        // Writing to a string never fails.
        let _ = write!(sequence, "\x1b_G{control}m={more};{piece}\x1b\\");
        control = "";
    }
    sequence.push('\n');
    sequence
}

/// A PNG file in iTerm2's protocol.
#[must_use]
pub fn iterm2(png: &[u8], bitmap: &Bitmap) -> String {
    let (size, width, height) = (png.len(), bitmap.width, bitmap.height);
    let encoded = STANDARD.encode(png);
    format!(
        "\x1b]1337;File=inline=1;size={size};width={width}px;height={height}px;preserveAspectRatio=1:{encoded}\x07\n"
    )
}

/// The protocol that a terminal is known to have, by the variables of its environment, without asking the terminal.
///
/// None inside of tmux or screen, which keep pictures from their terminal, and none where nothing is known.
pub fn supported(variable: impl Fn(&str) -> Option<String>) -> Option<Protocol> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let terminal = variable("TERM").unwrap_or_default();
    let multiplexed = ["TMUX", "STY", "ZELLIJ"].iter().any(|name| set(name).is_some());
    if multiplexed || terminal.starts_with("tmux") || terminal.starts_with("screen") || terminal == "dumb" {
        return None;
    }
    // A program that was started from a graphical terminal inside of another inherits the variables of both; TERM is
    // always the inner one's.
    match terminal.as_str() {
        "xterm-kitty" | "xterm-ghostty" => return Some(Protocol::Kitty),
        "foot" | "foot-extra" | "mlterm" | "yaft-256color" | "contour" => return Some(Protocol::Sixel),
        _ => {}
    }
    match set("TERM_PROGRAM").as_deref() {
        Some("iTerm.app" | "WezTerm" | "mintty") => return Some(Protocol::Iterm2),
        Some("ghostty") => return Some(Protocol::Kitty),
        _ => {}
    }
    if set("KITTY_WINDOW_ID").is_some() || newer_konsole(set("KONSOLE_VERSION")) {
        return Some(Protocol::Kitty);
    }
    None
}

/// Konsole takes kitty's pictures since 22.04.
fn newer_konsole(version: Option<String>) -> bool {
    version.and_then(|version| version.parse::<u64>().ok()).is_some_and(|version| version >= 220_400)
}

#[cfg(test)]
mod tests;
