//! No request is believed that was not signed under the source's secret, whatever its headers, its
//! query and its body, and whichever provider reads it.

use cdsw_gateway::config::Held;

use super::request::Request;
use super::site;

/// A request: see `request.rs`.
pub fn run(data: &[u8]) {
    let request = Request::read(data);
    let source = site::source(request.provider);
    let secrets = site::secrets(source);
    let unverified = request.unverified();
    let grounds = source.grounds(secrets[..].into(), site::now());
    // A greeting may be answered without a signature; it is no delivery.
    let _ = source.provider.knock(&unverified, &grounds);
    let verdict = source.prove(&unverified, secrets[..].into(), site::now());
    match verdict {
        Err(refusal) => assert!(!refusal.reason().is_empty() && !refusal.to_string().is_empty()),
        // The corpus holds no request that was signed under this secret, and nobody else can.
        Ok(proof) => panic!("{} believed a forged request: {proof:?}", request.provider),
    }
    let none = source.prove(&unverified, Held::default(), site::now());
    assert!(none.is_err(), "{} believes without a secret", request.provider);
}
