//! Why a delivery started a job or did not, in the form that is stored and shown.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CONDITION_TEST, Words};

/// The results of all routes of a source for one delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Why no route was tested, for the whole delivery or for one of its events: a handshake, an
    /// event kind that the source does not list, an ignored actor, or a skip mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing: Option<String>,
    /// What was odd about the delivery, such as a missing name of its event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The results of the routes: matches first, then the nearest misses.
    pub routes: Vec<RouteExplanation>,
    /// The number of routes that event kind or repository ruled out. They are not listed one by
    /// one.
    #[serde(default)]
    pub ruled_out: usize,
}

impl Explanation {
    /// Takes over what a later look at the same event tells of conditions that were false: the part that was
    /// false, and the values. A condition that is another one now tells nothing of this explanation.
    pub fn take_values(&mut self, later: Self) {
        let asked = |route: &RouteExplanation| route.test.as_deref() == Some(CONDITION_TEST);
        for theirs in later.routes.into_iter().filter(asked) {
            let same = |ours: &&mut RouteExplanation| {
                asked(ours) && ours.route == theirs.route && ours.part == theirs.part
            };
            let Some(ours) = self.routes.iter_mut().find(same) else { continue };
            let texts = (ours.words.as_ref(), theirs.words.as_ref());
            if let (Some(said), Some(says)) = texts
                && says.to_string().starts_with(&said.to_string())
            {
                ours.words = theirs.words;
                ours.values = theirs.values;
            }
        }
    }
}

/// The result of one route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteExplanation {
    /// Name of the route.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    pub route: Arc<str>,
    /// The event's position in the delivery, counted from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub part: u32,
    /// Whether it matched.
    pub matched: bool,
    /// The key of the first test that failed. `None` for a match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Cow<'static, str>>,
    /// In words: why it failed, or a remark about the match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Words>,
    /// The values of the payload that a false `if:` compared. They are made only where somebody asks, and are
    /// apart from the words, so that they can be withheld.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Compared>,
}

/// A value that a condition compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// What has the value, as an expression, such as `body.ref`.
    pub what: String,
    /// The value in one line, shortened; hidden characters are escaped.
    pub value: String,
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
