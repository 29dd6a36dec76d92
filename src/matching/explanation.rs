//! Why a delivery did or did not start a job, as it is kept and shown.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Words;

/// Everything that the routes of a source said about a delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Set where no route was asked at all, or not of one of several events: a handshake, an event
    /// that the source does not list, an ignored actor, a skip mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing: Option<String>,
    /// Route by route, those that matched first.
    pub routes: Vec<RouteExplanation>,
    /// Routes of the source that were ruled out at once, by event kind or repository, and are not
    /// listed one by one.
    #[serde(default)]
    pub ruled_out: usize,
}

/// What one route said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteExplanation {
    /// The route.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    pub route: Arc<str>,
    /// Which event of the delivery, counted from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub part: u32,
    /// Whether it matched.
    pub matched: bool,
    /// The key of the first test that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Cow<'static, str>>,
    /// In words: what failed, or what a reader should know about the match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Words>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_first(part: &u32) -> bool {
    *part == 0
}

fn as_text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(deserializer).map(Into::into)
}
