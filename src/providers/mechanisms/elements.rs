//! A time and signatures in one header: `t=<seconds>,v1=<hex>,v1=<hex>`.
//!
//! Elements with other names are ignored, so that a sender can introduce new schemes. The time must
//! occur exactly once.

use std::time::Duration;

use http::HeaderName;
use jiff::Timestamp;

use crate::authenticate::hmac::{self, Algorithm, Encoding, MOST_SIGNATURES, mac};
use crate::authenticate::timestamp::{self, Unit};
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::Secret;
use crate::providers::mechanisms::Mechanism;
use crate::providers::{
    Identity, Options, Outgoing, SignFault, Signed, Verification, header, json_content,
};

/// A time and signatures in one header.
#[derive(Clone, Copy)]
pub(in crate::providers) struct Elements {
    /// The header, in lower case.
    pub(in crate::providers) header: &'static str,
    /// The name of the elements that are signatures.
    pub(in crate::providers) version: &'static str,
    /// The hash.
    pub(in crate::providers) algorithm: Algorithm,
    /// The encoding of signatures.
    pub(in crate::providers) encoding: Encoding,
    /// The signed text between the time and the body.
    pub(in crate::providers) between: &'static str,
    /// How far the time may differ from the gateway's clock, unless the source sets a tolerance.
    pub(in crate::providers) tolerance: Duration,
}

/// The elements of such a header.
pub(in crate::providers) struct Given<'h> {
    /// The time.
    pub(in crate::providers) time: &'h str,
    elements: Vec<(&'h str, &'h str)>,
}

impl<'h> Given<'h> {
    /// Reads a header's text. An error names the format that was expected.
    pub(in crate::providers) fn read(name: &HeaderName, value: &'h str) -> Result<Self, Refusal> {
        let fault = |expected| Refusal::MalformedHeader { header: name.clone(), expected };
        let elements: Vec<_> = value
            .split(',')
            .take(MOST_SIGNATURES + 3)
            .filter_map(|element| element.trim().split_once('='))
            .collect();
        if elements.len() > MOST_SIGNATURES + 2 {
            return Err(fault("a list of at most 32 signatures"));
        }
        let mut times = elements.iter().filter(|(name, _)| *name == "t");
        match (times.next(), times.next()) {
            (Some((_, time)), None) => Ok(Self { time, elements }),
            _ => Err(fault("a list with one time `t=…` and signatures")),
        }
    }

    /// The texts of the elements that have this name.
    pub(in crate::providers) fn named(&self, name: &str) -> impl Iterator<Item = &'h str> {
        self.elements.iter().filter(move |(key, _)| *key == name).map(|(_, text)| *text)
    }

    /// The signatures of one version. There must be at least one.
    pub(in crate::providers) fn signatures(
        &self,
        name: &HeaderName,
        version: &str,
        encoding: Encoding,
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        let given: Vec<_> = self
            .named(version)
            .filter_map(|text| encoding.decode(text).filter(|bytes| !bytes.is_empty()))
            .collect();
        if given.is_empty() {
            let expected = "a list with a signature of the version that is asked for";
            return Err(Refusal::MalformedHeader { header: name.clone(), expected });
        }
        Ok(given)
    }
}

impl Elements {
    /// `t=…,v1=<hex>` with HMAC-SHA-256 of `{t}.{body}`; a base for senders that differ in some field.
    pub(in crate::providers) const fn sha256(header: &'static str) -> Self {
        Self {
            header,
            version: "v1",
            algorithm: Algorithm::Sha256,
            encoding: Encoding::Hex,
            between: ".",
            tolerance: timestamp::DEFAULT_TOLERANCE,
        }
    }

    fn name(&self) -> HeaderName {
        HeaderName::from_static(self.header)
    }

    fn signed<'a>(&self, time: &'a str, body: &'a [u8]) -> [&'a [u8]; 3] {
        [time.as_bytes(), self.between.as_bytes(), body]
    }
}

impl Mechanism for Elements {
    fn takes(&self) -> &'static [&'static str] {
        &["tolerance"]
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let name = self.name();
        let given = Given::read(&name, headers::one(request.headers, &name)?)?;
        timestamp::readable(&name, given.time, Unit::Seconds)?;
        let signatures = given.signatures(&name, self.version, self.encoding)?;
        let signed = self.signed(given.time, request.body);
        let secrets = verification.secrets.iter().enumerate();
        let proof = hmac::verify(self.algorithm, secrets, &signed, &signatures)?;
        let tolerance = verification.options.tolerance.unwrap_or(self.tolerance);
        timestamp::check(&name, given.time, Unit::Seconds, tolerance, verification.now)?;
        Ok(proof)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        _id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let time = Unit::Seconds.write(now);
        let digest = mac(self.algorithm, secret.expose(), &self.signed(&time, outgoing.body));
        let value = format!("t={time},{}={}", self.version, self.encoding.encode(&digest));
        Ok(vec![json_content(), header(&self.name(), value)?].into())
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![self.name()]
    }

    /// The sender signs a new time each time it sends a delivery, so the digest leaves the time out.
    fn digest(&self, request: &Verified<'_>, _options: &Options) -> Identity {
        Identity::of_bytes(&[request.body()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_element_by_element() {
        let name = HeaderName::from_static("x-signature");
        let given = Given::read(&name, "t=12, v1=aa,v0=bb,v1=cc,junk").expect("good");
        assert_eq!(given.time, "12");
        assert_eq!(given.named("v1").collect::<Vec<_>>(), ["aa", "cc"]);
        let signatures = given.signatures(&name, "v1", Encoding::Hex).expect("two");
        assert_eq!(signatures, [vec![0xaa], vec![0xcc]]);
    }

    #[test]
    fn a_time_that_is_missing_or_repeated_and_too_many_signatures_are_refused() {
        let name = HeaderName::from_static("x-signature");
        let many = format!("t=1{}", ",v1=aa".repeat(40));
        for value in ["v1=aa", "t=1,t=2,v1=aa", "", &many] {
            assert!(Given::read(&name, value).is_err(), "{value}");
        }
        let none = Given::read(&name, "t=1,v0=aa").expect("a time");
        assert!(none.signatures(&name, "v1", Encoding::Hex).is_err());
    }
}
