//! What a sender signs, as a source's `template` tells it: whatever template is taken, a request
//! signed by it is believed, and one with another body is not.

use bytes::Bytes;
use cdsw_gateway::authenticate::Unverified;
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers::{self, Options, Outgoing, Template, Verification};
use http::{HeaderMap, HeaderName, Method};

use super::{line, site, text_line};

/// The template on the first line, then the body.
pub fn run(data: &[u8]) {
    let (text, data) = text_line(data);
    let (id, body) = line(data);
    let template = match Template::parse(&text) {
        Ok(template) => template,
        Err(fault) => return assert!(!fault.is_empty()),
    };
    let header = |name| Some(HeaderName::from_static(name));
    let hmac = providers::find("hmac").expect("a provider of the table");
    let options = Options {
        header: header("x-signature"),
        template: Some(template),
        timestamp_header: text.contains("{timestamp}").then(|| header("x-time")).flatten(),
        delivery_id: header("x-id").map(providers::Place::Header),
        ..Options::default()
    };
    if !hmac.check_options(&options).is_empty() {
        return;
    }
    let secrets = [Secret::new("a secret of the fuzzer")];
    let outgoing = Outgoing {
        method: &Method::POST,
        path: "/hooks/fuzz",
        event: "push",
        body,
        access_token: None,
    };
    // No sender names a delivery by anything but printable text.
    let id = String::from_utf8_lossy(id).replace(|c: char| !c.is_ascii_graphic(), "");
    let id = format!("id{id}");
    let signed = hmac.sign(&outgoing, &secrets[0], &options, &id, site::now());
    let Ok(signed) = signed else { return };
    let headers: HeaderMap = signed.headers.into_iter().collect();
    let believed = |body: &[u8]| {
        let path = "/hooks/fuzz";
        let request = Unverified {
            method: &Method::POST,
            path,
            rest: "",
            query: "",
            headers: &headers,
            body: &Bytes::copy_from_slice(body),
        };
        let (secrets, options) = (&secrets[..], &options);
        let verification = Verification::new(secrets, options, site::now());
        hmac.authenticate(&request, &verification).is_ok()
    };
    assert!(believed(body), "{text:?} is not believed");
    for forged in [[body, b" "].concat(), body.iter().skip(1).copied().collect(), Vec::new()] {
        assert!(forged == body || !believed(&forged), "{text:?} covers no body");
    }
}
