//! A view of a text without blanks and with escapes undone. For each of its bytes it records the place in the
//! text from which the byte came.

/// Which escapes are undone.
#[derive(Clone, Copy, Debug)]
pub(super) enum Undo {
    /// `%2F`
    Percent,
    /// `\/`, `\u002f`
    Json,
    /// `&amp;`, `&#47;`
    Html,
    /// All of them.
    All,
}

impl Undo {
    pub(super) const EACH: [Undo; 4] = [Self::Percent, Self::Json, Self::Html, Self::All];

    /// The byte with which such an escape begins.
    fn may_begin(self, byte: u8) -> bool {
        match self {
            Self::Percent => byte == b'%',
            Self::Json => byte == b'\\',
            Self::Html => byte == b'&',
            Self::All => matches!(byte, b'%' | b'\\' | b'&'),
        }
    }
}

/// Longest name or number of an HTML escape that is read.
const LONGEST_NAME: usize = 8;

/// The bytes of a text without blanks, and possibly with escapes undone.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// Where each byte came from.
    places: Vec<(usize, usize)>,
}

impl View {
    /// The text without blanks.
    pub(super) fn of(text: &str) -> Self {
        let mut view = Self::default();
        for (place, byte) in text.bytes().enumerate() {
            view.push(&[byte], (place, place + 1));
        }
        view
    }

    /// The view with these escapes undone once; `None` where no byte can begin such an escape.
    pub(super) fn undone(&self, undo: Undo) -> Option<Self> {
        self.bytes.iter().any(|byte| undo.may_begin(*byte)).then_some(())?;
        let mut view = Self::default();
        let mut at = 0;
        while at < self.bytes.len() {
            let rest = &self.bytes[at..];
            let begins = undo.may_begin(rest[0]);
            if begins && is_cut_off(rest) {
                break;
            }
            let (bytes, length) = match begins.then(|| escape(rest)).flatten() {
                Some(escape) => escape,
                None => (vec![rest[0]], 1),
            };
            view.push(&bytes, (self.places[at].0, self.places[at + length - 1].1));
            at += length;
        }
        Some(view)
    }

    /// The place in the text from which these bytes came.
    pub(super) fn place(&self, from: usize, to: usize) -> (usize, usize) {
        (self.places[from].0, self.places[to - 1].1)
    }

    fn push(&mut self, bytes: &[u8], place: (usize, usize)) {
        let kept = bytes.iter().filter(|byte| !is_blank(**byte));
        self.bytes.extend(kept);
        self.places.resize(self.bytes.len(), place);
    }
}

/// Blanks and control characters. They are left out, since a text may be folded, spaced or in UTF-16.
pub(super) fn is_blank(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f
}

/// Whether these bytes are an escape that was cut off by the end of the text.
fn is_cut_off(rest: &[u8]) -> bool {
    match rest {
        [b'%', digits @ ..] => digits.len() < 2,
        [b'\\'] => true,
        [b'\\', b'u', digits @ ..] => digits.len() < 4,
        [b'&', name @ ..] => {
            let named = |byte: &u8| *byte == b'#' || byte.is_ascii_alphanumeric();
            name.len() <= LONGEST_NAME && name.iter().all(named)
        }
        _ => false,
    }
}

/// The bytes that the escape at the front stands for, and the length of the escape.
fn escape(rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    match rest[0] {
        b'%' => {
            let number = number(rest.get(1..3)?, 16)?;
            Some((vec![u8::try_from(number).ok()?], 3))
        }
        b'\\' => match rest.get(1)? {
            b'u' => Some((letter(number(rest.get(2..6)?, 16)?)?, 6)),
            b'n' | b'r' | b't' | b'b' | b'f' => Some((Vec::new(), 2)),
            plain @ (b'/' | b'"' | b'\\') => Some((vec![*plain], 2)),
            _ => None,
        },
        _ => {
            let end = rest.iter().take(LONGEST_NAME + 2).position(|byte| *byte == b';')?;
            Some((named(&rest[1..end])?, end + 1))
        }
    }
}

fn named(name: &[u8]) -> Option<Vec<u8>> {
    let plain = match name {
        b"amp" => "&",
        b"lt" => "<",
        b"gt" => ">",
        b"quot" => "\"",
        b"apos" => "'",
        b"sol" => "/",
        b"plus" => "+",
        b"equals" => "=",
        [b'#', b'x' | b'X', digits @ ..] => return letter(number(digits, 16)?),
        [b'#', digits @ ..] => return letter(number(digits, 10)?),
        _ => return None,
    };
    Some(plain.as_bytes().to_vec())
}

fn number(digits: &[u8], base: u32) -> Option<u32> {
    let all = digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| all)?;
    u32::from_str_radix(text, base).ok()
}

fn letter(number: u32) -> Option<Vec<u8>> {
    char::from_u32(number).map(|letter| letter.to_string().into_bytes())
}
