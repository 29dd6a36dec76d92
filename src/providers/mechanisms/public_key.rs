//! An Ed25519 signature in hex over the time and the body. The gateway has only the public key.

use std::time::Duration;

use http::HeaderName;
use jiff::Timestamp;

use crate::authenticate::ed25519;
use crate::authenticate::hmac::Encoding;
use crate::authenticate::timestamp::{self, Unit};
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::Secret;
use crate::providers::mechanisms::Mechanism;
use crate::providers::{
    Identity, Options, Outgoing, SignFault, Signed, Verification, header, json_content,
};

/// The headers of the signature and of the time that it covers. A source's secrets are public keys in
/// hex.
pub(in crate::providers) struct PublicKey {
    /// The header of the signature, in lower case.
    pub(in crate::providers) header: &'static str,
    /// The header of the time, in seconds.
    pub(in crate::providers) time: &'static str,
    /// How far the time may differ from the gateway's clock, unless the source sets a tolerance.
    pub(in crate::providers) tolerance: Duration,
}

/// The public key to [`SAMPLE_SEED`].
const SAMPLE: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
/// The seed of a sample private key: the bytes from 0 to 31. Every copy of the program contains it, so
/// it proves nothing.
const SAMPLE_SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

impl PublicKey {
    fn names(&self) -> [HeaderName; 2] {
        [HeaderName::from_static(self.header), HeaderName::from_static(self.time)]
    }
}

fn bytes(secret: &Secret) -> Option<Vec<u8>> {
    Encoding::Hex.decode(str::from_utf8(secret.expose()).ok()?)
}

impl Mechanism for PublicKey {
    fn takes(&self) -> &'static [&'static str] {
        &["tolerance"]
    }

    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        let bytes = bytes(secret).ok_or("is not hexadecimal; give the public key")?;
        match bytes.len() {
            32 if ed25519::public_key(&bytes).is_some() => Ok(()),
            32 => Err("is no public key, or one that proves nothing".to_owned()),
            _ => Err("is no public key, which has 64 hexadecimal digits".to_owned()),
        }
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let [name, time_name] = self.names();
        let given = headers::one(request.headers, &name)?;
        let time = headers::one(request.headers, &time_name)?;
        timestamp::readable(&time_name, time, Unit::Seconds)?;
        let signature = Encoding::Hex.decode(given).filter(|bytes| bytes.len() == 64);
        let signature = signature.ok_or_else(|| Refusal::MalformedHeader {
            header: name,
            expected: "a signature of 128 hexadecimal digits",
        })?;
        let keys: Vec<Option<Secret>> =
            verification.secrets.iter().map(|secret| bytes(secret).map(Secret::new)).collect();
        let keys = keys.iter().enumerate().filter_map(|(index, key)| Some((index, key.as_ref()?)));
        let message = [time.as_bytes(), request.body].concat();
        let proof = ed25519::verify(keys, &message, &signature)?;
        let tolerance = verification.options.tolerance.unwrap_or(self.tolerance);
        timestamp::check(&time_name, time, Unit::Seconds, tolerance, verification.now)?;
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
        let [name, time_name] = self.names();
        let time = Unit::Seconds.write(now);
        let message = [time.as_bytes(), outgoing.body].concat();
        let key = bytes(secret).map(Secret::new);
        let signature = key.and_then(|key| ed25519::sign(&key, &message)).ok_or_else(|| {
            let why =
                "is not a private key in hex (seed, then public key), which only the sender has";
            SignFault::Secret(why.to_owned())
        })?;
        let signature = Encoding::Hex.encode(&signature);
        Ok(vec![json_content(), header(&name, signature)?, header(&time_name, time)?].into())
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        self.names().to_vec()
    }

    fn digest(&self, request: &Verified<'_>, _options: &Options) -> Identity {
        Identity::of_bytes(&[request.body()])
    }

    fn sample_secret(&self) -> Secret {
        Secret::new(SAMPLE)
    }

    fn sample_signer(&self) -> Secret {
        Secret::new(format!("{SAMPLE_SEED}{SAMPLE}"))
    }
}
