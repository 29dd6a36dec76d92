//! Senders that prove themselves in one of two ways. The configuration chooses between them. Only where
//! both are equally strong may the request choose.

use http::HeaderName;
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::Secret;
use crate::providers::mechanisms::{Basic, FieldToken, Mac, Mechanism, Token};
use crate::providers::{Identity, Options, Outgoing, SignFault, Signed, Verification};

/// HTTP basic authentication where the source has a `user`, else this mechanism.
pub(in crate::providers) struct BasicOr(pub(in crate::providers) &'static dyn Mechanism);

/// The secret in a header or, where the header is absent, in the address.
pub(in crate::providers) struct HeaderOrAddress {
    /// In a header.
    pub(in crate::providers) header: Token,
    /// In the address.
    pub(in crate::providers) address: FieldToken,
}

impl BasicOr {
    fn chosen(&self, options: &Options) -> &'static dyn Mechanism {
        if options.user.is_some() { &Basic } else { self.0 }
    }
}

impl Mechanism for BasicOr {
    fn takes(&self) -> &'static [&'static str] {
        &["user"]
    }

    fn lacks(&self, provider: &str, options: &Options) -> Vec<String> {
        self.chosen(options).lacks(provider, options)
    }

    fn check_secret(&self, secret: &Secret, options: &Options) -> Result<(), String> {
        self.chosen(options).check_secret(secret, options)
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        self.chosen(verification.options).authenticate(request, verification)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        self.chosen(options).sign(outgoing, secret, options, id, now)
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        self.chosen(options).signed_headers(options)
    }

    fn signs_body(&self, options: &Options) -> bool {
        self.chosen(options).signs_body(options)
    }

    fn secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        self.chosen(options).secret_headers(options)
    }

    fn digest(&self, request: &Verified<'_>, options: &Options) -> Identity {
        self.chosen(options).digest(request, options)
    }
}

impl Mechanism for HeaderOrAddress {
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let in_header = request.headers.contains_key(self.header.header);
        let in_address = !request.rest.is_empty() || self.address.is_in(request.query);
        if in_address && !in_header {
            return self.address.authenticate(request, verification);
        }
        self.header.authenticate(request, verification)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        self.header.sign(outgoing, secret, options, id, now)
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        self.header.signed_headers(options)
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }

    fn secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        self.header.secret_headers(options)
    }

    fn secret_fields(&self, options: &Options) -> Vec<String> {
        self.address.secret_fields(options)
    }

    fn secret_in_path(&self, options: &Options) -> bool {
        self.address.secret_in_path(options)
    }
}

/// A signature in a header that has one of two names. A request with both headers is refused, since it
/// would not be clear which one counts.
pub(in crate::providers) struct EitherHeader(
    pub(in crate::providers) &'static Mac,
    pub(in crate::providers) &'static Mac,
);

impl Mechanism for EitherHeader {
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let is_there = |mac: &Mac| request.headers.contains_key(mac.header);
        match (is_there(self.0), is_there(self.1)) {
            (true, true) => Err(Refusal::RepeatedHeader(HeaderName::from_static(self.1.header))),
            (false, true) => self.1.authenticate(request, verification),
            _ => self.0.authenticate(request, verification),
        }
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        self.0.sign(outgoing, secret, options, id, now)
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        self.0.signed_headers(options)
    }
}
