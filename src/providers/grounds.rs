//! What a source gives its provider to judge a request by.

use jiff::Timestamp;

use crate::model::Secret;
use crate::providers::Options;

/// What a request is judged by, beside what is in it.
#[derive(Clone, Copy, Debug)]
pub struct Grounds<'a> {
    /// The source's secrets, in the order configured; several while one is being replaced.
    pub secrets: &'a [Secret],
    /// A token that must come with every request beside its signature, where the source has one.
    pub access_token: Option<&'a Secret>,
    /// The source's own settings.
    pub options: &'a Options,
    /// The time.
    pub now: Timestamp,
}
