//! Tokens that an issuer signs (JWT). With one, a CI job or a service proves who it is without a secret
//! that it shares with the gateway. The body and the token's claims describe the event.
//!
//! Unless `payload_hash` is set, the token proves nothing about the body: whoever can read one request
//! can send another body with its token until the token expires.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::authenticate::jwt::{self, Algorithm, Keys, Rules};
use crate::authenticate::keys::KeySet;
use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::clock::later;
use crate::model::{GitFacts, Secret, Value};
use crate::providers::generic::{Preset, configured};
use crate::providers::{
    About, DecodeFault, Decoded, Group, Identity, KeyForm, KeyPlace, Meaning, Options, Outgoing,
    Proven, Provider, Published, SECRET_HINT, SecretUse, SignFault, Signed, Verification, Wanted,
    decode, filled, header, samples,
};

/// Shortest shared secret, in bytes: HMAC-SHA-256 needs a key at least as long as its output
/// (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;
/// How long a sample token is valid.
const SAMPLE_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Any sender with a signed token.
pub(in crate::providers) struct Jwt;

impl Provider for Jwt {
    fn name(&self) -> &'static str {
        "jwt"
    }

    fn title(&self) -> &'static str {
        "Any sender with a signed token (JWT)"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn takes(&self) -> &'static [&'static str] {
        &[
            "preset",
            "issuer",
            "audience",
            "algorithms",
            "jwks_url",
            "ca_file",
            "proxy",
            "required_claims",
            "payload_hash",
            "body",
            "tolerance",
            "header",
            "prefix",
            "event",
            "action",
            "each",
            "delivery_id",
        ]
    }

    fn lacks(&self, options: &Options) -> Vec<String> {
        let issuer = issuer(options);
        let algorithms = algorithms(options);
        let shared = algorithms.iter().filter(|algorithm| algorithm.is_shared()).count();
        let fetches = jwks_url(options).is_some();
        let rules = [
            (issuer.is_empty(), "provider `jwt` needs `issuer`, the claim `iss` of its tokens"),
            (
                options.audience.is_empty(),
                "provider `jwt` needs `audience`, the claim `aud` of tokens that are meant for this gateway",
            ),
            (
                algorithms.is_empty(),
                "provider `jwt` needs `algorithms`, such as [RS256], unless a `preset` says them",
            ),
            (
                shared != 0 && shared != algorithms.len(),
                "`algorithms` has some for a shared secret (HS…) and some for public keys; a source has one kind",
            ),
            (
                shared != 0 && fetches,
                "`algorithms` are for a shared secret (HS…), and nobody publishes one; remove the address of the keys",
            ),
            (
                !fetches && options.ca_file.is_some(),
                "`ca_file` is of no use where no keys are fetched",
            ),
            (!fetches && options.proxy.is_some(), "`proxy` is of no use where no keys are fetched"),
        ];
        let broken = rules.into_iter().filter(|(broken, _)| *broken);
        let faults = broken.map(|(_, fault)| fault.to_owned());
        faults.chain(strangers(options, &issuer)).collect()
    }

    fn secret_use(&self, options: &Options) -> SecretUse {
        if jwks_url(options).is_some() { SecretUse::None } else { SecretUse::Required }
    }

    fn secret_hint(&self, options: &Options) -> &'static str {
        match algorithms(options).iter().any(|algorithm| algorithm.is_shared()) {
            true => SECRET_HINT,
            false => {
                "set `jwks_url`, where the issuer publishes its keys, or put its public keys into \
                 a file: `secrets: [{ file: keys.json }]`"
            }
        }
    }

    fn check_secret(&self, secret: &Secret, options: &Options) -> Result<(), String> {
        filled(secret)?;
        if !algorithms(options).iter().any(|algorithm| algorithm.is_shared()) {
            return KeySet::from_text(secret.expose())
                .map(drop)
                .map_err(|fault| format!("is not the issuer's public key: {fault}"));
        }
        match secret.expose() {
            bytes if KeySet::looks_public(bytes) => {
                Err("is a public key, which is no shared secret".to_owned())
            }
            bytes if bytes.len() < SHORTEST_SECRET => {
                Err(format!("is shorter than {SHORTEST_SECRET} bytes"))
            }
            _ => Ok(()),
        }
    }

    fn publishes(&self, options: &Options) -> Option<KeyPlace> {
        Some(KeyPlace {
            url: jwks_url(options)?.into(),
            form: KeyForm::Jwks,
            chosen_by_request: false,
            ca_file: options.ca_file.clone(),
            proxy: options.proxy.as_deref().map(Into::into),
        })
    }

    fn wanted(&self, request: &Unverified<'_>, options: &Options) -> Option<Wanted> {
        let place = self.publishes(options)?;
        let key = Settings::of(options).key_name(request.headers, options)?;
        Some(Wanted { place, key })
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let options = verification.options;
        configured::unambiguous(request.headers, options)?;
        let settings = Settings::of(options);
        let keys = match jwks_url(options) {
            Some(url) => Keys::Published(verification.keys_of(&url)?),
            None => Keys::Configured(verification.secrets),
        };
        jwt::verify(request, &settings.rules(options), keys, verification.now)
    }

    fn own_secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        options.header.iter().cloned().collect()
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        vec![options.header.clone().unwrap_or(AUTHORIZATION)]
    }

    fn signs_body(&self, options: &Options) -> bool {
        options.payload_hash
    }

    fn decode(&self, headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        decode::json_or_form(headers, body).map(Into::into)
    }

    fn decode_as(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        options: &Options,
    ) -> Result<Decoded, DecodeFault> {
        decode::in_form(headers, body, options.body).map(Into::into)
    }

    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        Ok(configured::meaning(headers, body, options))
    }

    fn meanings(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Vec<Meaning>, DecodeFault> {
        configured::meanings(headers, body, options)
    }

    /// The configured id, else the digest of claims and body. The same body with the same token is a
    /// repeat; two bodies with one token are two deliveries. The claim `jti` is not used, since a
    /// whole job often has only one.
    fn identity(&self, request: &Verified<'_>, body: &Value, options: &Options) -> Identity {
        configured::given_id(request.headers(), body, options).unwrap_or_else(|| {
            let mut claims = String::new();
            // Writing to a string cannot fail.
            let _ = request.proof().claims().write_json(&mut claims);
            let key = Identity::of_bytes(&[claims.as_bytes(), b"\n", request.body()]).key();
            match expiry(request.proof().claims()) {
                // The same request would be believed again until then.
                Some(expiry) => Identity::Token { key, until: later(expiry, options.tolerance()) },
                None => Identity::Digest(key),
            }
        })
    }

    fn tells_git(&self, options: &Options) -> bool {
        options.preset.is_some_and(Preset::tells_git)
    }

    fn tells_claims(&self) -> bool {
        true
    }

    fn claimed_git_facts(&self, claims: &Value, options: &Options) -> Option<GitFacts> {
        options.preset?.git_facts(claims)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let settings = Settings::of(options);
        let algorithm = settings.algorithms.first().copied();
        let algorithm = algorithm.ok_or(SignFault::Misconfigured("`algorithms`"))?;
        let claims = sample_claims(&settings, outgoing, options, id, now);
        let token = jwt::sign(algorithm, &claims, secret).map_err(|_| {
            SignFault::Secret(format!("does not sign {algorithm}; only the issuer's own key does"))
        })?;
        let mut headers = configured::naming(outgoing, options, id)?;
        let value = format!("{}{token}", settings.prefix);
        headers.push(header(&settings.header, value)?);
        Ok(headers.into())
    }

    fn sample_secret(&self) -> Secret {
        samples::public_key()
    }

    fn sample_signer(&self) -> Secret {
        samples::private_key()
    }

    fn sample_published(&self, options: &Options) -> Option<Published> {
        samples::published(&jwks_url(options)?)
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(configured::SAMPLE)
    }
}

