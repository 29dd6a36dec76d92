//! What the claims of a token must be: names and patterns, for a source that believes only some of
//! its issuer's tokens, and for a route that is only for some of them.

use super::{Patterns, Value};

/// Claims by name, each of which must be there and pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(Vec<(Box<str>, Patterns)>);

/// The first claim that does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMiss {
    /// Its name.
    pub name: String,
    /// What was asked for, in words.
    pub wanted: String,
    /// What it says; none where it is not there, or says nothing that has a text.
    pub found: Option<String>,
}

impl Claims {
    /// These names, with dots on the way into a claim that has parts, and what each must be.
    pub fn new(wanted: Vec<(Box<str>, Patterns)>) -> Self {
        Self(wanted)
    }

    /// True when nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in the order written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// A text for each name that passes, for those that have a literal one.
    pub fn examples(&self) -> impl Iterator<Item = (&str, Option<String>)> {
        self.0.iter().map(|(name, patterns)| {
            let literals = patterns.literals().unwrap_or_default();
            (&**name, literals.first().map(|text| (*text).to_owned()))
        })
    }

    /// Whether this claim is asked for in a way that none of these texts passes.
    pub fn keeps_out(&self, name: &str, strangers: &[&str]) -> bool {
        let mut asked = self.0.iter().filter(|(asked, _)| **asked == *name).peekable();
        asked.peek().is_some()
            && asked.all(|(_, patterns)| !strangers.iter().any(|text| patterns.pass(text)))
    }

    /// Whether a token's claims are as asked for.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self, claims: &Value) -> Result<(), ClaimMiss> {
        self.0.iter().try_for_each(|(name, wanted)| {
            let texts = read(claims, name).map(texts).unwrap_or_default();
            if texts.iter().any(|text| wanted.pass(text)) {
                return Ok(());
            }
            let found = (!texts.is_empty()).then(|| texts.join(", "));
            Err(ClaimMiss { name: name.to_string(), wanted: wanted.to_string(), found })
        })
    }
}

/// What stands under a name. Names may hold dots themselves (`kubernetes.io`), so both readings of a
/// dot are tried; where both lead somewhere the name is ambiguous, and stands for nothing.
fn read<'v>(claims: &'v Value, name: &str) -> Option<&'v Value> {
    let mut found = readings(claims, name);
    let first = found.pop()?;
    found.is_empty().then_some(first)
}

fn readings<'v>(value: &'v Value, name: &str) -> Vec<&'v Value> {
    let inner = name.match_indices('.').flat_map(|(dot, _)| {
        let inner = value.get(&name[..dot]);
        inner.map(|inner| readings(inner, &name[dot + 1..])).unwrap_or_default()
    });
    value.get(name).into_iter().chain(inner).collect()
}

/// The texts of a claim: of a list, those of its parts, any of which may pass.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::List(values) => values.iter().filter_map(scalar).collect(),
        value => scalar(value).into_iter().collect(),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::List(_) | Value::Map(_) => None,
        scalar => scalar.to_text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, pattern: &str, claims: &str) -> Result<(), Option<String>> {
        let patterns = Patterns::parse(&[pattern.to_owned()]).expect("valid");
        let claims = Value::parse_json(claims.as_bytes()).expect("JSON");
        Claims::new(vec![(name.into(), patterns)]).check(&claims).map_err(|miss| miss.found)
    }

    #[test]
    fn a_claim_is_a_text_a_number_a_flag_or_one_of_a_list() {
        for claims in [r#"{"a": "7"}"#, r#"{"a": 7}"#, r#"{"a": ["6", "7"]}"#] {
            assert_eq!(check("a", "7", claims), Ok(()), "{claims}");
        }
        assert_eq!(check("a", "true", r#"{"a": true}"#), Ok(()));
        assert_eq!(check("a", "acme/*", r#"{"a": "acme/risk"}"#), Ok(()));
    }

    #[test]
    fn a_pattern_that_anyone_passes_keeps_nobody_out() {
        let keeps_out = |pattern: &str| {
            let patterns = Patterns::parse(&[pattern.to_owned()]).expect("valid");
            Claims::new(vec![("sub".into(), patterns)]).keeps_out("sub", &["repo:who/ever:x", "7"])
        };
        assert!(keeps_out("repo:acme/*:x") && keeps_out("8"));
        assert!(!keeps_out("*") && !keeps_out("**") && !keeps_out("repo:*/*"));
        assert!(!Claims::default().keeps_out("sub", &[]));
    }

    #[test]
    fn a_claim_that_is_missing_null_or_other_does_not_pass() {
        for (claims, found) in [
            ("{}", None),
            (r#"{"a": null}"#, None),
            (r#"{"a": {"b": "7"}}"#, None),
            (r#"{"a": []}"#, None),
            (r#"{"a": "77"}"#, Some("77".to_owned())),
        ] {
            assert_eq!(check("a", "7", claims), Err(found), "{claims}");
        }
    }

    #[test]
    fn a_dot_is_part_of_a_name_or_a_way_into_it_and_never_both() {
        let nested = r#"{"kubernetes.io": {"serviceaccount": {"name": "ci"}}}"#;
        assert_eq!(check("kubernetes.io.serviceaccount.name", "ci", nested), Ok(()));
        assert_eq!(check("a.b", "1", r#"{"a.b": 1}"#), Ok(()));
        assert_eq!(check("a.b", "1", r#"{"a.b": 1, "a": {"b": 1}}"#), Err(None));
    }
}
