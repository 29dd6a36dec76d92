//! Providers: the kinds of sender that the gateway knows. One file each says how it signs, names
//! its events and deliveries, shakes hands, and what its git facts are.
//!
//! To add one: a file in the folder of its group, with a static `Sender` that tells it in data (or,
//! where that is not enough, a type that implements [`Provider`]); a line in `ALL`; its vectors; and
//! a sample payload. Providers are made of the mechanisms in `authenticate`; none compares bytes
//! itself, and none looks at configuration other than its [`Options`].

mod about;
mod address;
mod chat;
mod data;
mod decode;
mod forges;
mod form;
mod generic;
mod grounds;
mod handshake;
mod identity;
mod knocks;
mod mechanisms;
mod options;
mod page;
mod saas;
mod samples;
mod sender;
mod template;

use std::fmt;
use std::sync::Arc;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::{GitFacts, Secret, Value};

pub use about::{About, Group, Proven};
pub use chat::Dialect;
pub use decode::{DecodeFault, Decoded};
pub use form::{query_value, without_fields};
pub use generic::Preset;
pub use grounds::{Grounds, KeyForm, KeyPlace, Published, Wanted};
pub use handshake::{Handshake, Knock, Reply};
pub use identity::Identity;
pub use options::{Options, Place};
pub use page::page;
pub use template::Template;

/// Every provider, sorted by name.
static ALL: &[&dyn Provider] = &[
    &data::airtable::AIRTABLE,
    &data::alertmanager::ALERTMANAGER,
    &saas::anthropic::ANTHROPIC,
    &forges::artifactory::ARTIFACTORY,
    &saas::asana::ASANA,
    &saas::aws_sns::AwsSns,
    &forges::azure_devops::AZURE_DEVOPS,
    &saas::azure_event_grid::AZURE_EVENT_GRID,
    &generic::basic::Basic,
    &forges::bitbucket_cloud::BitbucketCloud,
    &forges::bitbucket_server::BITBUCKET_SERVER,
    &forges::circleci::CIRCLECI,
    &saas::convoy::CONVOY,
    &data::databricks::DATABRICKS,
    &data::dbt_cloud::DBT_CLOUD,
    &chat::discord::DISCORD,
    &forges::docker_hub::DOCKER_HUB,
    &saas::dropbox::DROPBOX,
    &data::elevenlabs::ELEVENLABS,
    &data::fivetran::FIVETRAN,
    &forges::forgejo::FORGEJO,
    &forges::gitea::GITEA,
    &forges::github::GitHub,
    &forges::gitlab::GitLab,
    &forges::gogs::GOGS,
    &chat::google_chat::GoogleChat,
    &data::grafana::GRAFANA,
    &forges::harbor::HARBOR,
    &generic::hmac::Hmac,
    &saas::hook0::HOOK0,
    &saas::hubspot::HUBSPOT,
    &data::huggingface::HUGGINGFACE,
    &saas::intercom::INTERCOM,
    &saas::jira::JIRA,
    &generic::jwt::Jwt,
    &saas::linear::LINEAR,
    &chat::mattermost::MATTERMOST,
    &data::mlflow::MLFLOW,
    &chat::ms_teams::MS_TEAMS_OUTGOING,
    &forges::nexus::NEXUS,
    &saas::notion::NOTION,
    &saas::okta::OKTA,
    &saas::openai::OPENAI,
    &saas::pagerduty::PAGERDUTY,
    &forges::quay::QUAY,
    &data::replicate::REPLICATE,
    &forges::scalr::SCALR,
    &data::segment::SEGMENT,
    &saas::sentry::SENTRY,
    &saas::shopify::SHOPIFY,
    &chat::slack::SLACK,
    &saas::standard_webhooks::StandardWebhooks,
    &saas::stripe::STRIPE,
    &saas::svix::SVIX,
    &forges::terraform_cloud::TERRAFORM_CLOUD,
    &generic::token::Token,
    &forges::travis_ci::TravisCi,
    &saas::twilio::TWILIO,
    &data::typeform::TYPEFORM,
    &data::wandb::WANDB,
    &saas::x_twitter::X_TWITTER,
    &saas::zendesk::ZENDESK,
    &saas::zoom::ZOOM,
];

/// Headers that may carry a secret whatever the provider: they are never kept or shown.
const ALWAYS_SECRET: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// The kind of an event whose sender does not name it.
pub const UNNAMED: &str = "event";

/// The provider of this name.
pub fn find(name: &str) -> Option<&'static dyn Provider> {
    ALL.binary_search_by_key(&name, |provider| provider.name()).ok().map(|index| ALL[index])
}

/// The names of all providers, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|provider| provider.name())
}

/// A kind of sender.
pub trait Provider: Sync {
    /// Its name in a configuration.
    fn name(&self) -> &'static str;

    /// Its name for people.
    fn title(&self) -> &'static str;

