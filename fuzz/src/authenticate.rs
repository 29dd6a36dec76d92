//! No request is believed that was not signed under the source's secret, whatever its headers, its
//! query and its body, and whichever provider reads it; and none has keys fetched from anywhere but
//! where its source, or its provider, allows.

use cdsw_gateway::config::Held;
use cdsw_gateway::providers::Wanted;

use super::request::Request;
use super::site::{self, Site};

/// A request: see `request.rs`.
pub fn run(data: &[u8]) {
    let request = Request::read(data);
    let site = Site::of(request.provider);
    let source = site.source;
    let unverified = request.unverified();
    if let Some(wanted) = source.provider.wanted(&unverified, &source.options) {
        allowed(&wanted);
    }
    // A greeting may be answered without a signature; it is no delivery.
    let _ = source.provider.greet(&unverified, &site.verification());
    match source.prove_by(&unverified, &site.verification()) {
        Err(refusal) => assert!(!refusal.reason().is_empty() && !refusal.to_string().is_empty()),
        // The corpus holds no request that was signed under this secret, and nobody else can.
        Ok(proof) => panic!("{} believed a forged request: {proof:?}", request.provider),
    }
    let without = source.verification(Held::default(), site::now());
    let verdict = source.prove_by(&unverified, &without);
    assert!(verdict.is_err(), "{} believes without a secret", request.provider);
}

/// Keys whose address a request names are Amazon's own.
fn allowed(wanted: &Wanted) {
    let url = &*wanted.place.url;
    let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    let host = host.unwrap_or_else(|| panic!("{url} is fetched without TLS"));
    let amazon = [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|own| host.ends_with(own));
    assert!(amazon || !wanted.place.chosen_by_request, "{url} is fetched");
}
