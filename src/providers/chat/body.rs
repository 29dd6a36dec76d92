//! Bodies of chat programs. They come as JSON, as a form, or as a form whose field `payload` holds JSON.
//! The bytes decide which, since the content type is not signed.
//!
//! A body may hold the secret itself, in the field `token`. It is removed from what expressions see and
//! from what is stored. Apart from that, both have the same content.

use bytes::Bytes;

use crate::authenticate::Refusal;
use crate::model::Value;
use crate::providers::{DecodeFault, decode, form};

/// The field that holds the secret.
const TOKEN: &str = "token";
/// Longest body that is searched for a token, in bytes. Until the token is found, the sender is unknown,
/// so the work has to be limited. No message is nearly as long.
const LONGEST: usize = 1 << 20;

/// Parses the body into a tree, without the token.
pub(in crate::providers) fn read(body: &Bytes) -> Result<Value, DecodeFault> {
    tree(body).map(|tree| without_token(&tree).unwrap_or(tree))
}

/// The body without the token. None where it has none, and so can be stored as it is.
pub(in crate::providers) fn to_keep(body: &[u8]) -> Option<Vec<u8>> {
    let json = || {
        let tree = without_token(&tree(&Bytes::copy_from_slice(body)).ok()?)?;
        let mut text = String::new();
        tree.write_json(&mut text).ok()?;
        Some(text)
    };
    match Form::of(body) {
        Form::Json => json().map(String::into_bytes),
        Form::Payload => {
            json().map(|text| format!("payload={}", form::escape(text.as_bytes())).into_bytes())
        }
        Form::Fields => {
            let text = str::from_utf8(body).ok()?;
            let mut kept = form::without_fields(text, |name| name == TOKEN.as_bytes());
            // The first bytes decide how a body is read. What followed the token must not change that.
            if Form::of(kept.as_bytes()) != Form::Fields {
                kept.insert(0, '&');
            }
            (kept != text).then(|| kept.into_bytes())
        }
    }
}

/// The token. `None` where the body has none.
///
/// # Errors
/// The body is too long to search, cannot be parsed, or has several tokens.
pub(in crate::providers) fn token(body: &[u8]) -> Result<Option<String>, Refusal> {
    if body.len() > LONGEST {
        return Err(Refusal::MalformedBody { expected: "a message of at most 1 MiB" });
    }
    let tree = tree(&Bytes::copy_from_slice(body))
        .map_err(|_| Refusal::MalformedBody { expected: "JSON or a form" })?;
    match tree.get(TOKEN) {
        Some(Value::Text(token)) if !token.is_empty() => Ok(Some(token.to_string())),
        Some(Value::List(_)) => Err(Refusal::RepeatedField(TOKEN.into())),
        _ => Ok(None),
    }
}

/// The body with this token in it, as the sender would write it. None where the body is no map or form.
pub(in crate::providers) fn with_token(body: &[u8], token: &[u8]) -> Option<Vec<u8>> {
    if Form::of(body) == Form::Fields {
        let rest = to_keep(body).unwrap_or_else(|| body.to_vec());
        let field = format!("token={}", form::escape(token));
        let between: &[u8] = if rest.is_empty() { b"" } else { b"&" };
        return Some([&rest[..], between, field.as_bytes()].concat());
    }
    let Value::Map(object) = tree(&Bytes::copy_from_slice(body)).ok()? else { return None };
    let token = Value::text(str::from_utf8(token).ok()?);
    let fields =
        object.entries().map(|(name, value)| (name, value.clone())).chain([(TOKEN, token)]);
    let mut text = String::new();
    Value::map(fields.collect()).write_json(&mut text).ok()?;
    Some(text.into_bytes())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Payload,
    Fields,
}

impl Form {
    fn of(body: &[u8]) -> Self {
        match body.trim_ascii_start().first() {
            Some(b'{' | b'[') => Self::Json,
            _ if body.starts_with(b"payload=") => Self::Payload,
            _ => Self::Fields,
        }
    }
}

fn tree(body: &Bytes) -> Result<Value, DecodeFault> {
    match Form::of(body) {
        Form::Json => decode::json(body),
        Form::Payload => decode::json_or_payload(body),
        Form::Fields => form::fields(body).map(form::to_map),
    }
}

/// The map without the token. None where it has none.
fn without_token(tree: &Value) -> Option<Value> {
    tree.get(TOKEN)?;
    let fields = tree.entries().filter(|(name, _)| *name != TOKEN);
    Some(Value::map(fields.map(|(name, value)| (name, value.clone())).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(body: &[u8]) -> Option<Value> {
        read(&Bytes::copy_from_slice(body)).ok()
    }

    #[test]
    fn the_token_is_neither_read_nor_kept_and_nothing_else_changes() {
        for (body, kept) in [
            (
                r#"{"b": 1.50, "token": "hush", "a": {"token": "t"}}"#,
                r#"{"a":{"token":"t"},"b":1.50}"#,
            ),
            ("a=b+c&token=hush&d=%26", "a=b+c&d=%26"),
            ("%74oken=hush&a=b&token=hush", "a=b"),
            ("token=hush&payload=%7B%7D", "&payload=%7B%7D"),
            ("token=hush&[1]=a", "&[1]=a"),
            ("payload=%7B%22token%22%3A%22hush%22%2C%22a%22%3A1%7D", "payload=%7B%22a%22%3A1%7D"),
        ] {
            let rewritten = to_keep(body.as_bytes()).expect("it has a token");
            assert_eq!(String::from_utf8_lossy(&rewritten), kept);
            assert_eq!(seen(body.as_bytes()), seen(kept.as_bytes()), "{body}");
            assert_eq!(to_keep(kept.as_bytes()), None, "{kept} stays as it is");
        }
    }

    #[test]
    fn a_body_that_is_no_map_or_broken_has_no_token() {
        for body in ["", "[1]", "{", "payload=x", "payload={}&a=b", "a=%f", "\u{e4}"] {
            assert_eq!(to_keep(body.as_bytes()), None, "{body}");
        }
        assert_eq!(token(b"a=b&token="), Ok(None));
        assert_eq!(token(b"token=a&token=b"), Err(Refusal::RepeatedField("token".into())));
        assert!(token(&vec![b'a'; LONGEST + 1]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_kept_is_understood_as_what_came(
            fields in proptest::collection::vec(("[a-z]{1,3}|token", "\\PC{0,12}"), 0..6)
        ) {
            let form: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}={}", form::escape(value.as_bytes())))
                .collect();
            let json: serde_json::Map<String, serde_json::Value> =
                fields.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
            let json = serde_json::Value::Object(json).to_string();
            let payload = format!("payload={}", form::escape(json.as_bytes()));
            for body in [form.join("&"), json, payload] {
                let kept = to_keep(body.as_bytes()).unwrap_or_else(|| body.clone().into_bytes());
                prop_assert_eq!(seen(&kept), seen(body.as_bytes()));
                prop_assert_eq!(token(&kept), Ok(None));
            }
        }
    }
}
