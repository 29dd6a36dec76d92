//! An HMAC in a header, over some parts of the request.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderName;
use jiff::Timestamp;

use crate::authenticate::hmac::{self, Algorithm, Encoding, Scheme, base64};
use crate::authenticate::timestamp::{self, Unit};
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::Secret;
use crate::providers::mechanisms::Mechanism;
use crate::providers::{
    Identity, Options, Outgoing, SignFault, Signed, Verification, filled, header, json_content,
};

/// An HMAC in a header.
pub(in crate::providers) struct Mac {
    /// The header that carries it, in lower case.
    pub(in crate::providers) header: &'static str,
    /// The hash.
    pub(in crate::providers) algorithm: Algorithm,
    /// The encoding of the HMAC.
    pub(in crate::providers) writing: Writing,
    /// The text before it, such as `sha256=`.
    pub(in crate::providers) prefix: &'static str,
    /// Whether the prefix may be left out.
    pub(in crate::providers) prefix_optional: bool,
    /// The separator between several HMACs in one header, where the sender may send several. One that
    /// matches is enough.
    pub(in crate::providers) separator: Option<char>,
    /// What is signed, in this order.
    pub(in crate::providers) signs: &'static [Part],
    /// The time, where the sender signs one.
    pub(in crate::providers) time: Option<Time>,
    /// How the key is derived from the secret's text.
    pub(in crate::providers) key: Key,
}

/// The encoding of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::providers) enum Writing {
    /// Hexadecimal, in either case.
    Hex,
    /// Hexadecimal in capitals; either case is accepted.
    UpperHex,
    /// Base64.
    Base64,
    /// Base64, or hexadecimal where the text has as many digits as the hash needs. For senders whose
    /// requests differ from their documentation.
    Either,
}

/// A part of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::providers) enum Part {
    /// The body, byte for byte.
    Body,
    /// This text.
    Text(&'static str),
    /// The value of this header, whose name is in lower case.
    Header(&'static str),
}

/// A signed time.
#[derive(Clone, Copy, Debug)]
pub(in crate::providers) struct Time {
    /// The header that carries it, in lower case.
    pub(in crate::providers) header: &'static str,
    /// The unit.
    pub(in crate::providers) unit: Unit,
    /// How far it may differ from the gateway's clock, unless the source sets a tolerance.
    pub(in crate::providers) tolerance: Duration,
}

/// How the key is derived from a secret's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::providers) enum Key {
    /// The text is the key.
    Text,
    /// The text is the key in base64.
    Base64,
}

impl Mac {
    /// HMAC-SHA-256 of the body, in hex without a prefix, with the secret's text as the key. A base for
    /// senders that differ in some field.
    pub(in crate::providers) const fn sha256(header: &'static str) -> Self {
        Self {
            header,
            algorithm: Algorithm::Sha256,
            writing: Writing::Hex,
            prefix: "",
            prefix_optional: false,
            separator: None,
            signs: &[Part::Body],
            time: None,
            key: Key::Text,
        }
    }

    fn header(&self) -> HeaderName {
        HeaderName::from_static(self.header)
    }

    fn scheme(&self, value: &str) -> Scheme<'_> {
        let digits = match self.algorithm {
            Algorithm::Sha1 => 40,
            Algorithm::Sha256 => 64,
            Algorithm::Sha384 => 96,
            Algorithm::Sha512 => 128,
        };
        let bare = value.strip_prefix(self.prefix).unwrap_or(value);
        let encoding = match self.writing {
            Writing::Hex | Writing::UpperHex => Encoding::Hex,
            Writing::Either if bare.len() == digits => Encoding::Hex,
            Writing::Base64 | Writing::Either => Encoding::Base64,
        };
        Scheme {
            algorithm: self.algorithm,
            encoding,
            prefix: self.prefix,
            prefix_optional: self.prefix_optional,
            separator: self.separator,
        }
    }

    /// The key that a secret holds; none where the secret cannot be decoded.
    fn key<'s>(&self, secret: &'s Secret) -> Option<Cow<'s, Secret>> {
        match self.key {
            Key::Text => Some(Cow::Borrowed(secret)),
            Key::Base64 => {
                let text = str::from_utf8(secret.expose()).ok()?;
                base64(text).map(|bytes| Cow::Owned(Secret::new(bytes)))
            }
        }
    }

    fn signed<'a>(
        &self,
        body: &'a [u8],
        header: impl Fn(&'static str) -> Result<&'a str, Refusal>,
    ) -> Result<Vec<&'a [u8]>, Refusal> {
        let part = |part: &Part| {
            Ok(match *part {
                Part::Body => body,
                Part::Text(text) => text.as_bytes(),
                Part::Header(name) => header(name)?.as_bytes(),
            })
        };
        self.signs.iter().map(part).collect()
    }
}

