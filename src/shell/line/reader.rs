//! Reads statements off a line, byte by byte.

use super::{Behind, Output, Statement, Word};
use crate::error::{Error, Result};

/// Next part of a line.
enum Token {
    Word(Word),
    /// `;` or the end of a line.
    Separator,
    /// `>` or, when true, `>>`.
    Redirection(bool),
    Bar,
    End,
}

/// A place in a line.
pub struct Reader<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the start of `line`.
    pub fn new(line: &'a [u8]) -> Self {
        Reader { line, at: 0 }
    }

    /// The next statement, which may be without words; `None` at the end of the line.
    pub fn statement(&mut self) -> Result<Option<Statement>> {
        if self.at >= self.line.len() {
            return Ok(None);
        }
        let mut words: Vec<Word> = Vec::new();
        let mut output = Output::Console;
        let mut behind = Behind::default();
        loop {
            let start = self.at;
            match self.token()? {
                Token::End | Token::Separator => break,
                Token::Word(word) if words.is_empty() => self.first_word(word, &mut words)?,
                Token::Word(word) => words.push(word),
                Token::Redirection(append) => {
                    behind = Behind { words: words.len(), closely: self.is_close(start) };
                    let Token::Word(target) = self.token()? else { return Err(no_file()) };
                    if output != Output::Console {
                        return Err(two_outputs());
                    }
                    output = Output::File { target, append };
                }
                Token::Bar => {
                    behind = Behind { words: words.len(), closely: self.is_close(start) };
                    let program = self.rest()?;
                    if program.is_empty() {
                        return Err(usage("nothing follows `|`: name a program, or quote the `|`"));
                    }
                    if output != Output::Console {
                        return Err(two_outputs());
                    }
                    output = Output::Pipe(program.to_vec());
                    break;
                }
            }
        }
        if words.is_empty() && output != Output::Console {
            return Err(usage("a command must come before `>` or `|`"));
        }
        Ok(Some(Statement { words, output, behind }))
    }

    /// Whether a sign stands at `start` and not a blank before it: then what came before was a word.
    fn is_close(&self, start: usize) -> bool {
        self.line.get(start).is_some_and(|byte| b">|".contains(byte))
    }

    /// The word that names the command, and what the signs `?`, `@` and `!` at its start stand for.
    fn first_word(&mut self, word: Word, words: &mut Vec<Word>) -> Result<()> {
        for (sign, name) in [(b'?', "?"), (b'@', "@")] {
            if let Some(rest) = word.after(sign) {
                words.push(Word::literal(name.as_bytes()));
                words.extend((!rest.bytes.is_empty()).then_some(rest));
                return Ok(());
            }
        }
        if word.raw == b"!!" {
            return Err(usage("`!!` works only at the start of a line at the prompt; write the line out"));
        }
        if word.after(b'!').is_some() {
            // All of the line is for sh, so it is read again, from behind the sign.
            self.at = self.at.saturating_sub(word.raw.len()).saturating_add(1);
            words.push(Word::literal(b"!"));
            return self.rest_as_word(words);
        }
        let is_shell = word.raw == b"shell";
        words.push(word);
        let help = |rest: &[u8]| [b"-h".as_slice(), b"--help"].contains(&rest);
        if is_shell && !help(self.line.get(self.at..).unwrap_or_default().trim_ascii()) {
            return self.rest_as_word(words);
        }
        Ok(())
    }

    fn rest_as_word(&mut self, words: &mut Vec<Word>) -> Result<()> {
        let rest = self.rest()?;
        if !rest.is_empty() {
            words.push(Word::literal(rest));
        }
        Ok(())
    }

    /// Rest of the line, which a quote may extend to the next one.
    fn rest(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        let mut quote = None;
        while let Some(byte) = self.peek() {
            match (quote, byte) {
                (None, b'\n') => break,
                (None, b'\'' | b'"') => quote = Some(byte),
                (Some(open), _) if open == byte => quote = None,
                (None | Some(b'"'), b'\\') => self.at = self.at.saturating_add(1),
                _ => {}
            }
            self.at = self.at.saturating_add(1);
        }
        if quote.is_some() || self.at > self.line.len() {
            return Err(left_open());
        }
        Ok(self.line.get(start..self.at).unwrap_or_default().trim_ascii())
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at = self.at.saturating_add(1);
        Some(byte)
    }

    fn token(&mut self) -> Result<Token> {
        loop {
            match self.peek() {
                None => return Ok(Token::End),
                Some(b' ' | b'\t' | b'\r') => self.at = self.at.saturating_add(1),
                // A line that ends in a backslash goes on with the next one.
                Some(b'\\') if self.line.get(self.at.saturating_add(1)) == Some(&b'\n') => {
                    self.at = self.at.saturating_add(2);
                }
                Some(b'#') => {
                    while self.peek().is_some_and(|byte| byte != b'\n') {
                        self.at = self.at.saturating_add(1);
                    }
                }
                Some(b';' | b'\n') => {
                    self.at = self.at.saturating_add(1);
                    return Ok(Token::Separator);
                }
                Some(b'|') => {
                    self.at = self.at.saturating_add(1);
                    return Ok(Token::Bar);
                }
                Some(b'>') => {
                    self.at = self.at.saturating_add(1);
                    let append = self.peek() == Some(b'>');
                    self.at = self.at.saturating_add(usize::from(append));
                    return Ok(Token::Redirection(append));
                }
                Some(_) => return self.word().map(Token::Word),
            }
        }
    }

    fn word(&mut self) -> Result<Word> {
        let start = self.at;
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek() {
            if b" \t\r\n;|>".contains(&byte) {
                break;
            }
            self.at = self.at.saturating_add(1);
            match byte {
                b'\'' => loop {
                    match self.next().ok_or_else(left_open)? {
                        b'\'' => break,
                        other => bytes.push((other, true)),
                    }
                },
                b'"' => self.double_quoted(&mut bytes)?,
                b'\\' => match self.next().ok_or_else(left_open)? {
                    b'\n' => {}
                    other => bytes.push((other, true)),
                },
                other => bytes.push((other, false)),
            }
        }
        Ok(Word { bytes, raw: self.line.get(start..self.at).unwrap_or_default().to_vec() })
    }

    /// Within double quotes a backslash quotes only what would not be taken as it is.
    fn double_quoted(&mut self, bytes: &mut Vec<(u8, bool)>) -> Result<()> {
        loop {
            match self.next().ok_or_else(left_open)? {
                b'"' => return Ok(()),
                b'\\' => match self.next().ok_or_else(left_open)? {
                    b'\n' => {}
                    other @ (b'"' | b'\\' | b'$' | b'`') => bytes.push((other, true)),
                    other => bytes.extend([(b'\\', true), (other, true)]),
                },
                other => bytes.push((other, true)),
            }
        }
    }
}

fn usage(sentence: &str) -> Error {
    Error::Usage(sentence.to_string())
}

fn left_open() -> Error {
    usage("a quote or a final backslash is left open: close it, or put `\\` before a literal quote")
}

fn no_file() -> Error {
    usage("no file follows `>`: name one, or quote the `>` where it means greater than")
}

fn two_outputs() -> Error {
    usage("a result goes to one file or one program: leave one `>` or `|` out, or quote it")
}
