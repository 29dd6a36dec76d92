//! Why a request was not done.

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
    /// What happened, for tools. Without one, it is not the answer of a gateway of this version.
    #[serde(default)]
    pub code: Option<String>,
    /// The detail once more, for one version, under the name that it had before.
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

    /// What happened, also in the answer of a gateway of the version before.
    pub fn words(&self) -> Option<String> {
        self.detail.clone().or_else(|| self.error.clone())
    }
}
