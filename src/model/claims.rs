//! Requirements on the claims of a token, as names and patterns. A source uses them to accept only some of
//! its issuer's tokens, a route to match only some of them.

use super::{Patterns, Value};

/// Required claims: each name must be there, and its value must match the patterns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(Vec<(Box<str>, Patterns)>);

/// A claim that is missing or does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimMiss {
    /// Its name.
    pub name: String,
    /// What is required, in words.
    pub wanted: String,
    /// Its value; none where the claim is missing, null or has no text form.
    pub found: Option<String>,
}

impl Claims {
    /// Requires these claims. A dot in a name leads into a claim that is an object.
    pub fn new(wanted: Vec<(Box<str>, Patterns)>) -> Self {
        Self(wanted)
    }

    /// True when nothing is required.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in the order in which they were given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// For each name an example of a value that matches; none where the patterns have a wildcard.
    pub fn examples(&self) -> impl Iterator<Item = (&str, Option<String>)> {
        self.0.iter().map(|(name, patterns)| {
            let literals = patterns.literals().unwrap_or_default();
            (&**name, literals.first().map(|text| (*text).to_owned()))
        })
    }

    /// The patterns that are required of this claim.
    pub fn of<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c Patterns> {
        self.0.iter().filter(move |(asked, _)| **asked == *name).map(|(_, patterns)| patterns)
    }

    /// Whether this claim is required, and none of these texts matches.
    pub fn keeps_out(&self, name: &str, strangers: &[&str]) -> bool {
        let mut asked = self.0.iter().filter(|(asked, _)| **asked == *name).peekable();
        asked.peek().is_some()
            && asked.all(|(_, patterns)| !strangers.iter().any(|text| patterns.pass(text)))
    }

    /// Checks a token's claims.
    ///
    /// # Errors
    /// The first claim that is missing or does not match.
    pub fn check(&self, claims: &Value) -> Result<(), ClaimMiss> {
        self.0.iter().try_for_each(|(name, wanted)| {
            let texts = read(claims, name).map(texts).unwrap_or_default();
            if texts.iter().any(|text| wanted.pass(text)) {
                return Ok(());
            }
            let found = (!texts.is_empty()).then(|| texts.join(", "));
            let wanted = match texts.iter().find_map(|text| wanted.escaped_twin(text)) {
                Some(escaped) => {
                    format!("the pattern {wanted} (that text itself is written {escaped})")
                }
                None => wanted.to_string(),
            };
            Err(ClaimMiss { name: name.to_string(), wanted, found })
        })
    }
}

/// The claim with this name. A name may itself hold dots (`kubernetes.io`), so each dot is tried both as a
/// part of a name and as a step into an object. Where both find a claim the name is ambiguous, and the
/// result is none.
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

/// The texts of a claim. Of a list, those of its elements, any of which may match.
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