    /// What people must know of it.
    fn about(&self) -> &'static About;

    /// The names of the options that a source of this provider may set.
    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    /// What the options lack or contradict, a sentence each.
    fn lacks(&self, _options: &Options) -> Vec<String> {
        Vec::new()
    }

    /// Every fault of a source's options: those that do not belong to this provider, and what
    /// [`Provider::lacks`] says.
    fn check_options(&self, options: &Options) -> Vec<String> {
        let mut faults = options.strangers(self.name(), self.takes());
        faults.extend(self.lacks(options));
        faults
    }

    /// Whether a source of this provider needs secrets.
    fn secret_use(&self, _options: &Options) -> SecretUse {
        SecretUse::Required
    }

    /// Whether a secret has the shape that this sender's secrets have.
    ///
    /// # Errors
    /// What is wrong with it, without a word of its content.
    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        filled(secret)
    }

    /// Where the keys are that requests of this source are signed with, as far as the source alone
    /// tells: they can be fetched before the first request comes.
    fn publishes(&self, _options: &Options) -> Option<KeyPlace> {
        None
    }

    /// The published keys that this request cannot be judged without; none where it needs none, or
    /// where no key could make it authentic.
    fn wanted(&self, _request: &Unverified<'_>, _options: &Options) -> Option<Wanted> {
        None
    }

    /// Whether the request was made by someone who holds one of the secrets, or the private key to
    /// what is published.
    ///
    /// # Errors
    /// Why the request is refused.
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        grounds: &Grounds<'_>,
    ) -> Result<Proof, Refusal>;

    /// What a greeting is answered with that is not signed as deliveries are; none where the
    /// request is no such greeting. It is asked before [`Provider::authenticate`], and for requests
    /// of every method.
    ///
    /// # Errors
    /// Why a greeting that must be signed is refused.
    fn knock(
        &self,
        _request: &Unverified<'_>,
        _grounds: &Grounds<'_>,
    ) -> Option<Result<Knock, Refusal>> {
        None
    }

    /// The answer to [`Handshake::ProveBack`], under the secret that the greeting was signed with.
    fn prove_back(&self, _text: &str, _secret: &Secret) -> Option<Reply> {
        None
    }

    /// The headers that hold the signature or the token, or that the signature covers.
    fn signed_headers(&self, options: &Options) -> Vec<HeaderName>;

    /// Whether the signature covers the body. Where it does not, whoever reads one request can
    /// write others.
    fn signs_body(&self, _options: &Options) -> bool {
        true
    }

    /// Headers of this sender that carry the secret itself, beside those that always may.
    fn own_secret_headers(&self, _options: &Options) -> Vec<HeaderName> {
        Vec::new()
    }

    /// Every header that must never be kept or shown: those that may carry a secret whatever the
    /// provider, and [`Provider::own_secret_headers`].
    fn secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        let mut headers = ALWAYS_SECRET.to_vec();
        headers.extend(self.own_secret_headers(options));
        headers
    }

    /// Fields of the query string or of a form that carry the secret itself: they are never kept or
    /// shown.
    fn secret_fields(&self, _options: &Options) -> Vec<String> {
        Vec::new()
    }

    /// The body as a tree. It must not let a header that nobody signed choose between two
    /// readings of one body.
    ///
    /// # Errors
    /// Where the body cannot be read.
    fn decode(&self, headers: &HeaderMap, body: &[u8]) -> Result<Decoded, DecodeFault>;

    /// What is kept of a body that holds a secret; none where it is kept as it came. It means the
    /// same as the whole.
    fn body_to_keep(&self, _body: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// How people are answered, for senders through which they give commands.
    fn dialect(&self) -> Option<Dialect> {
        None
    }

    /// What a kept delivery that is no command is answered with, where the usual answer will not do.
    fn thanks(&self) -> Option<Reply> {
        None
    }

    /// What kind of event it is.
    ///
    /// # Errors
    /// What is missing that would say so.
    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Meaning, DecodeFault>;

    /// What names the delivery, so that a repeat is known as one.
    fn identity(&self, request: &Verified<'_>, body: &Value, options: &Options) -> Identity;

    /// Git facts, one entry for each thing that happened; none where it has nothing to do with git.
    fn git_facts(&self, _meaning: &Meaning, _body: &Value) -> Vec<GitFacts> {
        Vec::new()
    }

    /// Git facts that the claims of its token tell, for senders that say nothing of git in the body.
    fn claimed_git_facts(&self, _claims: &Value, _options: &Options) -> Option<GitFacts> {
        None
    }

    /// What this sender would add to a request: signature, event name, delivery id.
    ///
    /// # Errors
    /// Why it cannot sign with this secret.
    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault>;

    /// A secret of the right shape, to try things out with. It is in every copy of the program, so
    /// it proves nothing.
    fn sample_secret(&self) -> Secret {
        sample_secret()
    }

    /// What the sender of [`Provider::sample_secret`] signs with, where that is another key.
    fn sample_signer(&self) -> Secret {
        self.sample_secret()
    }

    /// What a sender that signs with [`Provider::sample_signer`] would publish.
    fn sample_published(&self, _options: &Options) -> Option<Published> {
        None
    }

    /// A payload of this kind as the sender would write it, to try things out with.
    fn sample(&self, _kind: &str) -> Option<&'static str> {
        None
    }

    /// The kind of event that [`Provider::sample`] is best asked for.
    fn sample_kind(&self) -> &'static str {
        "push"
    }

    /// The kinds of event that there are payloads for.
    fn sample_kinds(&self) -> Vec<&'static str> {
        vec![self.sample_kind()]
    }
}

