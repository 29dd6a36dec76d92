//! What greetings have in common: a text that is to be sent back. It is bounded and plain, so that
//! nothing can be smuggled into an answer.

use crate::authenticate::Refusal;
use crate::providers::form;

/// Longest text that is sent back.
const LONGEST: usize = 1024;

/// A text that may be sent back.
pub(super) fn challenge<'t>(name: &'static str, text: &'t str) -> Result<&'t str, Refusal> {
    let fits = !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text) } else { Err(Refusal::MissingField(name)) }
}

/// A field of the query string; none where it is not there.
pub(super) fn in_query(query: &str, name: &'static str) -> Option<Result<String, Refusal>> {
    form::query_field(query, name).transpose()
}
