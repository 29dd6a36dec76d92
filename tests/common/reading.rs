//! What the gateway makes of a body, as one whose signature was checked.

use std::sync::Arc;

use bytes::Bytes;
use cdsw_gateway::authenticate::{Unverified, open};
use cdsw_gateway::event::{Understood, understand};
use cdsw_gateway::providers::{self, Options};
use http::{HeaderMap, Method};

/// The reading of this provider, for a source of this name.
pub fn reading(
    provider: &str,
    source: &str,
    options: &Options,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Understood, String> {
    let provider = providers::find(provider).expect("a known provider");
    let request = Unverified {
        method: &Method::POST,
        path: &format!("/hooks/{source}"),
        rest: "",
        query: "",
        headers,
        body: &Bytes::copy_from_slice(body),
    };
    let verified = request.verified(open::dangerously_unauthenticated());
    understand(&verified, provider, options, &Arc::from(source)).map_err(|fault| fault.to_string())
}
