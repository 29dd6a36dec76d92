//! Parses JSON bytes into a document, and so into a [`Value`], in one pass without recursion.
//!
//! What the grammar of RFC 8259 allows is kept, whether or not a value can represent it: a number keeps its
//! digits, however many there are, and a half of a surrogate pair in a text, which no Unicode text can hold,
//! becomes U+FFFD (section 8.2 leaves that to the reader). So one odd token never costs a delivery. What the
//! grammar does not allow is a fault with its place.

mod fault;
mod strings;

use bytes::Bytes;

use super::Value;
use super::document::{Document, Group, Node, Span};
pub use fault::JsonFault;

/// The most values in a body. With more, the table could be many times larger than the body.
///
/// For each byte of a body such as `[[],[],…` the table takes five bytes, and eight more once the elements
/// are read. For `[{"a":1},…` it may take thirty.
const MAX_VALUES: usize = 2_000_000;

/// The most lists and maps within each other. What reads a tree may call itself for each of them.
const MAX_DEPTH: usize = 127;

/// A whole number of fewer digits than this fits in 64 signed bits.
const ALWAYS_FITS: usize = 19;

/// The bytes of a typical document for each value or name, to estimate the size of the table.
const BYTES_OF_A_NODE: usize = 14;

impl Value {
    /// Parses one JSON document. The value shares the bytes, and copies a part of them only when that part
    /// is read.
    ///
    /// # Errors
    /// Why the bytes are not exactly one JSON document, and where.
    pub fn read_json(bytes: &Bytes) -> Result<Self, JsonFault> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            JsonFault::at(bytes, error.valid_up_to(), "the body is not valid UTF-8")
        })?;
        let json = text.strip_prefix('\u{feff}').unwrap_or(text);
        if json.trim_ascii().is_empty() {
            return Err(JsonFault::at(bytes, 0, "the body is empty"));
        }
        // Places are kept in 32 bits.
        if u32::try_from(text.len()).is_err() {
            return Err(JsonFault::at(bytes, 0, "the body is too large"));
        }
        let mut reader = Reader::new(text, text.len() - json.len());
        reader.document().map_err(|Stop(stop)| JsonFault::at(bytes, stop.0, &stop.1))?;
        let Reader { unescaped, nodes, .. } = reader;
        Ok(Document::new(bytes.clone(), unescaped, nodes).root())
    }

    /// Parses one JSON document like [`Self::read_json`], but copies the bytes first.
    ///
    /// # Errors
    /// Why the bytes are not exactly one JSON document, and where.
    pub fn parse_json(bytes: &[u8]) -> Result<Self, JsonFault> {
        Self::read_json(&Bytes::copy_from_slice(bytes))
    }
}

/// At which byte the text ends to be JSON, and why. On the heap, so that what is read is handed on in registers.
struct Stop(Box<(usize, String)>);

fn stop(at: usize, message: impl Into<String>) -> Stop {
    Stop(Box::new((at, message.into())))
}

/// Reads a text from front to end, and fills the table of its document.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    unescaped: String,
    nodes: Vec<Node>,
    values: usize,
    /// The lists and maps around the place that is being read, the innermost last.
    open: Vec<Open>,
}

