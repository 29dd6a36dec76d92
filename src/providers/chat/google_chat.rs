//! Google Chat. Every request carries a token that Google signed for the app. The app's settings decide
//! which: one by Google Chat's own account with the project's number as the audience, or an ID token with
//! the endpoint's address as the audience.
//!
//! The token proves nothing about the body.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::jwt::{self, Algorithm, Keys, Rules};
use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::{ChatCommand, Claims, Patterns, Secret, Value};
use crate::providers::chat::field;
use crate::providers::{
    About, DecodeFault, Decoded, Group, Identity, KeyForm, KeyPlace, Meaning, Options, Outgoing,
    Proven, Provider, Published, SecretUse, SignFault, Signed, UNNAMED, Verification, Wanted,
    decode, header, json_content, samples,
};

/// The account with which Google Chat sends.
const ACCOUNT: &str = "chat@system.gserviceaccount.com";
/// The address of that account's certificates.
const CERTIFICATES: &str =
    "https://www.googleapis.com/service_accounts/v1/metadata/x509/chat@system.gserviceaccount.com";
/// The issuer of ID tokens.
const GOOGLE: &str = "https://accounts.google.com";
/// The address of that issuer's keys.
const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

const ALGORITHMS: &[Algorithm] = &[Algorithm::Rs256];
const SAMPLE: &str = include_str!("../samples/google-chat.json");

/// The claims that ID tokens must have, since Google signs ID tokens for every account. It is built at
/// its first use, since patterns cannot be parsed at compile time.
static FROM_CHAT: LazyLock<Claims> = LazyLock::new(|| {
    let literal = |text: &str| Patterns::parse(&[text.to_owned()]).expect("a literal is a pattern");
    Claims::new(vec![
        ("email".into(), literal(ACCOUNT)),
        ("email_verified".into(), literal("true")),
    ])
});
/// No required claims. It is static since rules borrow it.
static NOTHING: LazyLock<Claims> = LazyLock::new(Claims::default);

/// Google Chat.
pub(in crate::providers) struct GoogleChat;

impl Provider for GoogleChat {
    fn name(&self) -> &'static str {
        "google-chat"
    }

    fn title(&self) -> &'static str {
        "Google Chat"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn takes(&self) -> &'static [&'static str] {
        &["audience", "proxy", "ca_file", "tolerance"]
    }

    fn lacks(&self, options: &Options) -> Vec<String> {
        match options.audience.as_slice() {
            [one] if is_project(one) || one.starts_with("https://") => Vec::new(),
            _ => vec![
                "provider `google-chat` needs one `audience`: the number of the app's project, or the endpoint's address as it is set in the app".to_owned(),
            ],
        }
    }

    fn tells_claims(&self) -> bool {
        true
    }

    fn secret_use(&self, _options: &Options) -> SecretUse {
        SecretUse::None
    }

    fn publishes(&self, options: &Options) -> Option<KeyPlace> {
        let (url, form) = if by_project(options) {
            (CERTIFICATES, KeyForm::Certificates)
        } else {
            (GOOGLE_KEYS, KeyForm::Jwks)
        };
        Some(KeyPlace {
            url: url.into(),
            form,
            chosen_by_request: false,
            ca_file: options.ca_file.clone(),
            proxy: options.proxy.as_deref().map(Into::into),
        })
    }

    fn wanted(&self, request: &Unverified<'_>, options: &Options) -> Option<Wanted> {
        let key = jwt::key_name(request.headers, &rules(options))?;
        Some(Wanted { place: self.publishes(options)?, key })
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let url = if by_project(verification.options) { CERTIFICATES } else { GOOGLE_KEYS };
        let keys = Keys::Published(verification.keys_of(url)?);
        jwt::verify(request, &rules(verification.options), keys, verification.now)
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![AUTHORIZATION]
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }

    fn decode(&self, _headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        let body = decode::json(body)?;
        Ok(Decoded { command: act(&body), body })
    }

    fn tells_people(&self) -> bool {
        true
    }

    fn meaning(
        &self,
        _headers: &HeaderMap,
        body: &Value,
        _options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        let name = body.get("type").and_then(Value::as_arc_str).cloned();
        let kind = name.as_deref().map_or_else(|| UNNAMED.to_owned(), str::to_lowercase);
        Ok(Meaning { kind: kind.into(), name, action: None, handshake: None })
    }

    /// The digest of the body. Events carry the time at which they happened, so different events have
    /// different bodies.
    fn identity(&self, request: &Verified<'_>, _body: &Value, _options: &Options) -> Identity {
        Identity::of_bytes(&[request.body()])
    }

    fn sign(
        &self,
        _outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let rules = rules(options);
        let audience = rules.audience.first().ok_or(SignFault::Misconfigured("`audience`"))?;
        let seconds = now.as_second();
        let claims = Value::map(vec![
            ("iss", Value::text(rules.issuer)),
            ("aud", Value::text(audience.as_str())),
            ("email", Value::text(ACCOUNT)),
            ("email_verified", true.into()),
            ("jti", Value::text(id)),
            ("iat", seconds.into()),
            ("exp", (seconds + 3600).into()),
        ]);
        let token = jwt::sign(Algorithm::Rs256, &claims, secret)
            .map_err(|_| SignFault::Secret("is not Google's private key".to_owned()))?;
        Ok(vec![json_content(), header(&AUTHORIZATION, format!("Bearer {token}"))?].into())
    }

    fn sample_secret(&self) -> Secret {
        samples::public_key()
    }

    fn sample_signer(&self) -> Secret {
        samples::private_key()
    }

    fn sample_published(&self, options: &Options) -> Option<Published> {
        samples::published(&self.publishes(options)?.url)
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(SAMPLE)
    }

    fn sample_kind(&self) -> &'static str {
        "message"
    }
}