/// The settings that result from a source's options, its preset and the defaults.
struct Settings<'o> {
    header: HeaderName,
    prefix: &'o str,
    issuer: Cow<'o, str>,
    algorithms: &'o [Algorithm],
}

impl<'o> Settings<'o> {
    fn of(options: &'o Options) -> Self {
        let header = options.header.clone().unwrap_or(AUTHORIZATION);
        let usual = if header == AUTHORIZATION { "Bearer " } else { "" };
        Self {
            prefix: options.prefix.as_deref().unwrap_or(usual),
            header,
            issuer: issuer(options),
            algorithms: algorithms(options),
        }
    }

    fn rules<'a>(&'a self, options: &'a Options) -> Rules<'a> {
        Rules {
            header: &self.header,
            prefix: self.prefix,
            algorithms: self.algorithms,
            issuer: &self.issuer,
            audience: &options.audience,
            required: &options.required_claims,
            payload_hash: options.payload_hash,
            tolerance: options.tolerance.unwrap_or(jwt::DEFAULT_TOLERANCE),
        }
    }

    fn key_name(&self, headers: &HeaderMap, options: &Options) -> Option<Option<String>> {
        jwt::key_name(headers, &self.rules(options))
    }
}

/// When the token expires. Proven tokens have such a time; a delivery that is judged again may have none.
fn expiry(claims: &Value) -> Option<Timestamp> {
    let seconds = match claims.get("exp")? {
        Value::Int(seconds) => *seconds,
        Value::Double(number) if number.value().is_finite() => number.value().ceil() as i64,
        _ => return None,
    };
    Timestamp::from_second(seconds).ok()
}

