//! Makes the start of a reply fit to be kept and shown: bounded, printable, and without the API key in any
//! form in which a workbench or a proxy may echo it.

mod find;
mod forms;
mod parts;
mod view;

use super::credential::Credential;
use find::Needle;
use parts::Parts;
use view::{Undo, View};

/// Most characters that are kept of a reply.
const KEPT: usize = 500;
/// Replaces the key.
const REDACTED: &str = "[redacted]";
/// If a text ends with at least this many bytes of the key's beginning, they count as a truncated key.
const CUT_OFF: usize = 4;

/// Removes one key from texts, and each part of it that has more than a few characters.
pub(super) struct Redactor {
    whole: Vec<Needle>,
    parts: [Parts; 2],
}

impl Redactor {
    /// Makes a redactor for the key of this credential.
    pub(super) fn new(credential: &Credential) -> Self {
        let whole = forms::forms(credential);
        let of = |any_case| {
            let forms = whole.iter().filter(move |needle| needle.any_case() == any_case);
            Parts::of(forms.map(Needle::bytes), any_case)
        };
        let parts = [of(false), of(true)];
        Self { whole, parts }
    }

    /// Whether the text contains the key or a part of it, in any form. The beginning of a key at the end of
    /// the text does not count: an id may end like that by accident.
    pub(super) fn finds(&self, text: &str) -> bool {
        let mut any = false;
        self.each(text, |_, is_certain| any |= is_certain);
        any
    }

    /// The text without the key.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut places = Vec::new();
        self.each(text, |place, _| places.push(place));
        places.sort_unstable();
        let (mut clean, mut done) = (String::with_capacity(text.len()), 0);
        for (from, to) in places {
            // Places can overlap: a key is also a part of its credentials.
            if done == 0 || from > done {
                clean.push_str(text.get(done..from).unwrap_or_default());
                clean.push_str(REDACTED);
            }
            done = done.max(to);
        }
        clean.push_str(text.get(done..).unwrap_or_default());
        clean
    }

    /// The start of a reply's body without the key; `None` where nothing is left.
    pub(super) fn excerpt(&self, body: &[u8]) -> Option<String> {
        let clean: String = self
            .clean(&String::from_utf8_lossy(body))
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .collect::<String>()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let mut kept: String = clean.chars().take(KEPT).collect();
        if kept.len() < clean.len() {
            kept.push('…');
        }
        (!kept.is_empty()).then_some(kept)
    }

    /// Calls `found` for each place of the key, or of a part of it, in the text. The second argument is false
    /// where only the beginning of the key is there, at the end of the text.
    fn each(&self, text: &str, mut found: impl FnMut((usize, usize), bool)) {
        let plain = View::of(text);
        let undone: Vec<View> = Undo::EACH.iter().filter_map(|undo| plain.undone(*undo)).collect();
        // Twice, since a proxy may escape what the workbench has already escaped.
        let twice = undone.last().and_then(|once| once.undone(Undo::All));
        for view in [plain].iter().chain(&undone).chain(&twice) {
            for parts in &self.parts {
                parts.each(&view.bytes, |from, to| found(view.place(from, to), true));
            }
            for needle in &self.whole {
                let rest = needle.each(&view.bytes, |from, to| found(view.place(from, to), true));
                if rest >= CUT_OFF {
                    let end = view.bytes.len();
                    found(view.place(end - rest, end), false);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
