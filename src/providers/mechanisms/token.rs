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

/// The secret in a header.
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

impl Mechanism for Token {
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let name = HeaderName::from_static(self.header);
        token::verify(request, &name, self.prefix, verification.secrets.iter().enumerate())
    }

    fn sign(
        &self,
        _outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        _id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let name = HeaderName::from_static(self.header);
        let value = [self.prefix.as_bytes(), secret.expose()].concat();
        Ok(vec![json_content(), header(&name, value)?].into())
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![HeaderName::from_static(self.header)]
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }

    fn secret_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![HeaderName::from_static(self.header)]
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
        let in_query = form::query_field(request.query, self.query)?;
        let given = match (request.rest, in_query) {
            ("", Some(text)) => text,
            (path, None) if !path.is_empty() => {
                form::unescape_path(path).ok_or(Refusal::WrongCredentials)?
            }
            ("", None) => return Err(Refusal::MissingField(self.query)),
            _ => return Err(Refusal::RepeatedField(self.query)),
        };
        token::verify_text(&given, verification.secrets.iter().enumerate())
    }

    fn sign(
        &self,
        _outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        _id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let query = format!("{}={}", self.query, form::escape(secret.expose()));
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
