//! Senders whose deliveries have a form of their own, and may be proved in one of several ways: the source's
//! option `scheme` names the one of the generic providers that does.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::{GitFacts, Secret, Value};
use crate::providers::generic::basic::Basic;
use crate::providers::generic::hmac::Hmac;
use crate::providers::generic::jwt::Jwt;
use crate::providers::generic::scheme::Scheme;
use crate::providers::generic::token::Token;
use crate::providers::{
    About, DecodeFault, Decoded, Greeting, Identity, KeyPlace, Meaning, Options, Outgoing,
    Provider, Published, SecretUse, SignFault, Signed, Verification, Wanted,
};

/// Options that say where a generic provider finds the kind and the id. The form of the delivery says so here.
const PLACES: [&str; 4] = ["event", "action", "each", "delivery_id"];

/// A sender with such a form.
pub(in crate::providers) struct ByScheme<F>(pub(in crate::providers) F);

/// The form of a sender's deliveries.
pub(in crate::providers) trait Form: Sync {
    /// Its name in a configuration.
    fn name(&self) -> &'static str;

    /// Its name for people.
    fn title(&self) -> &'static str;

    /// What the documentation says about it.
    fn about(&self) -> &'static About;

    /// The options of all schemes, and `scheme` itself.
    fn takes(&self) -> &'static [&'static str];

    /// The schemes that the sender can use, the default first.
    fn schemes(&self) -> &'static [Scheme];

    /// What proves its deliveries where `scheme` is `token` and no `header` is named: the header
    /// `Authorization: Bearer …` or the address.
    fn bearer(&self) -> &'static dyn Provider;

    /// Recognises a greeting. It is given no secret.
    fn greet(&self, _request: &Unverified<'_>) -> Option<Result<Greeting, Refusal>> {
        None
    }

    /// Parses the body into a tree.
    fn decode(&self, headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault>;

    /// The kind of every event. There is at least one.
    fn meanings(
        &self,
        headers: &HeaderMap,
        body: &Value,
        scheme: Scheme,
    ) -> Result<Vec<Meaning>, DecodeFault>;

    /// The delivery's id, if it has one.
    fn id(&self, body: &Value) -> Option<String>;

    /// Git facts.
    fn git_facts(&self, _body: &Value) -> Vec<GitFacts> {
        Vec::new()
    }

    /// Whether any of its requests carries git facts.
    fn tells_git(&self) -> bool {
        false
    }

    /// The headers with which the sender would send this body, without those of its proof.
    fn headers(
        &self,
        outgoing: &Outgoing<'_>,
        id: &str,
    ) -> Result<Vec<(HeaderName, http::HeaderValue)>, SignFault>;

    /// A sample payload of this kind.
    fn sample(&self, kind: &str) -> Option<&'static str>;

    /// The payload of [`Form::sample`] with this id in it.
    fn sample_of(&self, kind: &str, id: &str) -> Option<Vec<u8>>;

    /// The kind of the sample payload.
    fn sample_kind(&self) -> &'static str;
}

impl<F: Form> ByScheme<F> {
    fn scheme(&self, options: &Options) -> Scheme {
        options.scheme.unwrap_or(self.0.schemes()[0])
    }

    /// The provider that proves deliveries of a source with these options.
    fn prover(&self, options: &Options) -> &'static dyn Provider {
        match self.scheme(options) {
            Scheme::Token if options.header.is_none() => self.0.bearer(),
            Scheme::Token => &Token,
            Scheme::Basic => &Basic,
            Scheme::Hmac => &Hmac,
            Scheme::Jwt => &Jwt,
        }
    }
}

