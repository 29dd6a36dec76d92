//! What is wrong with a configuration, for people and for scripts. Each fault has its file, line,
//! column, the offending text underlined, and a hint. A report never shows a secret.

mod excerpt;
mod render;
mod reveal;
mod source;

use std::fmt;
use std::ops::Range;

use serde::Serialize;

pub use excerpt::Excerpt;
pub(crate) use reveal::is_name;
pub(super) use reveal::{Show, is_known, is_path};
pub(super) use source::Source;

/// Replaces text in an excerpt that must not be shown.
pub(super) const HIDDEN: &str = "‹hidden›";
/// The largest number of faults that one report lists.
const MOST_FAULTS: usize = 200;
/// The largest number of faults that are collected at all, because each one reads its line of the
/// file.
pub(super) const ENOUGH_FAULTS: usize = 2 * MOST_FAULTS;

/// What a fault means for what is in force. `check` refuses all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The version of the file that has it is not in force.
    #[default]
    FileHeldBack,
    /// The route that has it is not in force. The rest of its file is.
    RouteHeldBack,
    /// It is in force in this version of the gateway, so that an upgrade stops nothing. The next version
    /// holds it back.
    Tolerated,
    /// Nothing: it is a warning.
    Nothing,
}

impl Effect {
    /// What people must know of it beside the fault itself.
    fn note(self) -> Option<&'static str> {
        match self {
            Self::FileHeldBack | Self::Nothing => None,
            Self::RouteHeldBack => {
                Some("these routes are not in force; the rest of their files is")
            }
            Self::Tolerated => Some(
                "`serve` accepts this in this version, with a warning; the next version will not",
            ),
        }
    }
}

/// One thing that is wrong, or unusual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file, by the path that was given to the gateway.
    pub file: String,
    /// Line, counted from 1. 0 for a fault of the whole file.
    pub line: usize,
    /// Column in characters, counted from 1. 0 for a fault of the whole file.
    pub column: usize,
    /// Length of the offending text in characters, within its first line.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What it means for what is in force.
    pub effect: Effect,
    /// Other places that it is about, as `file:line`.
    pub also: Vec<String>,
    /// How to correct it, if that is known.
    pub hint: Option<String>,
    /// The offending line, without secrets.
    pub excerpt: Option<Excerpt>,
}

impl Fault {
    /// A fault of a whole file.
    pub(super) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            length: 0,
            message: message.into(),
            effect: Effect::default(),
            also: Vec::new(),
            hint: None,
            excerpt: None,
        }
    }

    /// A fault of a part of a file. Message and hint lose what must not be shown.
    pub(super) fn at(
        source: &Source,
        range: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) -> Self {
        Self::showing(Show::Plain, source, range, message, hint)
    }

    /// Like [`Fault::at`], for a place that holds something of a wrong kind: of what stands there, only
    /// known words are shown.
    pub(super) fn misplaced(
        source: &Source,
        range: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) -> Self {
        Self::showing(Show::Known, source, range, message, hint)
    }

    fn showing(
        show: Show,
        source: &Source,
        range: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) -> Self {
        let place = source.place(&range);
        let message = source.veil(&range, message.into());
        let hint = hint.into().map(|hint| source.veil(&range, hint));
        Self {
            file: source.name().to_owned(),
            line: place.line,
            column: place.column,
            length: place.length,
            message,
            effect: Effect::default(),
            also: Vec::new(),
            hint,
            excerpt: source.may_be_quoted().then(|| Excerpt::of(source, range, show)),
        }
    }

    /// The fault with this effect, about these other places too.
    #[must_use]
    pub(super) fn with(self, effect: Effect, also: Vec<String>) -> Self {
        Self { effect, also, ..self }
    }

    /// The fault with this hint. A hint that holds text of a file must be given to [`Fault::at`].
    #[must_use]
    pub(super) fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }
}

impl fmt::Display for Fault {
    /// One line, for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.also.is_empty() {
            write!(f, ", also at {}", self.also.join(", "))?;
        }
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Everything that was found in a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Faults, for which `check` refuses the configuration. The effect of each says what a running
    /// gateway does.
    pub faults: Vec<Fault>,
    /// Things that are unusual, but may be intended.
    pub warnings: Vec<Fault>,
    /// What means something else than in the version before: one for each change and file. They are not logged.
    pub changes: Vec<Fault>,
    /// What whoever reads the report should know besides. Notes are not logged.
    pub notes: Vec<String>,
    /// Faults that were found and are not listed. The last one of the list says how many.
    pub more_faults: usize,
    /// Warnings that were found and are not listed.
    pub more_warnings: usize,
}

impl Report {
    /// Whether there is no fault.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    /// The numbers of faults and of warnings, with those that are not listed.
    fn found(&self) -> [usize; 2] {
        let all = |list: &[Fault], more| list.len() + more - usize::from(more > 0);
        [all(&self.faults, self.more_faults), all(&self.warnings, self.more_warnings)]
    }

    /// The number of faults with this effect.
    pub fn count(&self, effect: Effect) -> usize {
        self.faults.iter().filter(|fault| fault.effect == effect).count()
    }

    /// Whether every file can be in force, perhaps without some routes.
    pub(super) fn is_usable(&self) -> bool {
        self.count(Effect::FileHeldBack) == 0
    }

    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.warnings.is_empty()
    }

    /// The report as text for a terminal, with or without colour.
    pub fn render(&self, color: bool) -> String {
        render::render(self, render::Form { color, columns: None })
    }

    /// The report as text whose lines fit this many columns.
    pub fn render_within(&self, color: bool, columns: Option<usize>) -> String {
        render::render(self, render::Form { color, columns })
    }

    /// Sorts the findings by place, removes duplicates and limits their number.
    pub(super) fn apply_retention(&mut self) {
        self.warnings.iter_mut().for_each(|warning| warning.effect = Effect::Nothing);
        self.changes.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        self.changes.truncate(MOST_FAULTS);
        let lists = [
            (&mut self.faults, &mut self.more_faults),
            (&mut self.warnings, &mut self.more_warnings),
        ];
        for (list, more) in lists {
            let told = unlisted(*more);
            list.retain(|fault| *more == 0 || fault.message != told);
            list.sort_by(|a, b| {
                (&a.file, a.line, a.column, &a.message)
                    .cmp(&(&b.file, b.line, b.column, &b.message))
            });
            list.dedup();
            *more += list.len().saturating_sub(MOST_FAULTS);
            list.truncate(MOST_FAULTS);
            if *more > 0 {
                let file = list[0].file.clone();
                list.push(Fault::of_file(&file, unlisted(*more)));
            }
        }
    }
}

/// What stands at the end of a list that is not whole. Faults stop being collected at some number.
fn unlisted(more: usize) -> String {
    let least = if more + MOST_FAULTS >= ENOUGH_FAULTS { "at least " } else { "" };
    format!(
        "there are {least}{more} more, which are not listed; correct those above, and check again"
    )
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}