impl Mechanism for Mac {
    fn takes(&self) -> &'static [&'static str] {
        if self.time.is_some() { &["tolerance"] } else { &[] }
    }

    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        filled(secret)?;
        let key = self.key(secret).ok_or("is not base64; copy it as the sender shows it")?;
        filled(&key)
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let name = self.header();
        let value = headers::one(request.headers, &name)?;
        let of_header = |name| headers::one(request.headers, &HeaderName::from_static(name));
        let time = self.time.map(|time| of_header(time.header)).transpose()?;
        if let (Some(signed), Some(time)) = (self.time, time) {
            timestamp::readable(&HeaderName::from_static(signed.header), time, signed.unit)?;
        }
        let signed = self.signed(request.body, of_header)?;
        let given = self.scheme(value).signatures(&name, value)?;
        let keys: Vec<_> = verification.secrets.iter().map(|secret| self.key(secret)).collect();
        let keys =
            keys.iter().enumerate().filter_map(|(index, key)| Some((index, &**key.as_ref()?)));
        let proof = hmac::verify(self.algorithm, keys, &signed, &given)?;
        if let (Some(signed), Some(time)) = (self.time, time) {
            let header = HeaderName::from_static(signed.header);
            let tolerance = verification.options.tolerance.unwrap_or(signed.tolerance);
            timestamp::check(&header, time, signed.unit, tolerance, verification.now)?;
        }
        Ok(proof)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let time = self.time.map(|time| time.unit.write(now)).unwrap_or_default();
        let is_time = |name| self.time.is_some_and(|time| time.header == name);
        let of_header = |name| Ok(if is_time(name) { &*time } else { id });
        let signed = self.signed(outgoing.body, of_header).unwrap_or_default();
        let key = self.key(secret).ok_or_else(|| SignFault::Secret("is not base64".to_owned()))?;
        let mut signature = self.scheme("").sign(&key, &signed);
        if self.writing == Writing::UpperHex {
            signature = signature.to_ascii_uppercase();
        }
        let mut headers = vec![json_content(), header(&self.header(), signature)?];
        for name in self.covered() {
            headers.push(header(&HeaderName::from_static(name), of_header(name).unwrap_or(id))?);
        }
        Ok(headers.into())
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        let names = std::iter::once(self.header).chain(self.covered());
        names.map(HeaderName::from_static).collect()
    }

    fn digest(&self, request: &Verified<'_>, _options: &Options) -> Identity {
        let of_header = |name| headers::one(request.headers(), &HeaderName::from_static(name));
        let signed = self.signed(request.body(), of_header);
        Identity::of_bytes(&signed.unwrap_or_else(|_| vec![request.body()]))
    }

    fn sample_secret(&self) -> Secret {
        match self.key {
            Key::Text => crate::providers::sample_secret(),
            Key::Base64 => Secret::new("QSBzYW1wbGUgc2VjcmV0IHRoYXQgcHJvdmVzIG5vdGhpbmc="),
        }
    }
}

impl Mac {
    /// The headers that the signature covers.
    fn covered(&self) -> impl Iterator<Item = &'static str> {
        self.signs.iter().filter_map(|part| match part {
            Part::Header(name) => Some(*name),
            Part::Body | Part::Text(_) => None,
        })
    }
}
