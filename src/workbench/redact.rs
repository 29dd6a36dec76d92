//! A reply's start, fit to be kept and shown: bounded, printable, and without the key in whatever form a
//! workbench or a proxy echoes it.

mod find;
mod forms;
mod view;

use super::credential::Credential;
use find::Needle;
use view::{Undo, View};

/// Most characters kept of a reply.
const KEPT: usize = 500;
/// What stands in the key's place.
const REDACTED: &str = "[redacted]";
/// So much of the key's beginning at a text's end is taken for a key that was cut off.
const CUT_OFF: usize = 4;

/// Takes one key out of texts.
pub(super) struct Redactor(Vec<Needle>);

impl Redactor {
    /// For the key of this credential.
    pub(super) fn new(credential: &Credential) -> Self {
        Self(forms::forms(credential))
    }

    /// Whether the text holds the key in any form.
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
            // Forms lie within one another, such as a key within its credentials.
            if done == 0 || from > done {
                clean.push_str(text.get(done..from).unwrap_or_default());
                clean.push_str(REDACTED);
            }
            done = done.max(to);
        }
        clean.push_str(text.get(done..).unwrap_or_default());
        clean
    }

    /// The start of a reply's body.
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

    /// Says each place of the text that is the key, and whether it is whole there.
    fn each(&self, text: &str, mut found: impl FnMut((usize, usize), bool)) {
        let plain = View::of(text);
        let undone: Vec<View> = Undo::EACH.iter().filter_map(|undo| plain.undone(*undo)).collect();
        // A proxy may quote what a workbench has quoted.
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
