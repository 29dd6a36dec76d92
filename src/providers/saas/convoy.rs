//! Convoy, as a sender. Its signature is simple, or advanced with a time, as it is set in Convoy. The
//! source's configuration says which to expect. A request can never choose.

use http::HeaderName;
use jiff::Timestamp;

use crate::authenticate::hmac::{Algorithm, Encoding, Scheme};
use crate::authenticate::timestamp::DEFAULT_TOLERANCE;
use crate::authenticate::{Proof, Refusal, Unverified, headers};
use crate::model::Secret;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender, Unnamed};
use crate::providers::mechanisms::{Elements, Mechanism};
use crate::providers::{Options, Outgoing, SignFault, Signed, Verification, header, json_content};

const HEADER: &str = "x-convoy-signature";
const NAME: HeaderName = HeaderName::from_static(HEADER);

/// Convoy.
pub(in crate::providers) static CONVOY: Sender = Sender {
    event: &[At::Field(&["event"]), At::Field(&["event_type"])],
    unnamed: Unnamed::Body,
    samples: &[("charge.success", include_str!("../samples/convoy.json"))],
    ..Sender::new("convoy", "Convoy", &ABOUT, &Setting)
};

/// The simple or the advanced signature, as the source's options say.
struct Setting;

impl Setting {
    fn parts(options: &Options) -> (Algorithm, Encoding) {
        let algorithm = options.algorithm.unwrap_or(Algorithm::Sha256);
        (algorithm, options.encoding.unwrap_or(Encoding::Hex))
    }

    /// The header, whose name is a setting in Convoy.
    fn name(options: &Options) -> HeaderName {
        options.header.clone().unwrap_or(NAME)
    }

    fn simple(options: &Options) -> Scheme<'static> {
        let (algorithm, encoding) = Self::parts(options);
        Scheme { algorithm, encoding, ..Scheme::HEX_SHA256 }
    }

    fn advanced(options: &Options) -> Elements {
        let (algorithm, encoding) = Self::parts(options);
        Elements { algorithm, encoding, between: ",", ..Elements::sha256(HEADER) }
    }
}

impl Mechanism for Setting {
    fn takes(&self) -> &'static [&'static str] {
        &["timed", "header", "algorithm", "encoding", "tolerance"]
    }

    fn lacks(&self, _provider: &str, options: &Options) -> Vec<String> {
        if options.tolerance.is_some_and(|tolerance| tolerance != DEFAULT_TOLERANCE)
            && !options.timed
        {
            return vec!["`tolerance` is of no use without `timed: true`".to_owned()];
        }
        if options.timed && options.header.is_some() {
            return vec!["`header` is not taken with `timed: true`".to_owned()];
        }
        Vec::new()
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        if verification.options.timed {
            return Self::advanced(verification.options).authenticate(request, verification);
        }
        let name = Self::name(verification.options);
        let value = headers::one(request.headers, &name)?;
        Self::simple(verification.options).verify(
            &name,
            value,
            verification.secrets,
            &[request.body],
        )
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        if options.timed {
            return Self::advanced(options).sign(outgoing, secret, options, id, now);
        }
        let signature = Self::simple(options).sign(secret, &[outgoing.body]);
        Ok(vec![json_content(), header(&Self::name(options), signature)?].into())
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        vec![Self::name(options)]
    }
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the project: Endpoints > Create, `https://HOST/hooks/convoy`, with an endpoint secret.",
        "In the project's settings, Signatures: choose the advanced signature, which has a time.",
    ],
    source: "provider: convoy\ntimed: true\nsecrets: [{ env: CONVOY_ENDPOINT_SECRET }]",
    carries: "The body is that of the event that was sent through Convoy; the kind is its `event` or \
              `event_type`. The digest of the body stands for the delivery's id. The body is \
              signed, and with `timed: true` the time.",
    yields: "",
    proven: Proven::Literal,
    sources: &["frain-dev/convoy, pkg/signature/testdata/signature-vectors.json"],
};