fn issuer(options: &Options) -> Cow<'_, str> {
    let preset = options.preset.and_then(|preset| preset.issuer());
    options.issuer.as_deref().or(preset).unwrap_or_default().into()
}

fn algorithms(options: &Options) -> &[Algorithm] {
    match options.preset {
        Some(preset) if options.algorithms.is_empty() => preset.algorithms(),
        _ => &options.algorithms,
    }
}

/// The address from which the keys are fetched; none where they are in `secrets`.
fn jwks_url(options: &Options) -> Option<String> {
    let of_preset = || options.preset?.jwks_url(&issuer(options));
    options.jwks_url.clone().or_else(of_preset)
}

/// Values that the claims of unknown people might have. A required claim that accepts one of them keeps
/// nobody out.
const STRANGERS: &[&str] = &[
    "zz-nobody",
    "zz-nobody/zz-nobody",
    "zz-nobody/zz-nobody/.github/workflows/zz.yml@refs/heads/zz",
    "repo:zz-nobody/zz-nobody:ref:refs/heads/zz-nobody",
    "repo:zz-nobody/zz-nobody:environment:zz-nobody",
    "project_path:zz-nobody/zz-nobody:ref_type:branch:ref:zz-nobody",
    "zz-nobody@example.invalid",
    "example.invalid",
    "999999999999999999",
];

/// A fault where the source would accept everyone to whom a public issuer gives tokens.
fn strangers(options: &Options, issuer: &str) -> Option<String> {
    let preset = options.preset?;
    let telling = preset.telling_claims(issuer);
    let asked = telling.iter().any(|name| options.required_claims.keeps_out(name, STRANGERS));
    (!asked && !telling.is_empty()).then(|| {
        format!(
            "`preset` {preset} needs `required_claims` that keep strangers out, with one of {}: its issuer signs tokens for everyone in the world",
            telling.join(", ")
        )
    })
}

/// The claims of a sample token. They meet the source's rules, except for required claims whose patterns
/// are not literal values.
fn sample_claims(
    settings: &Settings<'_>,
    outgoing: &Outgoing<'_>,
    options: &Options,
    id: &str,
    now: Timestamp,
) -> Value {
    let seconds = now.as_second();
    let audience = options.audience.first().cloned().unwrap_or_default();
    let mut claims: Vec<(&str, Value)> = vec![
        ("iss", Value::text(&*settings.issuer)),
        ("aud", Value::text(audience)),
        ("sub", Value::text("sample")),
        ("jti", Value::text(id)),
        ("iat", seconds.into()),
        ("nbf", seconds.into()),
        ("exp", (seconds + SAMPLE_LIFE.as_secs()).into()),
    ];
    let examples = options.required_claims.examples();
    claims.extend(examples.filter_map(|(name, text)| Some((name, Value::text(text?)))));
    if options.payload_hash {
        let hash = hex::encode(Sha256::digest(outgoing.body));
        claims.push(("payload_hash", Value::text(hash)));
    }
    Value::map(claims)
}

static ABOUT: About = About {
    group: Group::Generic,
    setup: &[
        "GitHub Actions: give the job `permissions: { id-token: write }`, ask for a token with the source's `audience`, and send it as `Authorization: Bearer`. GitLab CI: name the token and its `aud` under `id_tokens:` of the job.",
        "Kubernetes: mount a projected service account token with that audience; set `preset: kubernetes`, the cluster's `issuer`, and `jwks_url`, or put what `kubectl get --raw /openid/v1/jwks` prints into a file and name it under `secrets`.",
        "Any other issuer: set `issuer`, `audience` and `algorithms`, and either `jwks_url` or, under `secrets`, the issuer's public keys (PEM or a JSON Web Key Set) or the shared secret of HS256.",
    ],
    source: "provider: jwt\npreset: github-actions\naudience: [https://hooks.example.com]\nrequired_claims: { repository_owner: acme }",
    carries: "The kind is where `event` says, else `event`. The delivery's id is where `delivery_id` says; without that, the digest of the token's claims and the body: the same body sent again with the same token is a repeat. `each` and `action` are as for `token`. The token is signed, the body is not, unless the sender puts its SHA-256 into the claim `payload_hash` and the source asks for that with `payload_hash: true`. Nothing is retried unless the job does it (`curl --retry 5 --retry-all-errors`).",
    yields: "The token's claims, as `on: { claims: … }` and `claims` in expressions; with the presets github-actions and gitlab repository, branch or tag, commit and author from them.",
    proven: Proven::Documented,
    sources: &[
        "RFC 7515, 7517, 7518, 7519, 8725",
        "https://docs.github.com/actions/reference/security/oidc",
        "https://docs.gitlab.com/ci/secrets/id_token_authentication/",
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
        "https://developers.google.com/identity/openid-connect/openid-connect",
    ],
};
