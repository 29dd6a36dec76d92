//! What greetings have in common: a text that the gateway sends back. Its length and its characters are
//! limited, so that a stranger cannot use the answer for anything else.

use crate::authenticate::Refusal;
use crate::providers::form;

/// Longest text that is sent back, in bytes.
const LONGEST: usize = 1024;

/// The text, where it may be sent back: visible ASCII, not empty and not too long. Otherwise the
/// greeting is refused, and `name` says which field was at fault.
pub(super) fn challenge<'t>(name: &'static str, text: &'t str) -> Result<&'t str, Refusal> {
    let fits = !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text) } else { Err(Refusal::MissingField(name)) }
}

/// The text, where it may be sent back as plain text: visible ASCII and spaces, not empty and not too long.
/// For senders whose text is a sentence. Otherwise the greeting is refused, and `name` says which field was
/// at fault.
pub(super) fn sentence<'t>(name: &'static str, text: &'t str) -> Result<&'t str, Refusal> {
    let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    let fits = !text.trim().is_empty() && text.len() <= LONGEST && text.bytes().all(plain);
    if fits { Ok(text) } else { Err(Refusal::MissingField(name)) }
}

/// A field of the query string. None where it is absent; refused where it occurs twice.
pub(super) fn in_query(query: &str, name: &'static str) -> Option<Result<String, Refusal>> {
    form::query_field(query, name).transpose()
}
