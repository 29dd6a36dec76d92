//! Segment's webhook destination, with HMAC-SHA-1.
//!
//! In a batch, Segment signs only the first event. The gateway ignores the other events, since anyone
//! could have written them. So batching should be switched off at Segment.

use http::HeaderName;
use jiff::Timestamp;

use crate::authenticate::hmac::Algorithm;
use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::Secret;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Body, Sender};
use crate::providers::mechanisms::{Mac, Mechanism};
use crate::providers::{Identity, Options, Outgoing, SignFault, Signed, Verification};

static SIGNATURE: Mac = Mac { algorithm: Algorithm::Sha1, ..Mac::sha256("x-signature") };

/// Segment.
pub(in crate::providers) static SEGMENT: Sender = Sender {
    body: Body::Cut(signed),
    event: &[At::Field(&["type"])],
    action: &[At::Field(&["event"])],
    id: &[At::Field(&["messageId"])],
    samples: &[("track", include_str!("../samples/segment.json"))],
    ..Sender::new("segment", "Segment", &ABOUT, &FirstOnly)
};

/// A signature of the body, or of the first event of a batch.
struct FirstOnly;

impl Mechanism for FirstOnly {
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let body = &request.body.slice_ref(signed(request.body));
        SIGNATURE.authenticate(&Unverified { body, ..*request }, verification)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let outgoing = Outgoing { body: signed(outgoing.body), ..*outgoing };
        SIGNATURE.sign(&outgoing, secret, options, id, now)
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        SIGNATURE.signed_headers(options)
    }

    fn digest(&self, request: &Verified<'_>, _options: &Options) -> Identity {
        Identity::of_bytes(&[signed(request.body())])
    }
}

/// The part of the body that the signature covers: the whole body, or the bytes of a list's first element.
/// The body may be anything, since the signature is checked over the part that is returned here.
fn signed(body: &[u8]) -> &[u8] {
    let Some(list) = body.trim_ascii_start().strip_prefix(b"[") else {
        return body;
    };
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, byte) in list.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b',' | b']' if depth == 0 => return list[..at].trim_ascii(),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    body
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In the workspace: Connections > Destinations > Webhooks (Actions).",
        "Webhook URL `https://HOST/hooks/segment` and a shared secret; switch batching off, since \
         Segment signs only the first event of a batch.",
    ],
    source: "provider: segment\nsecrets: [{ env: SEGMENT_SHARED_SECRET }]",
    carries: "The kind is the body's `type` (`track`, `identify`, …), the action its `event`, the \
              delivery's id `messageId`. The body is signed; of a batch only the first event, and \
              only that one is read.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["segmentio/segment-docs, connections/destinations/catalog/actions-webhook"],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_event_of_a_batch_is_signed() {
        for (body, first) in [
            (&br#"{"a":1}"#[..], &br#"{"a":1}"#[..]),
            (br#"[{"a":"],\""},{"b":2}]"#, br#"{"a":"],\""}"#),
            (b" [ {} ]", b"{}"),
            (b"[[1,2],3]", b"[1,2]"),
            (b"[]", b""),
            (b"[{", b"[{"),
            (b"", b""),
        ] {
            assert_eq!(signed(body), first, "{}", String::from_utf8_lossy(body));
        }
    }
}
