//! The credential of a request. This is the only place where an API key is put into a request.
//!
//! Whatever is made of the key here is wiped from memory when the request is dropped. The HTTP library writes the head
//! into a buffer of its own, which it frees without wiping it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use zeroize::Zeroizing;

use super::NotSent;
use crate::model::Secret;

/// A key, and how it is sent. It has no `Display`, and its `Debug` does not show the key.
#[derive(Clone, Debug)]
pub(super) enum Credential {
    /// The key as the user name of Basic authentication (RFC 7617), with an empty password.
    Basic(Secret),
    /// The key as a bearer token (RFC 6750).
    #[cfg_attr(not(test), expect(dead_code, reason = "only the API v2 takes bearer tokens"))]
    Bearer(Secret),
}

impl Credential {
    /// Adds the credential to a request, marked as sensitive so that no layer of the client prints it.
    pub(super) fn apply(&self, request: RequestBuilder) -> Result<RequestBuilder, NotSent> {
        let text = std::str::from_utf8(self.key().expose());
        let key = text.map_err(|_| unusable("the API key is not text (UTF-8)"))?;
        match self {
            Self::Basic(_) => {
                // An empty password follows the colon.
                let pair = joined(&[key.as_bytes(), b":"]);
                let mut text = Zeroizing::new(vec![0; pair.len().div_ceil(3) * 4]);
                let encoded = STANDARD.encode_slice(&pair, &mut text);
                encoded.map_err(|_| unusable("the API key is too long"))?;
                Ok(request.header(AUTHORIZATION, value(joined(&[b"Basic ", &text[..]]))?))
            }
            Self::Bearer(_) => {
                let value = value(joined(&[b"Bearer ", key.as_bytes()]))?;
                Ok(request.header(AUTHORIZATION, value))
            }
        }
    }

    /// The key itself, so that it can be found and removed in replies.
    pub(super) fn key(&self) -> &Secret {
        match self {
            Self::Basic(key) | Self::Bearer(key) => key,
        }
    }
}

/// The parts as one text, in a buffer that is never moved: a buffer that grows leaves copies behind.
fn joined(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| text.extend_from_slice(part));
    text
}

