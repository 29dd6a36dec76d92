//! The secret itself, in whichever place the sender can put it: a header, the query string, the path,
//! or the password of HTTP basic authentication. It proves who sent the request, and nothing about the
//! body.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderName;
use http::header::AUTHORIZATION;
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, basic, token};
use crate::model::Secret;
use crate::providers::mechanisms::Mechanism;
use crate::providers::{
    Options, Outgoing, SignFault, Signed, Verification, form, header, json_content,
};

/// The secret in a header. A source may name another one, where its provider takes the option `header`.
pub(in crate::providers) struct Token {
    /// The header, in lower case.
    pub(in crate::providers) header: &'static str,
    /// The text before the secret, such as `Bearer `.
    pub(in crate::providers) prefix: &'static str,
}

/// The secret as the password of HTTP basic authentication. The user name is configured.
pub(in crate::providers) struct Basic;

/// The secret in a field of the query string (`?token=…`), or in the path after the source's name
/// (`/hooks/{source}/{secret}`). It is for senders that neither sign nor send headers of the user's
/// choice.
pub(in crate::providers) struct FieldToken {
    /// The field of the query string.
    pub(in crate::providers) query: &'static str,
}

impl Token {
    fn header(&self, options: &Options) -> HeaderName {
        options.header.clone().unwrap_or(HeaderName::from_static(self.header))
    }

    /// What is in front of the secret. A header of the user's choice has the secret alone.
    fn prefix<'o>(&'o self, options: &'o Options) -> &'o str {
        let usual = if options.header.is_some() { "" } else { self.prefix };
        options.prefix.as_deref().unwrap_or(usual)
    }
}

impl Mechanism for Token {
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let options = verification.options;
        let secrets = verification.secrets.iter().enumerate();
        token::verify(request, &self.header(options), self.prefix(options), secrets)
    }

    fn sign(
        &self,
        _outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        _id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let value = [self.prefix(options).as_bytes(), secret.expose()].concat();
        Ok(vec![json_content(), header(&self.header(options), value)?].into())
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        vec![self.header(options)]
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }

    fn secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        vec![self.header(options)]
    }
}

/// What is missing from a source that has a password and no user name.
pub(in crate::providers) const NO_USER: &str = "`user`, the user name";

impl Mechanism for Basic {
    fn takes(&self) -> &'static [&'static str] {
        &["user"]
    }

    fn lacks(&self, provider: &str, options: &Options) -> Vec<String> {
        match options.user.as_deref() {
            None | Some("") => vec![format!("provider `{provider}` needs {NO_USER}")],
            Some(user) if user.contains(':') => vec!["`user` must not hold a colon".to_owned()],
            Some(_) => Vec::new(),
        }
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let user = verification.options.user.as_deref().ok_or(Refusal::Misconfigured(NO_USER))?;
        basic::verify(request, user, verification.secrets)
    }

    fn sign(
        &self,
        _outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        _id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let user = options.user.as_deref().ok_or(SignFault::Misconfigured(NO_USER))?;
        let credentials = [user.as_bytes(), b":", secret.expose()].concat();
        let value = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        Ok(vec![json_content(), header(&AUTHORIZATION, value)?].into())
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![AUTHORIZATION]
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }
}

/// Proof that the secret is in this field of the query string, or in the path after the source's name.
///
/// # Errors
/// It is in neither place, or in both, or is none of the secrets.
pub(in crate::providers) fn verify_address(
    request: &Unverified<'_>,
    query: &str,
    secrets: &[Secret],
) -> Result<Proof, Refusal> {
    let field = || query.to_owned().into();
    let given = match (request.rest, form::query_field(request.query, query)?) {
        ("", Some(text)) => text,
        (path, None) if !path.is_empty() => {
            form::unescape_path(path).ok_or(Refusal::WrongCredentials)?
        }
        ("", None) => return Err(Refusal::MissingField(field())),
        _ => return Err(Refusal::RepeatedField(field())),
    };
    let verified = token::verify_text(&given, secrets.iter().enumerate());
    // A proxy may add a slash to the path.
    match given.strip_suffix('/').filter(|_| verified.is_err() && !request.rest.is_empty()) {
        Some(given) => token::verify_text(given, secrets.iter().enumerate()),
        None => verified,
    }
}

/// What a request to an address with the secret in it looks like.
pub(in crate::providers) fn in_address(query: &str, secret: &Secret) -> String {
    format!("{query}={}", form::escape(secret.expose()))
}

impl FieldToken {
    /// Whether a query string holds the field, also where it holds the field twice.
    pub(super) fn is_in(&self, query: &str) -> bool {
        !matches!(form::query_field(query, self.query), Ok(None))
    }
}

impl Mechanism for FieldToken {
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        verify_address(request, self.query, verification.secrets)
    }

    fn sign(
        &self,
        _outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        _id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let query = in_address(self.query, secret);
        Ok(Signed { query, ..vec![json_content()].into() })
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        Vec::new()
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }

    fn secret_fields(&self, _options: &Options) -> Vec<String> {
        vec![self.query.to_owned()]
    }

    fn secret_in_path(&self, _options: &Options) -> bool {
        true
    }
}
