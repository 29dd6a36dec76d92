//! The claims of a token, for a trial that checks no signature.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::cli::failure::Failure;
use crate::config::SourcePlan;
use crate::model::Value;

/// Claims, and what to say of where they come from.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) claims: Value,
    pub(super) words: Option<String>,
}

/// The claims that stand in a file, or in the token of a header; none where there is neither.
///
/// # Errors
/// The file holds no JSON object, or the provider's requests carry no token.
pub(super) fn claimed(
    source: &SourcePlan,
    headers: &HeaderMap,
    file: Option<&Path>,
) -> Result<Claimed, Failure> {
    if let Some(path) = file {
        let provider = source.provider;
        if !provider.tells_claims() {
            let why = format!("requests of {} carry no token with claims", provider.title());
            return Err(Failure::Usage(why));
        }
        let bytes = crate::cli::explain::read(path)?;
        let claims = Value::parse_json(&bytes).map_err(|fault| {
            Failure::Failed(format!("cannot read the claims in {}: {fault}", path.display()))
        })?;
        if claims.entries().len() == 0 {
            let why = format!("the claims in {} are no JSON object", path.display());
            return Err(Failure::Failed(why));
        }
        let words = Some(format!("from {}, not checked", path.display()));
        return Ok(Claimed { claims, words });
    }
    if !source.provider.tells_claims() {
        return Ok(Claimed { claims: Value::Null, words: None });
    }
    let mut names = source.provider.signed_headers(&source.options);
    names.push(AUTHORIZATION);
    let found = names.iter().find_map(|name| unverified(headers.get(name)?.as_bytes()));
    Ok(match found {
        Some(claims) => {
            let words = "from the token, which was not checked (--verify checks it)".to_owned();
            Claimed { claims, words: Some(words) }
        }
        None => {
            let words = "none: give the token with -H 'Authorization: Bearer …', or --claims FILE";
            Claimed { claims: Value::Null, words: Some(words.to_owned()) }
        }
    })
}

/// The claims of a token (RFC 7519) behind an optional `Bearer`, without a check of its signature.
fn unverified(header: &[u8]) -> Option<Value> {
    let text = str::from_utf8(header).ok()?.trim();
    let token = text.rsplit(' ').next()?;
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    Value::parse_json(&bytes).ok().filter(|claims| claims.entries().len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claims_of_a_token_are_read_with_and_without_its_scheme() {
        let part = URL_SAFE_NO_PAD.encode(br#"{"ref":"refs/heads/main"}"#);
        for header in [format!("Bearer e30.{part}.x"), format!("e30.{part}.x")] {
            let claims = unverified(header.as_bytes()).expect("claims");
            assert_eq!(claims.get("ref").and_then(Value::as_str), Some("refs/heads/main"));
        }
        for header in ["", "Bearer", "Bearer a.b", "Basic YTpi", "Bearer a.!.c"] {
            assert!(unverified(header.as_bytes()).is_none(), "{header}");
        }
    }
}
