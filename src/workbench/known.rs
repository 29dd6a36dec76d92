//! What is known after a start request. Pure.

use super::redact::Redactor;
use crate::model::Outcome;

/// Longest engine id that is accepted, in bytes.
const LONGEST_ID: usize = 256;

/// Why no engine is recorded although the workbench named one.
pub(super) const KEY_FOR_ENGINE: &str =
    "the workbench showed the API key in the place of the engine's name, which is not kept";

/// What is known after a start request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) outcome: Outcome,
    /// The workbench's id of what it started.
    pub(super) engine_id: Option<String>,
    pub(super) reason: String,
    pub(super) key_refused: bool,
}

impl Known {
    pub(super) fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, engine_id: None, reason: reason.into(), key_refused: false }
    }

    /// The job was started as this engine.
    pub(super) fn started(engine_id: &str) -> Self {
        Self {
            engine_id: Some(engine_id.to_owned()),
            ..Self::new(Outcome::Started, format!("started as engine {engine_id}"))
        }
    }

    /// Removes the key from the texts. Where the engine's id contains the key, the id cannot be kept, and the
    /// outcome becomes unknown, since such a reply cannot be relied on.
    pub(super) fn without_key(self, redactor: &Redactor) -> Self {
        if self.engine_id.as_deref().is_some_and(|id| redactor.finds(id)) {
            return Self::new(Outcome::Unknown, KEY_FOR_ENGINE);
        }
        Self { reason: redactor.clean(&self.reason), ..self }
    }
}

/// Whether a text can be an engine's id: not empty, not too long and without control characters.
pub(super) fn is_engine_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_ID && !text.chars().any(char::is_control)
}