/// Who did it and in which space. An add-on has the same under `chat`, and the space under what happened.
fn act(body: &Value) -> Option<ChatCommand> {
    const HAPPENED: [&str; 4] =
        ["messagePayload", "buttonClickedPayload", "appCommandPayload", "addedToSpacePayload"];
    let chat = body.get("chat").unwrap_or(body);
    let places = HAPPENED.into_iter().filter_map(|name| chat.get(name));
    let space = std::iter::once(chat).chain(places).find_map(|place| place.get("space"));
    let of_space = |name: &str| field(space?, &[name]);
    Some(ChatCommand {
        user_name: field(chat, &["user", "displayName"]),
        channel_name: of_space("displayName"),
        ..ChatCommand::act(field(chat, &["user", "name"]), of_space("name"), None)?
    })
}

fn is_project(audience: &str) -> bool {
    !audience.is_empty() && audience.bytes().all(|byte| byte.is_ascii_digit())
}

fn by_project(options: &Options) -> bool {
    options.audience.first().is_some_and(|audience| is_project(audience))
}

fn rules(options: &Options) -> Rules<'_> {
    let (issuer, required) =
        if by_project(options) { (ACCOUNT, &*NOTHING) } else { (GOOGLE, &*FROM_CHAT) };
    Rules {
        header: &AUTHORIZATION,
        prefix: "Bearer ",
        algorithms: ALGORITHMS,
        issuer,
        audience: &options.audience,
        required,
        payload_hash: false,
        tolerance: options.tolerance.unwrap_or(jwt::DEFAULT_TOLERANCE),
    }
}

static ABOUT: About = About {
    group: Group::Chat,
    setup: &[
        "In the Google Cloud console open the project's Google Chat API, Configuration, and under Connection settings choose HTTP endpoint URL and enter the source's address.",
        "Under Authentication Audience choose Project Number and set that number as `audience`, or choose HTTP endpoint URL and set that same address.",
    ],
    source: "provider: google-chat\naudience: [\"1234567890\"]",
    carries: "The kind is the body's `type` in lower case (`message`, `added_to_space`, …). The delivery's id is the digest of the body, which holds the event's time. Google's token is checked (issuer, audience, expiry); the body is not signed.",
    yields: "The token's claims; `user` (`users/…`) and `channel` (the space, `spaces/…`) of the body, which is not signed.",
    proven: Proven::Documented,
    sources: &["https://developers.google.com/workspace/chat/verify-requests-from-chat"],
};
