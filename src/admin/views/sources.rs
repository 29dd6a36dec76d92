//! Sources: what was refused, and which of their secrets are still used.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::receive;

/// `GET /api/refusals` and `GET /api/refusals/{source}`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefusalsView {
    /// Newest first.
    pub refusals: Vec<RefusalView>,
}

/// A request that was not kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefusalView {
    /// When.
    pub at: Timestamp,
    /// Its source; none where it asked for no source that is configured.
    #[serde(default)]
    pub source: Option<String>,
    /// The path that it asked for, where there is no such source: shortened, and without what may be a secret.
    #[serde(default)]
    pub path: Option<String>,
    /// Address that it came from.
    pub remote: String,
    /// HTTP status that it was answered with.
    pub status: u16,
    /// The reason, as in the metric.
    pub reason: String,
    /// The reason, in words.
    pub words: String,
    /// The sender's id of the delivery, where the request names one. It is not verified.
    #[serde(default)]
    pub unverified_delivery_id: Option<String>,
    /// The repository, where the request names one. It is not verified.
    #[serde(default)]
    pub unverified_repository: Option<String>,
    /// Names of the headers that it had.
    pub headers: Vec<String>,
}

/// `GET /api/secrets`: which secrets verified deliveries. After a rotation, it shows when the old secret
/// can be removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecretsView {
    /// When counting began: at the gateway's start.
    pub since: Timestamp,
    /// By source, in the order of the configuration.
    pub secrets: Vec<SecretView>,
    /// The tokens of the API, by name.
    #[serde(default)]
    pub tokens: Vec<TokenView>,
}

/// How often a token of the API was used. After a rotation, it shows whether somebody still uses the old one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenView {
    /// Its name.
    pub name: String,
    /// Where its value comes from (a file, a variable or a command); never the value.
    pub reference: String,
    /// Requests that came with it.
    pub uses: u64,
    /// When the last of them came.
    #[serde(default)]
    pub last: Option<Timestamp>,
    /// When its value was found to have changed.
    #[serde(default)]
    pub changed: Option<Timestamp>,
}

/// How often a secret verified a delivery.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecretView {
    /// The source.
    pub source: String,
    /// The configuration key of the source that lists it: `secrets` or `access_token`.
    pub key: String,
    /// Its place in the source's list, counted from 0, as in the metric `secret_matches`.
    pub place: usize,
    /// Where its value comes from (a file, a variable or a command); never the value.
    pub reference: String,
    /// Deliveries that it verified.
    pub deliveries: u64,
    /// When it last verified one.
    #[serde(default)]
    pub last: Option<Timestamp>,
    /// Deliveries that contained it where it does not belong. It was removed from them.
    #[serde(default)]
    pub leaks: u64,
}

impl RefusalsView {
    /// The view of these refusals.
    pub fn of(refusals: Vec<receive::Refused>) -> Self {
        Self { refusals: refusals.into_iter().map(RefusalView::from).collect() }
    }
}

impl From<receive::Refused> for RefusalView {
    fn from(refused: receive::Refused) -> Self {
        Self {
            at: refused.at,
            source: refused.source,
            path: refused.path,
            remote: refused.remote,
            status: refused.status,
            reason: refused.reason.to_owned(),
            words: refused.words,
            unverified_delivery_id: refused.delivery_id,
            unverified_repository: refused.repository,
            headers: refused.headers,
        }
    }
}
