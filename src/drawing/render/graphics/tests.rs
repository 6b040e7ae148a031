use super::super::super::sample;
use super::super::{PictureFormat, Target, png, render};
use super::*;

fn sequence(protocol: Protocol) -> String {
    let target = Target::new(PictureFormat::Terminal(protocol)).sized(320, 200);
    String::from_utf8(render(&sample::small(), &target).unwrap()).unwrap()
}

fn file() -> Vec<u8> {
    render(&sample::small(), &Target::new(PictureFormat::Png).sized(320, 200)).unwrap()
}

#[test]
fn kitty_gets_pieces_that_are_the_file_together() {
    let sequence = sequence(Protocol::Kitty);
    let pieces: Vec<&str> = sequence.trim_end_matches('\n').split_terminator("\x1b\\").collect();
    assert!(pieces.len() > 1);
    let mut encoded = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        let (control, payload) = piece.strip_prefix("\x1b_G").unwrap().split_once(';').unwrap();
        let more = u8::from(index + 1 < pieces.len());
        let expected = if index == 0 { format!("a=T,f=100,q=2,m={more}") } else { format!("m={more}") };
        assert_eq!(control, expected);
        assert!(payload.len() <= 4096 && (more == 0 || payload.len() % 4 == 0));
        encoded.push_str(payload);
    }
    assert_eq!(STANDARD.decode(encoded).unwrap(), file());
}

#[test]
fn iterm2_gets_the_file_with_its_size() {
    let sequence = sequence(Protocol::Iterm2);
    let (head, payload) = sequence.split_once(':').unwrap();
    let size = file().len();
    assert_eq!(head, format!("\x1b]1337;File=inline=1;size={size};width=320px;height=200px;preserveAspectRatio=1"));
    assert_eq!(STANDARD.decode(payload.strip_suffix("\x07\n").unwrap()).unwrap(), file());
}

/// A sixel picture as pixels, by DEC's description: `#` chooses or defines a colour, `!` repeats, `$` goes back to the
/// start of the band, `-` to the next band.
fn decode(sequence: &str) -> (usize, usize, Vec<Option<[u8; 3]>>) {
    let body = sequence.strip_prefix("\x1bP0;1;0q\"1;1;").unwrap().strip_suffix("\x1b\\\n").unwrap();
    let (width, rest) = body.split_once(';').unwrap();
    let width: usize = width.parse().unwrap();
    let end = rest.find('#').unwrap();
    let height: usize = rest[..end].parse().unwrap();
    let mut pixels = vec![None; width * height];
    let mut palette = std::collections::HashMap::new();
    let (mut colour, mut x, mut y, mut count) = (0, 0, 0, 1);
    let mut characters = rest[end..].chars().peekable();
    while let Some(character) = characters.next() {
        let mut number = || {
            let mut digits = String::new();
            while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits.parse::<usize>().unwrap()
        };
        match character {
            '#' => {
                colour = number();
                if characters.next_if_eq(&';').is_some() {
                    let mut values = [0; 4];
                    for (index, value) in values.iter_mut().enumerate() {
                        assert!(index == 0 || characters.next() == Some(';'));
                        let mut digits = String::new();
                        while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                            digits.push(digit);
                        }
                        *value = digits.parse().unwrap();
                    }
                    assert!(values[0] == 2 && values[1..].iter().all(|value| *value <= 100));
                    palette.insert(colour, [1, 2, 3].map(|at| (values[at] as f64 * 2.55).round() as u8));
                }
            }
            '!' => count = number(),
            '$' => x = 0,
            '-' => (x, y) = (0, y + 6),
            sixel @ '?'..='~' => {
                for column in x..x + count {
                    for bit in (0..6).filter(|bit| (sixel as u8 - b'?') >> bit & 1 == 1) {
                        pixels[(y + bit) * width + column] = Some(palette[&colour]);
                    }
                }
                x += count;
                count = 1;
            }
            other => panic!("{other:?} in a sixel picture"),
        }
    }
    assert!(palette.len() <= 256);
    (width, height, pixels)
}

#[test]
fn sixel_shows_every_pixel_in_almost_its_colour() {
    let (width, height, pixels) = decode(&sequence(Protocol::Sixel));
    assert_eq!((width, height), (320, 200));
    let (_, _, _, original) = png::tests::decode(&file());
    let mut sum = 0;
    for (pixel, wanted) in pixels.iter().zip(original.chunks(3)) {
        let shown = pixel.expect("every pixel has a colour");
        for (shown, wanted) in shown.iter().zip(wanted) {
            // Half the distance of two shades of the palette.
            assert!(shown.abs_diff(*wanted) <= 26, "{shown} for {wanted}");
            sum += usize::from(shown.abs_diff(*wanted));
        }
    }
    assert!(sum < original.len() * 2, "on average the colours are near: {sum}");
}

#[test]
fn a_terminal_is_known_by_its_environment() {
    let told = |variables: &[(&str, &str)]| {
        supported(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string()))
    };
    assert_eq!(told(&[("TERM", "xterm-kitty")]), Some(Protocol::Kitty));
    assert_eq!(told(&[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")]), Some(Protocol::Kitty));
    assert_eq!(told(&[("TERM", "xterm-ghostty"), ("TERM_PROGRAM", "ghostty")]), Some(Protocol::Kitty));
    assert_eq!(told(&[("TERM", "xterm-256color"), ("KONSOLE_VERSION", "230804")]), Some(Protocol::Kitty));
    assert_eq!(told(&[("TERM", "xterm-256color"), ("KONSOLE_VERSION", "210800")]), None);
    assert_eq!(told(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")]), Some(Protocol::Iterm2));
    assert_eq!(told(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")]), Some(Protocol::Iterm2));
    assert_eq!(told(&[("TERM", "foot")]), Some(Protocol::Sixel));
    assert_eq!(told(&[("TERM", "mlterm")]), Some(Protocol::Sixel));
    // In a multiplexer pictures do not reach the terminal.
    for inside in [("TMUX", "/tmp/tmux-0/default,1,0"), ("STY", "1.pts"), ("ZELLIJ", "0")] {
        assert_eq!(told(&[("TERM", "xterm-kitty"), ("KITTY_WINDOW_ID", "1"), inside]), None, "{inside:?}");
    }
    assert_eq!(told(&[("TERM", "tmux-256color"), ("TERM_PROGRAM", "iTerm.app")]), None);
    assert_eq!(told(&[("TERM", "screen.xterm"), ("KITTY_WINDOW_ID", "1")]), None);
    // Nothing known, nothing assumed.
    assert_eq!(told(&[]), None);
    assert_eq!(told(&[("TERM", "dumb"), ("TERM_PROGRAM", "iTerm.app")]), None);
    assert_eq!(told(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), None);
    assert_eq!(told(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "vscode")]), None);
    // Empty is not set.
    assert_eq!(told(&[("TERM", "xterm-kitty"), ("TMUX", "")]), Some(Protocol::Kitty));
}
