//! A writer of log lines that escapes hidden characters, so that a value in a line cannot control the terminal
//! on which it is read.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use crate::model::{is_hidden, printable_json};

/// The code with which a terminal's colours begin. The formatter of text lines writes it, and escapes it in
/// values.
const ESCAPE: char = '\u{1b}';

/// Makes writers to standard error.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToStandardError {
    /// Whether lines are JSON, in which characters are escaped as JSON does.
    pub(super) json: bool,
}

impl<'a> MakeWriter<'a> for ToStandardError {
    type Writer = Visible<io::Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Visible { json: self.json, to: io::stderr() }
    }
}

/// Writes whole lines, with their hidden characters escaped.
#[derive(Debug)]
pub(super) struct Visible<W> {
    json: bool,
    to: W,
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        if self.json {
            self.to.write_all(printable_json(&text).as_bytes())?;
        } else {
            self.to.write_all(text_line(&text).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn text_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for letter in line.chars() {
        let stays = matches!(letter, '\n' | '\t' | ESCAPE) || !is_hidden(letter);
        if stays {
            out.push(letter);
        } else {
            out.extend(letter.escape_unicode());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: bool, line: &str) -> String {
        let mut to = Visible { json, to: Vec::new() };
        to.write_all(line.as_bytes()).expect("memory");
        String::from_utf8(to.to).expect("text")
    }

    #[test]
    fn hidden_characters_of_a_line_are_escaped_and_its_end_stays() {
        assert_eq!(written(true, "{\"a\":\"\u{9b}x\u{202e}\"}\n"), "{\"a\":\"\\u009bx\\u202e\"}\n");
        assert_eq!(written(false, "a=\u{9b}x\u{202e}\n"), "a=\\u{9b}x\\u{202e}\n");
        assert_eq!(written(false, "\u{1b}[32mINFO\u{1b}[0m a\n"), "\u{1b}[32mINFO\u{1b}[0m a\n");
    }
}
