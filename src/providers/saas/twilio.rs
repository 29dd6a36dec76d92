//! Twilio. With HMAC-SHA-1, it signs the address that was configured there, with its query string, followed
//! by the sorted fields of a form. For a JSON body, the query string holds a digest of the body. No time is
//! signed.
//!
//! Twilio signs the address sometimes with and sometimes without the default port. So, like Twilio's own
//! libraries, the gateway tries both.

use std::collections::BTreeMap;

use http::HeaderName;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::authenticate::hmac::{Algorithm, Encoding, Scheme};
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::Secret;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Body, Sender};
use crate::providers::mechanisms::Mechanism;
use crate::providers::{
    Identity, Options, Outgoing, SignFault, Signed, Verification, address, form, header,
};

const SIGNATURE: HeaderName = HeaderName::from_static("x-twilio-signature");
/// The field of the query string that holds the SHA-256 digest of a body that is not a form.
const DIGEST: &str = "bodySHA256";
const SCHEME: Scheme<'_> =
    Scheme { algorithm: Algorithm::Sha1, encoding: Encoding::Base64, ..Scheme::HEX_SHA256 };

/// Twilio.
pub(in crate::providers) static TWILIO: Sender = Sender {
    body: Body::JsonOrForm,
    kind: Some(|_, body| {
        let names = ["MessageStatus", "CallStatus", "SmsStatus"];
        names.into_iter().find(|name| body.get(name).is_some())
    }),
    action: &[At::Field(&["MessageStatus"]), At::Field(&["CallStatus"]), At::Field(&["SmsStatus"])],
    id: &[At::Header("i-twilio-idempotency-token")],
    samples: &[("MessageStatus", include_str!("../samples/twilio.txt"))],
    ..Sender::new("twilio", "Twilio", &ABOUT, &Address)
};

/// A signature of the address and the fields of a form.
struct Address;

impl Address {
    /// The signed text after the address: the sorted fields of a form. Empty for a body whose digest
    /// is in the address.
    fn behind(query: &str, body: &[u8]) -> Result<String, Refusal> {
        if let Some(given) = form::query_field(query, DIGEST)? {
            let ours = hex::encode(Sha256::digest(body));
            // The digest is no secret, so it needs no comparison in constant time. It is signed as a
            // part of the address.
            return match ours.eq_ignore_ascii_case(&given) {
                true => Ok(String::new()),
                false => Err(Refusal::BadSignature),
            };
        }
        let fault = Refusal::MalformedBody { expected: "a form, or one whose digest is signed" };
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form::fields(body).map_err(|_| fault)? {
            fields.entry(name).or_default().push(value);
        }
        let mut text = String::new();
        for (name, mut values) in fields {
            values.sort();
            values.dedup();
            for value in values {
                text.push_str(&name);
                text.push_str(&value);
            }
        }
        Ok(text)
    }
}

impl Mechanism for Address {
    fn takes(&self) -> &'static [&'static str] {
        &["public_url"]
    }

    fn lacks(&self, provider: &str, options: &Options) -> Vec<String> {
        address::lacks(provider, options)
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let value = headers::one(request.headers, &SIGNATURE)?;
        let url = address::full(verification.options, request.query)?;
        let behind = Self::behind(request.query, request.body)?;
        let mut refusal = Refusal::BadSignature;
        for url in address::spellings(&url) {
            let signed = [url.as_bytes(), behind.as_bytes()];
            match SCHEME.verify(&SIGNATURE, value, verification.secrets, &signed) {
                Ok(proof) => return Ok(proof),
                Err(other) => refusal = other,
            }
        }
        Err(refusal)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        _id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let is_form = !matches!(outgoing.body.first(), Some(b'{' | b'['));
        let query = match is_form {
            true => String::new(),
            false => format!("{DIGEST}={}", hex::encode(Sha256::digest(outgoing.body))),
        };
        let misconfigured = |_| SignFault::Misconfigured(address::NONE);
        let url = address::full(options, &query).map_err(misconfigured)?;
        let behind = Self::behind(&query, outgoing.body).unwrap_or_default();
        let signature = SCHEME.sign(secret, &[url.as_bytes(), behind.as_bytes()]);
        let content =
            if is_form { "application/x-www-form-urlencoded" } else { "application/json" };
        let headers =
            vec![header(&http::header::CONTENT_TYPE, content)?, header(&SIGNATURE, signature)?];
        Ok(Signed { query, ..headers.into() })
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![SIGNATURE]
    }

    /// A signature stays valid when a form is escaped differently, or its fields are reordered. All these
    /// requests must count as one delivery, else someone who can read one could start its job again.
    fn digest(&self, request: &Verified<'_>, options: &Options) -> Identity {
        let (query, body) = (request.query(), request.body());
        match (address::full(options, query), Self::behind(query, body)) {
            (Ok(url), Ok(behind)) => {
                Identity::of_bytes(&[url.replace('\'', "%27").as_bytes(), behind.as_bytes()])
            }
            // Nothing was signed: the source accepts unauthenticated requests.
            _ => Identity::of_bytes(&[body]),
        }
    }
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the Console, for the number or service: the webhook or status callback \
         `https://HOST/hooks/twilio`, HTTP POST.",
        "The secret is the account's auth token; list the secondary one too while it is promoted. \
         Write the very same URL under `public_url`.",
    ],
    source: "provider: twilio\npublic_url: https://hooks.example.com/hooks/twilio\nsecrets: [{ env: TWILIO_AUTH_TOKEN }]",
    carries: "The kind is the name of the field that tells a status (`MessageStatus`, …), the action \
              that status; the form's fields are in `body`. The delivery's id is \
              `I-Twilio-Idempotency-Token` where it comes; else the digest of what is signed stands for \
              it. Address and body are signed; no time is.",
    yields: "",
    proven: Proven::Literal,
    sources: &[
        "https://www.twilio.com/docs/usage/webhooks/webhooks-security",
        "twilio/twilio-python, tests/unit/test_request_validator.py",
    ],
};
