//! The body of an error answer.

use serde::{Deserialize, Serialize};

use crate::admin::Code;

/// The body of every answer other than 2xx (RFC 9457).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProblemView {
    /// Always `about:blank`: the code says what kind of problem it is.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The HTTP status, in words.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// What happened, for people.
    #[serde(default)]
    pub detail: Option<String>,
    /// What happened, for tools. None where the answer is not that of a gateway of this version.
    #[serde(default)]
    pub code: Option<String>,
    /// The old name of `detail`, kept for one version.
    #[serde(default)]
    pub error: Option<String>,
}

impl ProblemView {
    /// The problem of this code.
    pub fn new(code: Code, detail: String) -> Self {
        let status = code.status();
        Self {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            error: Some(detail.clone()),
            detail: Some(detail),
            code: Some(code.as_str().to_owned()),
        }
    }

    /// What happened, for people. The answer of a gateway of the version before has only `error`.
    pub fn words(&self) -> Option<String> {
        self.detail.clone().or_else(|| self.error.clone())
    }
}
