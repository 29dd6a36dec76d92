//! JFrog Artifactory. Its one header holds a signature, the older signature or the secret itself, as it is
//! set in Artifactory. The source's configuration says which to expect. A request can never choose.

use http::HeaderName;
use jiff::Timestamp;

use crate::authenticate::hmac::Algorithm;
use crate::authenticate::{Proof, Refusal, Unverified};
use crate::model::{GitFacts, Secret, Value};
use crate::providers::Meaning;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::forges::facts::text;
use crate::providers::forges::images::image;
use crate::providers::mechanisms::{Mac, Mechanism, Token};
use crate::providers::{Options, Outgoing, SignFault, Signed, Verification};

const HEADER: &str = "x-jfrog-event-auth";

static SHA256: Mac = Mac::sha256(HEADER);
static SHA1: Mac = Mac { algorithm: Algorithm::Sha1, prefix: "sha1=", ..Mac::sha256(HEADER) };
static PLAIN: Token = Token { header: HEADER, prefix: "" };

/// JFrog Artifactory.
pub(in crate::providers) static ARTIFACTORY: Sender = Sender {
    event: &[At::Field(&["domain"])],
    action: &[At::Field(&["event_type"])],
    git_facts: Some(git_facts),
    samples: &[("artifact", include_str!("../samples/artifactory.json"))],
    ..Sender::new("artifactory", "JFrog Artifactory", &ABOUT, &Setting)
};

/// Only events of images name a repository and a tag in this sense.
fn git_facts(meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let of_image = |name| text(body, &["data", name]);
    let deleted = meaning.action.as_deref() == Some("deleted");
    let image = image(of_image("image_name"), of_image("tag"));
    image.map(|facts| GitFacts { deleted, ..facts }).into_iter().collect()
}

/// A signature or the secret itself, as the source's options say.
struct Setting;

impl Setting {
    fn chosen(options: &Options) -> &'static dyn Mechanism {
        match (options.unsigned, options.algorithm) {
            (true, _) => &PLAIN,
            (false, Some(Algorithm::Sha1)) => &SHA1,
            (false, _) => &SHA256,
        }
    }
}

impl Mechanism for Setting {
    fn takes(&self) -> &'static [&'static str] {
        &["unsigned", "algorithm"]
    }

    fn lacks(&self, _provider: &str, options: &Options) -> Vec<String> {
        let fault = match (options.unsigned, options.algorithm) {
            (true, Some(_)) => "`algorithm` is of no use with `unsigned: true`",
            (_, Some(Algorithm::Sha384 | Algorithm::Sha512)) => {
                "`algorithm` of Artifactory is sha256, or sha1 for older ones"
            }
            _ => return Vec::new(),
        };
        vec![fault.to_owned()]
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        Self::chosen(verification.options).authenticate(request, verification)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        Self::chosen(options).sign(outgoing, secret, options, id, now)
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        Self::chosen(options).signed_headers(options)
    }

    fn signs_body(&self, options: &Options) -> bool {
        Self::chosen(options).signs_body(options)
    }

    fn secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        Self::chosen(options).secret_headers(options)
    }
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In Administration > General > Webhooks > New webhook.",
        "URL `https://HOST/hooks/artifactory`, the secret token, and `Use secret for payload \
         signing`; choose the events.",
    ],
    source: "provider: artifactory\nsecrets: [{ env: ARTIFACTORY_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `domain` (`artifact`, `docker`, …), the action its \
              `event_type` (`deployed`, …). No delivery has an id; the digest of the body stands \
              for it. The body is signed. Where Artifactory is not set to sign, write `unsigned: \
              true`; an older one that signs with SHA-1 needs `algorithm: sha1`.",
    yields: "Facts of the image, for the domain `docker`, as git facts: `repository` (`image_name`), `tag`, \
             `deleted`. The repository within Artifactory is `body.data.repo_key`.",
    proven: Proven::Literal,
    sources: &[
        "https://jfrog.com/help/r/jfrog-platform-administration-documentation/webhooks",
        "influxdata/telegraf, plugins/inputs/webhooks/artifactory",
    ],
};