/// Whether a source of a provider needs secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretUse {
    /// One at least.
    Required,
    /// It may do without.
    Optional,
    /// None: what the sender signs with is public.
    None,
}

/// What kind of event a body tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The kind, with one word for all forges where they mean the same.
    pub kind: Arc<str>,
    /// The sender's own name for it.
    pub name: Option<Arc<str>>,
    /// What was done, for kinds that have several.
    pub action: Option<Arc<str>>,
    /// Set where the request is a greeting that starts nothing.
    pub handshake: Option<Handshake>,
}

/// A request that is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its path, without the query string.
    pub path: &'a str,
    /// The event: a kind such as `push`, or the sender's own name for it.
    pub event: &'a str,
    /// Its body.
    pub body: &'a [u8],
}

/// What makes a request authentic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// Its headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Its query string, for senders that put something there; else empty.
    pub query: String,
    /// Another body in the place of the one given, for senders that put something there.
    pub body: Option<Vec<u8>>,
}

impl From<Vec<(HeaderName, HeaderValue)>> for Signed {
    fn from(headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { headers, ..Self::default() }
    }
}

/// Why a request cannot be signed.
#[derive(Debug, PartialEq, Eq)]
pub enum SignFault {
    /// The secret does not fit the provider.
    Secret(String),
    /// A header cannot hold the value that it should.
    Header(HeaderName),
    /// The source's settings lack something.
    Misconfigured(&'static str),
    /// The body is not what this sender would send.
    Body(&'static str),
}

impl fmt::Display for SignFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(fault) => write!(f, "cannot sign with this secret: it {fault}"),
            Self::Header(name) => write!(f, "header `{name}` cannot hold the value it should"),
            Self::Body(expected) => write!(f, "the body is not {expected}"),
            Self::Misconfigured(what) => write!(f, "the source's settings lack {what}"),
        }
    }
}

impl std::error::Error for SignFault {}

/// An access token to try things out with. It is in every copy of the program, so it proves nothing.
pub const SAMPLE_ACCESS_TOKEN: &str = "a sample access token that proves nothing";

fn sample_secret() -> Secret {
    Secret::new("a sample secret that proves nothing")
}

fn filled(secret: &Secret) -> Result<(), String> {
    if secret.is_empty() { Err("is empty".to_owned()) } else { Ok(()) }
}

fn header(
    name: &HeaderName,
    value: impl AsRef<[u8]>,
) -> Result<(HeaderName, HeaderValue), SignFault> {
    HeaderValue::from_bytes(value.as_ref())
        .map(|value| (name.clone(), value))
        .map_err(|_| SignFault::Header(name.clone()))
}

fn json_content() -> (HeaderName, HeaderValue) {
    (http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_provider_is_found_by_its_name() {
        let all: Vec<_> = names().collect();
        assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
        for name in all {
            assert_eq!(find(name).map(Provider::name), Some(name));
        }
        assert!(find("nobody").is_none());
    }

    fn takes_secrets(provider: &dyn Provider) -> bool {
        provider.secret_use(&Options::default()) != SecretUse::None
    }

    #[test]
    fn no_provider_takes_an_empty_secret() {
        for provider in ALL.iter().filter(|provider| takes_secrets(**provider)) {
            let refused = provider.check_secret(&Secret::new(""), &Options::default());
            assert!(refused.is_err(), "{}", provider.name());
        }
    }

    #[test]
    fn the_sample_secret_has_the_right_shape() {
        for provider in ALL.iter().filter(|provider| takes_secrets(**provider)) {
            let checked = provider.check_secret(&provider.sample_secret(), &Options::default());
            assert_eq!(checked, Ok(()), "{}", provider.name());
        }
    }

    #[test]
    fn every_option_that_a_provider_takes_exists() {
        for provider in ALL {
            for option in provider.takes() {
                assert!(options::NAMES.contains(option), "{}: {option}", provider.name());
            }
        }
    }

    #[test]
    fn credentials_and_cookies_are_secret_for_every_provider() {
        for provider in ALL {
            let headers = provider.secret_headers(&Options::default());
            assert!(headers.contains(&AUTHORIZATION) && headers.contains(&COOKIE));
        }
    }
}
