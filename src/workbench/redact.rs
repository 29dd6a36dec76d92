//! Makes the start of a reply fit to be kept and shown: bounded, printable, and without the API key in any
//! form in which a workbench or a proxy may echo it.

mod find;
mod forms;
mod view;

use super::credential::Credential;
use find::Needle;
use view::{Undo, View};

/// Most characters that are kept of a reply.
const KEPT: usize = 500;
/// Replaces the key.
const REDACTED: &str = "[redacted]";
/// If a text ends with at least this many bytes of the key's beginning, they count as a truncated key.
const CUT_OFF: usize = 4;

/// Removes one key from texts.
pub(super) struct Redactor(Vec<Needle>);

impl Redactor {
    /// Makes a redactor for the key of this credential.
    pub(super) fn new(credential: &Credential) -> Self {
        Self(forms::forms(credential))
    }

    /// Whether the text contains the whole key in any form.
    pub(super) fn finds(&self, text: &str) -> bool {
        let mut any = false;
        self.each(text, |_, whole| any |= whole);
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

    /// Calls `found` for each place of the key in the text, with whether the key is whole there.
    fn each(&self, text: &str, mut found: impl FnMut((usize, usize), bool)) {
        let plain = View::of(text);
        let undone: Vec<View> = Undo::EACH.iter().filter_map(|undo| plain.undone(*undo)).collect();
        // Twice, since a proxy may escape what the workbench has already escaped.
        let twice = undone.last().and_then(|once| once.undone(Undo::All));
        for view in [plain].iter().chain(&undone).chain(&twice) {
            for needle in &self.0 {
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