impl<F: Form> Provider for ByScheme<F> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn title(&self) -> &'static str {
        self.0.title()
    }

    fn about(&self) -> &'static About {
        self.0.about()
    }

    fn takes(&self) -> &'static [&'static str] {
        self.0.takes()
    }

    fn check_options(&self, options: &Options) -> Vec<String> {
        let (scheme, prover) = (self.scheme(options), self.prover(options));
        if !self.0.schemes().contains(&scheme) {
            let known: Vec<_> = self.0.schemes().iter().map(|scheme| scheme.as_str()).collect();
            let (name, known) = (self.0.name(), known.join(", "));
            return vec![format!("`scheme` of provider `{name}` is one of {known}")];
        }
        let own = prover.takes().iter().filter(|option| !PLACES.contains(option)).copied();
        let header = (scheme == Scheme::Token).then_some("header");
        let takes: Vec<&str> = std::iter::once("scheme").chain(own).chain(header).collect();
        let with = format!("{}` with `scheme: {scheme}", self.0.name());
        let mut faults = options.strangers(&with, &takes);
        let told = format!("provider `{with}`");
        let of_prover = format!("provider `{}`", prover.name());
        faults.extend(prover.lacks(options).iter().map(|lack| lack.replace(&of_prover, &told)));
        faults
    }

    fn secret_use(&self, options: &Options) -> SecretUse {
        self.prover(options).secret_use(options)
    }

    fn check_secret(&self, secret: &Secret, options: &Options) -> Result<(), String> {
        self.prover(options).check_secret(secret, options)
    }

    fn secret_hint(&self, options: &Options) -> &'static str {
        self.prover(options).secret_hint(options)
    }

    fn publishes(&self, options: &Options) -> Option<KeyPlace> {
        self.prover(options).publishes(options)
    }

    fn wanted(&self, request: &Unverified<'_>, options: &Options) -> Option<Wanted> {
        self.prover(options).wanted(request, options)
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        self.prover(verification.options).authenticate(request, verification)
    }

    fn greet(
        &self,
        request: &Unverified<'_>,
        _verification: &Verification<'_>,
    ) -> Option<Result<Greeting, Refusal>> {
        self.0.greet(request)
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        self.prover(options).signed_headers(options)
    }

    fn signs_body(&self, options: &Options) -> bool {
        self.prover(options).signs_body(options)
    }

    fn own_secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        self.prover(options).own_secret_headers(options)
    }

    fn secret_fields(&self, options: &Options) -> Vec<String> {
        self.prover(options).secret_fields(options)
    }

    fn secret_in_path(&self, options: &Options) -> bool {
        self.prover(options).secret_in_path(options)
    }

    fn decode(&self, headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        self.0.decode(headers, body)
    }

    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        Ok(self.meanings(headers, body, options)?.swap_remove(0))
    }

    fn meanings(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Vec<Meaning>, DecodeFault> {
        self.0.meanings(headers, body, self.scheme(options))
    }

    fn identity(&self, request: &Verified<'_>, body: &Value, options: &Options) -> Identity {
        match self.0.id(body) {
            Some(id) => Identity::of_sender(&id),
            None => self.prover(options).identity(request, body, options),
        }
    }

    fn tells_git(&self, _options: &Options) -> bool {
        self.0.tells_git()
    }

    fn git_facts(&self, _meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
        self.0.git_facts(body)
    }

    fn tells_claims(&self) -> bool {
        self.0.schemes().contains(&Scheme::Jwt)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let mut signed = self.prover(options).sign(outgoing, secret, options, id, now)?;
        let own = self.0.headers(outgoing, id)?;
        signed.headers.retain(|(name, _)| own.iter().all(|(given, _)| given != name));
        signed.headers.extend(own);
        Ok(signed)
    }

    fn sample_published(&self, options: &Options) -> Option<Published> {
        self.prover(options).sample_published(options)
    }

    fn sample(&self, kind: &str) -> Option<&'static str> {
        self.0.sample(kind)
    }

    fn sample_of(&self, kind: &str, id: &str) -> Option<Vec<u8>> {
        self.0.sample_of(kind, id)
    }

    fn sample_kind(&self) -> &'static str {
        self.0.sample_kind()
    }
}
