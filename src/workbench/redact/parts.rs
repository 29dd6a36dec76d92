//! Finds parts of a key: runs of bytes that a text has in common with some form of it. The time is linear in
//! the text's length, whatever the text and the key are.

use zeroize::Zeroizing;

/// Length in bytes of the shortest part that is found.
const RUN: usize = 8;
/// Length in bytes of the shortest part that is found where it consists of letters of one case. A key may
/// contain a word, and a word that it has in common with a text gives nothing away.
const WORD: usize = 12;

/// Every run of one length that some form of a key contains.
pub(super) struct Runs<const LENGTH: usize> {
    /// Sorted.
    runs: Zeroizing<Vec<[u8; LENGTH]>>,
}

/// Every part of the forms that are matched in one way.
pub(super) struct Parts {
    any_case: bool,
    short: Runs<RUN>,
    words: Runs<WORD>,
}

impl Parts {
    /// The parts of these forms. With `any_case` the case of ASCII letters does not matter.
    pub(super) fn of<'f>(forms: impl Iterator<Item = &'f [u8]> + Clone, any_case: bool) -> Self {
        let has_shape = |run: &[u8]| !is_word(run) && !is_monotonous(run);
        Self {
            any_case,
            short: Runs::of(forms.clone(), any_case, has_shape),
            words: Runs::of(forms, any_case, |run| !is_monotonous(run)),
        }
    }

    /// Calls `found` with the start and the end of each part in these bytes. Parts may overlap.
    pub(super) fn each(&self, within: &[u8], mut found: impl FnMut(usize, usize)) {
        let mut folded = Zeroizing::new(Vec::new());
        let within = if self.any_case {
            folded.extend(within.iter().map(u8::to_ascii_lowercase));
            &folded[..]
        } else {
            within
        };
        self.short.each(within, &mut found);
        self.words.each(within, &mut found);
    }
}

impl<const LENGTH: usize> Runs<LENGTH> {
    fn of<'f>(
        forms: impl Iterator<Item = &'f [u8]> + Clone,
        any_case: bool,
        counts: impl Fn(&[u8]) -> bool,
    ) -> Self {
        // A buffer that grows leaves copies of the key behind.
        let most = forms.clone().map(|form| (form.len() + 1).saturating_sub(LENGTH)).sum();
        let mut runs: Zeroizing<Vec<[u8; LENGTH]>> = Zeroizing::new(Vec::with_capacity(most));
        for form in forms {
            for run in form.windows(LENGTH).filter(|run| counts(run)) {
                let mut bytes = [0; LENGTH];
                bytes.copy_from_slice(run);
                if any_case {
                    bytes.make_ascii_lowercase();
                }
                runs.push(bytes);
            }
        }
        runs.sort_unstable();
        runs.dedup();
        Self { runs }
    }

    fn each(&self, within: &[u8], found: &mut impl FnMut(usize, usize)) {
        if self.runs.is_empty() {
            return;
        }
        for (at, run) in within.windows(LENGTH).enumerate() {
            if self.runs.binary_search_by(|known| known[..].cmp(run)).is_ok() {
                found(at, at + LENGTH);
            }
        }
    }
}

/// Whether all of it are letters of one case.
fn is_word(run: &[u8]) -> bool {
    run.iter().all(u8::is_ascii_lowercase) || run.iter().all(u8::is_ascii_uppercase)
}

/// Whether it repeats one or two bytes, such as a line of dashes.
fn is_monotonous(run: &[u8]) -> bool {
    run.windows(3).all(|three| three[0] == three[2])
}