/// A header's value that nobody prints, and that is wiped when the last of its clones is dropped.
fn value(text: Zeroizing<Vec<u8>>) -> Result<HeaderValue, NotSent> {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text))
        .map_err(|_| unusable("the API key has a character that a bearer token cannot have"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unusable(why: &str) -> NotSent {
    NotSent::Credential(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::tests::choose_cryptography;

    const KEY: &str = "uysgxtj7jzkps96njextnxxmq05usp0b";

    fn apply(credential: &Credential) -> Result<RequestBuilder, NotSent> {
        choose_cryptography();
        credential.apply(reqwest::Client::new().get("http://127.0.0.1/"))
    }

    fn request(credential: &Credential) -> reqwest::Request {
        apply(credential).expect("a usable key").build().expect("a request")
    }

    #[test]
    fn a_basic_credential_sends_the_key_as_the_user_without_a_password() {
        let request = request(&Credential::Basic(Secret::new(KEY)));
        // The example of the vendor's page.
        let wanted = "Basic dXlzZ3h0ajdqemtwczk2bmpleHRueHhtcTA1dXNwMGI6";
        assert_eq!(request.headers()[AUTHORIZATION], wanted);
    }

    #[test]
    fn a_bearer_credential_sends_the_key_as_a_token() {
        let request = request(&Credential::Bearer(Secret::new(KEY)));
        assert_eq!(request.headers()[AUTHORIZATION], format!("Bearer {KEY}"));
    }

    /// How often a text is in the memory of this process. The text is given with each byte inverted, so that it is
    /// not there by being looked for.
    fn copies_in_memory(inverted: &[u8]) -> usize {
        use std::os::unix::fs::FileExt as _;
        let memory = std::fs::File::open("/proc/self/mem").expect("its own memory");
        let maps = std::fs::read_to_string("/proc/self/maps").expect("its own maps");
        // What was read is not memory to be searched, and must not be found by a later search.
        let mut bytes = Zeroizing::new(vec![0; 1 << 16]);
        let own = bytes.as_ptr() as u64;
        let number = |hex| u64::from_str_radix(hex, 16).expect("an address");
        let writable = maps.lines().filter(|line| line.contains(" rw")).map(|line| {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let (from, to) = range.expect("a range");
            number(from)..number(to)
        });
        let beside = |range: std::ops::Range<u64>| {
            let end = own + (1 << 16);
            [range.start..range.end.min(own), range.start.max(end)..range.end]
        };
        let mut copies = 0;
        for range in writable.flat_map(beside).filter(|range| !range.is_empty()) {
            let mut at = range.start;
            while at + (inverted.len() as u64) <= range.end {
                let length = bytes.len().min(usize::try_from(range.end - at).expect("small"));
                let Ok(read) = memory.read_at(&mut bytes[..length], at) else { break };
                let is_it = |part: &&[u8]| part.iter().zip(inverted).all(|(a, b)| *a == !*b);
                copies += bytes[..read].windows(inverted.len()).filter(is_it).count();
                // The next piece begins with what may be the beginning of a copy.
                at += (read + 1).saturating_sub(inverted.len()).max(1) as u64;
            }
        }
        copies
    }

    fn inverted(text: &[u8]) -> Vec<u8> {
        text.iter().map(|byte| !byte).collect()
    }

    #[test]
    fn no_copy_of_the_key_is_left_once_a_request_and_its_redactor_are_gone() {
        use crate::workbench::redact::Redactor;
        choose_cryptography();
        // Made up at run time, so that the program does not have it. The end of it is looked for: the allocator writes
        // over the beginning of what is freed.
        let whole = |inverted: &[u8]| inverted.iter().map(|byte| !byte).collect::<Vec<u8>>();
        let parts =
            [&b"m9w4xkq7zt3vhn8rjc5yd2bf"[..], b"q6s1gw0pezlu", b"7aokv4ixr9mt"].map(inverted);
        let key = parts.iter().map(|part| whole(part)).collect::<Vec<_>>().concat();
        let end = [&parts[1][..], &parts[2]].concat();
        let end_in_base64 = {
            let mut text = STANDARD.encode(&key[24..]).into_bytes();
            let inverted = inverted(&text);
            zeroize::Zeroize::zeroize(&mut text);
            inverted
        };
        let key = Secret::new(key);
        let client = reqwest::Client::new();
        for credential in [Credential::Basic, Credential::Bearer] {
            let credential = credential(key.clone());
            let redactor = Redactor::new(&credential);
            let request = credential.apply(client.get("http://127.0.0.1/")).expect("usable");
            let request = request.build().expect("a request");
            if let Credential::Basic(_) = credential {
                assert!(copies_in_memory(&end_in_base64) > 0, "this finds what is there");
            }
            drop((request, redactor));
        }
        assert_eq!(copies_in_memory(&end_in_base64), 0, "of the credential");
        assert_eq!(copies_in_memory(&end), 1, "of the key: the secret itself");
    }

    #[test]
    fn neither_the_credential_nor_its_request_prints_the_key() {
        for credential in [Credential::Basic, Credential::Bearer] {
            let credential = credential(Secret::new(KEY));
            let request = request(&credential);
            let printed = format!("{credential:?} {request:?} {:?}", request.headers());
            assert!(!printed.contains(KEY) && !printed.contains("dXlzZ3h0"), "{printed}");
        }
    }

    #[test]
    fn a_key_that_cannot_be_sent_is_refused_without_being_shown() {
        let refusal = |credential| apply(&credential).expect_err("refused").to_string();
        let not_text = "the API key is not text (UTF-8)";
        assert_eq!(refusal(Credential::Basic(Secret::new(b"\xffkey".to_vec()))), not_text);
        assert_eq!(refusal(Credential::Bearer(Secret::new(b"\xffkey".to_vec()))), not_text);
        let said = refusal(Credential::Bearer(Secret::new("two\nlines")));
        assert_eq!(said, "the API key has a character that a bearer token cannot have");
    }
}
