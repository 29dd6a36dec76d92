//! HubSpot. Its newest signature covers method, address, body and time. The older ones are no HMAC and do
//! not cover the time, so they are accepted only where the source allows them.
//!
//! The signed address is the one that was configured at HubSpot, so it is a setting of the source.

use http::HeaderName;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::authenticate::hmac::{Encoding, Scheme};
use crate::authenticate::timestamp::{self, Unit};
use crate::authenticate::{Proof, Refusal, Unverified, digest, headers};
use crate::model::Secret;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender, Unnamed};
use crate::providers::mechanisms::Mechanism;
use crate::providers::{
    Options, Outgoing, SignFault, Signed, Verification, address, header, json_content,
};

const SIGNATURE: HeaderName = HeaderName::from_static("x-hubspot-signature-v3");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-hubspot-request-timestamp");
const OLDER: HeaderName = HeaderName::from_static("x-hubspot-signature");
const VERSION: HeaderName = HeaderName::from_static("x-hubspot-signature-version");
const SCHEME: Scheme<'_> = Scheme { encoding: Encoding::Base64, ..Scheme::HEX_SHA256 };

/// HubSpot.
pub(in crate::providers) static HUBSPOT: Sender = Sender {
    parts: Some(&[]),
    event: &[At::Part(&["subscriptionType"])],
    // An `eventId` is not unique, and which fields identify an event depends on its type. So all
    // fields are used, except for the number of the attempt.
    unnamed: Unnamed::Body,
    changing: &["attemptNumber"],
    samples: &[("deal.propertyChange", include_str!("../samples/hubspot.json"))],
    ..Sender::new("hubspot", "HubSpot", &ABOUT, &Address)
};

/// A signature of method, address, body and time, or one of the older ones.
struct Address;

impl Address {
    fn older(request: &Unverified<'_>, verification: &Verification<'_>) -> Result<Proof, Refusal> {
        let value = headers::one(request.headers, &OLDER)?;
        let fault = |header: &HeaderName, expected| Refusal::MalformedHeader {
            header: header.clone(),
            expected,
        };
        let given = Encoding::Hex.decode(value).ok_or_else(|| fault(&OLDER, "hex"))?;
        let url = address::full(verification.options, request.query)?;
        let first: [&[u8]; 2] = match headers::one(request.headers, &VERSION)? {
            "v1" => [b"", b""],
            "v2" => [request.method.as_str().as_bytes(), url.as_bytes()],
            _ => return Err(fault(&VERSION, "v1 or v2")),
        };
        digest::verify(verification.secrets.iter().enumerate(), &given, |secret| {
            let mut hash = Sha256::new();
            hash.update(secret.expose());
            first.iter().for_each(|part| hash.update(part));
            hash.update(request.body);
            hash.finalize().to_vec()
        })
    }
}

impl Mechanism for Address {
    fn takes(&self) -> &'static [&'static str] {
        &["public_url", "tolerance", "allow_older"]
    }

    fn lacks(&self, provider: &str, options: &Options) -> Vec<String> {
        address::lacks(provider, options)
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let is_newest = request.headers.contains_key(&SIGNATURE);
        if !is_newest && request.headers.contains_key(&OLDER) {
            return match verification.options.allow_older {
                true => Self::older(request, verification),
                false => Err(Refusal::WeakScheme("an older signature, which signs no time")),
            };
        }
        let value = headers::one(request.headers, &SIGNATURE)?;
        let time = headers::one(request.headers, &TIMESTAMP)?;
        timestamp::readable(&TIMESTAMP, time, Unit::Milliseconds)?;
        let url = address::full(verification.options, request.query)?;
        let method = request.method.as_str();
        let signed = [method.as_bytes(), url.as_bytes(), request.body, time.as_bytes()];
        let proof = SCHEME.verify(&SIGNATURE, value, verification.secrets, &signed)?;
        let tolerance = verification.options.tolerance();
        timestamp::check(&TIMESTAMP, time, Unit::Milliseconds, tolerance, verification.now)?;
        Ok(proof)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        _id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let url =
            address::full(options, "").map_err(|_| SignFault::Misconfigured(address::NONE))?;
        let time = Unit::Milliseconds.write(now);
        let method = outgoing.method.as_str();
        let signed = [method.as_bytes(), url.as_bytes(), outgoing.body, time.as_bytes()];
        let signature = SCHEME.sign(secret, &signed);
        Ok(vec![json_content(), header(&SIGNATURE, signature)?, header(&TIMESTAMP, time)?].into())
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![SIGNATURE, TIMESTAMP]
    }
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In your app: Webhooks, target URL `https://HOST/hooks/hubspot`; create subscriptions.",
        "The secret is the app's client secret. Write the very same URL under `public_url`.",
    ],
    source: "provider: hubspot\npublic_url: https://hooks.example.com/hooks/hubspot\nsecrets: [{ env: HUBSPOT_CLIENT_SECRET }]",
    carries: "The body is a list, and each thing in it an event of its own, whose kind is its \
              `subscriptionType`: `body[event.part]` is the one that a route looks at. They are one \
              delivery, and the digest of the list, without each `attemptNumber`, stands for its id: \
              a try is no new delivery. Method, address, body and time are signed. HubSpot \
              still sends older signatures beside the newest one; they are asked for only where \
              the newest is absent, and then they must be allowed with `allow_older: true`.",
    yields: "",
    proven: Proven::Literal,
    sources: &["https://developers.hubspot.com/docs/api/webhooks/validating-requests"],
};