/// A list or map whose end has not been read.
struct Open {
    node: usize,
    count: u32,
    is_map: bool,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, at: usize) -> Self {
        let nodes = Vec::with_capacity(text.len() / BYTES_OF_A_NODE + 4);
        Self { text, at, unescaped: String::new(), nodes, values: 0, open: Vec::new() }
    }

    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn document(&mut self) -> Result<(), Stop> {
        loop {
            let is_opened = self.value()?;
            if is_opened {
                continue;
            }
            if !self.next_value()? {
                return Ok(());
            }
        }
    }

    /// Reads a value. True where that is the beginning of a list or map, and a value must follow.
    fn value(&mut self) -> Result<bool, Stop> {
        self.skip_space();
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(stop(self.at, format!("the body has more than {MAX_VALUES} values")));
        }
        let node = match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'{') => return self.begin(true),
            Some(b'[') => return self.begin(false),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Node::Bool(true))?,
            Some(b'f') => self.word("false", Node::Bool(false))?,
            Some(b'n') => self.word("null", Node::Null)?,
            _ => return Err(self.no_value()),
        };
        self.nodes.push(node);
        Ok(false)
    }

    /// Begins a list or a map. False where it is empty, and so complete.
    fn begin(&mut self, is_map: bool) -> Result<bool, Stop> {
        if self.open.len() == MAX_DEPTH {
            return Err(stop(self.at, format!("it is nested more than {MAX_DEPTH} levels deep")));
        }
        self.at += 1;
        let node = self.nodes.len();
        self.nodes.push(Node::Null);
        self.open.push(Open { node, count: 1, is_map });
        self.skip_space();
        match (is_map, self.peek()) {
            (true, Some(b'}')) | (false, Some(b']')) => {
                self.at += 1;
                self.close(0);
                Ok(false)
            }
            (true, _) => self.name().map(|()| true),
            (false, _) => Ok(true),
        }
    }

    /// Writes the innermost list or map, with its number of elements or fields, into the table.
    fn close(&mut self, count: u32) {
        let Some(Open { node, is_map, .. }) = self.open.pop() else { return };
        // There are fewer nodes than bytes, whose number fits.
        let end = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let group = Group { count, end };
        self.nodes[node] = if is_map { Node::Map(group) } else { Node::List(group) };
    }

    /// After a value: reads to where the next one begins. False at the end of the document.
    fn next_value(&mut self) -> Result<bool, Stop> {
        loop {
            self.skip_space();
            let Some(open) = self.open.last_mut() else {
                return match self.at == self.text.len() {
                    true => Ok(false),
                    false => {
                        Err(stop(self.at, "there is more text after the end of the JSON document"))
                    }
                };
            };
            let (is_map, count) = (open.is_map, open.count);
            match self.text.as_bytes().get(self.at) {
                Some(b',') => {
                    let comma = self.at;
                    open.count += 1;
                    self.at += 1;
                    self.skip_space();
                    if matches!(self.peek(), Some(b']' | b'}')) {
                        return Err(stop(comma, "a trailing comma"));
                    }
                    if is_map {
                        self.name()?;
                    }
                    return Ok(true);
                }
                Some(b'}') if is_map => self.at += 1,
                Some(b']') if !is_map => self.at += 1,
                Some(_) => {
                    let end = if is_map { '}' } else { ']' };
                    return Err(self.unlike(&format!("`,` or `{end}`")));
                }
                None => return Err(self.ends_early()),
            }
            self.close(count);
        }
    }

    /// Reads the name of a field and the colon behind it.
    fn name(&mut self) -> Result<(), Stop> {
        if self.peek() != Some(b'"') {
            return Err(self.unlike("a name in quotes"));
        }
        let name = self.string()?;
        self.nodes.push(name);
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unlike("a colon"));
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str, node: Node) -> Result<Node, Stop> {
        let rest = &self.bytes()[self.at..];
        let is_whole = !rest.get(word.len()).is_some_and(u8::is_ascii_alphanumeric);
        if !rest.starts_with(word.as_bytes()) || !is_whole {
            return Err(self.no_value());
        }
        self.at += word.len();
        Ok(node)
    }

    fn number(&mut self) -> Result<Node, Stop> {
        let start = self.at;
        let is_negative = self.peek() == Some(b'-');
        self.at += usize::from(is_negative);
        let first = self.at;
        let (digits, number) = self.digits()?;
        if digits > 1 && self.bytes()[first] == b'0' {
            return Err(stop(first, "a number that begins with a zero"));
        }
        let mut is_whole = true;
        if self.peek() == Some(b'.') {
            is_whole = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            is_whole = false;
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        if self.peek().is_some_and(|next| next.is_ascii_alphanumeric() || b"+-._".contains(&next)) {
            return Err(self.unlike("the end of a number"));
        }
        if is_whole && digits < ALWAYS_FITS && !(is_negative && number == 0) {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            return Ok(Node::Int(if is_negative { -number } else { number }));
        }
        let token = &self.text[start..self.at];
        if is_whole && token != "-0" {
            if let Ok(number) = token.parse() {
                return Ok(Node::Int(number));
            }
            if let Ok(number) = token.parse() {
                return Ok(Node::UInt(number));
            }
        }
        Ok(Node::Double(Span::new(start, token.len())))
    }

    /// Reads digits, of which there must be one. Says how many there were, and the number that they make, which
    /// is right for fewer than [`ALWAYS_FITS`].
    fn digits(&mut self) -> Result<(usize, u64), Stop> {
        let (start, mut number) = (self.at, 0_u64);
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        if self.at == start { Err(self.unlike("a digit")) } else { Ok((self.at - start, number)) }
    }
}
