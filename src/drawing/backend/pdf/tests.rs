use std::io::Read as _;
use std::process::Command;

use super::super::super::sample;
use super::super::super::{PictureFormat, Target, render};

fn pdf(width: u32, height: u32) -> Vec<u8> {
    render(&sample::time_sequence(), &Target::new(PictureFormat::Pdf).sized(width, height)).unwrap()
}

/// What a program of poppler-utils says of the file; `None` where it is not installed.
fn asked(program: &str, arguments: &[&str]) -> Option<String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, &pdf(900, 600)).unwrap();
    let output = Command::new(program).args(arguments).arg(file.path()).arg("-").output().ok()?;
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn every_object_is_where_the_table_says() {
    let file = pdf(336, 240);
    assert!(file.starts_with(b"%PDF-1.5\n") && file.ends_with(b"%%EOF\n"));
    let text = String::from_utf8_lossy(&file).into_owned();
    // Pixels at 96 dots per inch are three quarters of a point.
    assert!(text.contains("/MediaBox [0 0 252 180]"));
    let table: usize = text.lines().rev().nth(1).unwrap().parse().unwrap();
    assert!(file[table..].starts_with(b"xref\n0 11\n"));
    let starts = String::from_utf8_lossy(&file[table..]).into_owned();
    for (number, line) in starts.lines().skip(3).take(10).enumerate() {
        let start: usize = line[..10].parse().unwrap();
        assert!(file[start..].starts_with(format!("{} 0 obj\n", number + 1).as_bytes()), "{line}");
    }
    assert_eq!(file, pdf(336, 240), "the same figure gives the same bytes");
}

#[test]
fn the_page_draws_lines_marks_and_text() {
    let file = pdf(336, 240);
    let find =
        |what: &[u8], from: usize| file[from..].windows(what.len()).position(|part| part == what).unwrap() + from;
    let start = find(b"stream\n", find(b"4 0 obj", 0)) + 7;
    let mut content = String::new();
    flate2::read::ZlibDecoder::new(&file[start..]).read_to_string(&mut content).unwrap();
    assert!(content.starts_with("0.75 0 0 -0.75 0 180 cm 2 j\n1 1 1 rg 0 0 336 240 re f\n"), "{}", &content[..80]);
    for part in [" m ", " l ", "S [] 0 d", "BT ", " Tj ET", "1 J"] {
        assert!(content.contains(part), "{part}");
    }
    // Drawing operators alone: nothing that runs, opens or refers.
    assert!(
        content.is_ascii() && !content.contains('/')
            || content.matches('/').count() == content.matches("/F ").count() + content.matches("/G").count()
    );
}

#[test]
fn text_can_be_found_and_its_font_is_in_the_file() {
    let Some(text) = asked("pdftotext", &[]) else {
        eprintln!("pdftotext is not installed: skipped");
        return;
    };
    assert!(text.contains("data sequence number (MB)") && text.contains("10.0.1.1 → 10.0.1.2"), "{text}");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, &pdf(336, 240)).unwrap();
    let fonts = Command::new("pdffonts").arg(file.path()).output().unwrap();
    let fonts = String::from_utf8_lossy(&fonts.stdout).into_owned();
    let line = fonts.lines().nth(2).unwrap();
    assert!(line.contains("DejaVuSans") && line.contains("CID TrueType") && line.contains("yes"), "{fonts}");
}
