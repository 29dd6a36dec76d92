//! Judges the uses of secrets together: each by itself, and whether two uses have one secret. It is pure, compares
//! in constant time, and says of a secret what it is for and never what it is.

use super::guess::guessed;
use super::{Known, Purpose, Use};
use crate::authenticate::same;
use crate::config::report::Effect;
use crate::model::Secret;

/// Something doubtful about a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The position of the use that it is about.
    pub(super) of: usize,
    /// What it means for what is in force.
    pub(super) effect: Effect,
    /// Whether `check` refuses it. Otherwise it is a warning.
    pub refused: bool,
    /// What it is, in words.
    pub words: String,
    /// What to do.
    pub hint: String,
}

impl Doubt {
    fn new(of: usize, effect: Effect, words: String, hint: &str) -> Self {
        let refused = effect != Effect::Nothing;
        Self { of, effect, refused, words, hint: hint.to_owned() }
    }
}

/// Judges the uses, each with its secret if that could be read.
pub(in crate::config) fn judge(uses: &[(&Use, Known)]) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for (of, (used, known)) in uses.iter().enumerate() {
        doubts.extend(alone(of, used, known));
        for (other, others) in &uses[..of] {
            doubts.extend(shared(of, (used, known), (other, others)));
        }
    }
    doubts
}

fn alone(of: usize, used: &Use, known: &Known) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let secret = match known {
        Known::Secret(secret) if !is_public(used, secret) => secret.expose(),
        Known::Blank if !used.made_later => {
            let words = format!("{} is blank, so it cannot be used", used.purpose);
            let hint = "write the secret there; a line end is no secret";
            return vec![Doubt::new(of, Effect::Tolerated, words, hint)];
        }
        _ => return doubts,
    };
    if let Some(why) = used.least.and_then(|least| guessed(secret, least)) {
        let words = format!("{} {why}", used.purpose);
        let hint = "make a random one, such as with `openssl rand -hex 32`, and give it to the other side, too";
        doubts.push(Doubt::new(of, Effect::Tolerated, words, hint));
    }
    if let Some(end) = blank_end(secret) {
        let words = format!("{} {end} white space, which is a part of it", used.purpose);
        let hint =
            "one line end behind it is not; remove the rest, unless the other side has it, too";
        doubts.push(Doubt::new(of, Effect::Nothing, words, hint));
    }
    doubts
}

/// At which of its ends a secret has white space.
fn blank_end(secret: &[u8]) -> Option<&'static str> {
    let blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    match (blank(secret.first()), blank(secret.last())) {
        (true, true) => Some("begins and ends with"),
        (true, false) => Some("begins with"),
        (false, true) => Some("ends with"),
        (false, false) => None,
    }
}

fn shared(of: usize, one: (&Use, &Known), other: (&Use, &Known)) -> Option<Doubt> {
    let ((used, known), (other, others)) = (one, other);
    let equal = match (known, others) {
        (Known::Secret(one), Known::Secret(two)) => {
            !is_public(used, one) && same(one.expose(), two.expose())
        }
        _ => !used.public && used.reference == other.reference,
    };
    if !equal || used.purpose.may_share_with(&other.purpose) {
        return None;
    }
    if let Some((signer, accepts)) = signed_by(used, other).or(signed_by(other, used)) {
        let hint =
            "an answer to a challenge could serve as a signature; give each a secret of its own";
        let words = format!(
            "source `{accepts}` has a secret of source `{signer}`, whose provider signs challenges with it"
        );
        return Some(Doubt::new(of, Effect::FileHeldBack, words, hint));
    }
    let words = format!("{} is also {}", used.purpose, other.purpose);
    let hint = "whoever knows it for one purpose has the other, too; make one for each";
    Some(Doubt::new(of, Effect::Nothing, words, hint))
}

/// The source that signs challenges with a secret, and the source whose deliveries the answers could be, if the two
/// uses are of such sources. Two sources that both sign challenges accept no text that could be one.
fn signed_by<'u>(signer: &'u Use, other: &'u Use) -> Option<(&'u str, &'u str)> {
    let (Purpose::Webhook(accepts) | Purpose::AccessToken(accepts)) = &other.purpose else {
        return None;
    };
    match &signer.purpose {
        Purpose::Webhook(source) if signer.signs && !other.signs && source != accepts => {
            Some((source, accepts))
        }
        _ => None,
    }
}

/// Whether it is a key that its owner publishes.
fn is_public(used: &Use, secret: &Secret) -> bool {
    let text = secret.expose().trim_ascii_start();
    used.public || text.starts_with(b"-----BEGIN") || text.starts_with(b"{")
}

#[cfg(test)]
mod tests {
    use super::super::LEAST;
    use super::*;
    use crate::config::secrets::SecretRef;

    const GOOD: &str = "9f86d081884c7d659a2feaa0c55ad015";

    fn used(purpose: Purpose, reference: &str, secret: Option<&str>) -> (Use, Known) {
        let least = (!matches!(purpose, Purpose::ApiKey(_))).then_some(LEAST);
        let reference = SecretRef::Env(reference.to_owned());
        let used =
            Use { purpose, reference, least, public: false, signs: false, made_later: false };
        (used, secret.map_or(Known::Unknown, |secret| Known::Secret(Secret::new(secret))))
    }

    fn webhook(name: &str) -> Purpose {
        Purpose::Webhook(name.into())
    }

    fn said(uses: &[(Use, Known)]) -> Vec<(bool, String)> {
        let uses: Vec<_> = uses.iter().map(|(used, known)| (used, known.clone())).collect();
        judge(&uses).into_iter().map(|doubt| (doubt.refused, doubt.words)).collect()
    }

    #[test]
    fn a_secret_that_can_be_guessed_is_refused_and_a_key_of_the_workbench_is_not() {
        for (secret, doubts) in [
            ("kurz7", 1),
            ("0123456789abcde", 1),
            ("0123456789abcdef", 0),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", 1),
            ("changemechangeme", 1),
            ("-----BEGIN PUBLIC KEY-----", 0),
        ] {
            let found = said(&[used(webhook("a"), "A", Some(secret))]);
            assert_eq!(found.len(), doubts, "{secret}: {found:?}");
            assert!(found.iter().all(|(refused, words)| *refused && !words.contains(secret)));
            let key = said(&[used(Purpose::ApiKey("k".into()), "A", Some(secret))]);
            assert!(key.is_empty(), "{key:?}");
        }
        assert!(said(&[used(Purpose::AdminToken("ops".into()), "A", None)]).is_empty());
    }

    #[test]
    fn a_blank_secret_is_refused_unless_a_sender_makes_it_later() {
        let (used, _) = used(webhook("a"), "A", None);
        assert_eq!(said(&[(used.clone(), Known::Blank)]).len(), 1);
        let learnt = Use { made_later: true, ..used };
        assert_eq!(said(&[(learnt, Known::Blank)]), []);
    }

    #[test]
    fn white_space_at_an_end_is_warned_of_also_for_a_key_of_the_workbench() {
        for (secret, end) in [
            (format!(" {GOOD}"), "begins with"),
            (format!("{GOOD}\n"), "ends with"),
            (format!("\t{GOOD} "), "begins and ends with"),
        ] {
            for purpose in [webhook("a"), Purpose::ApiKey("k".into())] {
                let found = said(&[used(purpose, "A", Some(&secret))]);
                assert_eq!(found.len(), 1, "{found:?}");
                assert!(!found[0].0 && found[0].1.contains(end), "{found:?}");
            }
        }
        assert_eq!(said(&[used(webhook("a"), "A", Some(GOOD))]), []);
    }

    #[test]
    fn one_secret_for_two_purposes_is_warned_of_whether_it_can_be_read_or_not() {
        let admin = || Purpose::AdminToken("ops".into());
        let by_value = [used(webhook("a"), "A", Some(GOOD)), used(admin(), "B", Some(GOOD))];
        let words = "the admin token `ops` is also the secret of source `a`";
        assert_eq!(said(&by_value), [(false, words.to_owned())]);
        let by_reference = [used(webhook("a"), "A", None), used(webhook("b"), "A", None)];
        assert_eq!(said(&by_reference).len(), 1);
        for fine in [
            [used(webhook("a"), "A", None), used(webhook("a"), "A", None)],
            [used(webhook("a"), "A", None), used(webhook("b"), "B", None)],
            [
                used(Purpose::ApiKey("k".into()), "A", None),
                used(Purpose::ApiKey("l".into()), "A", None),
            ],
        ] {
            assert_eq!(said(&fine), []);
        }
    }

    #[test]
    fn a_secret_that_signs_challenges_is_refused_for_each_other_source_in_either_order() {
        let signer = || {
            let (used, known) = used(webhook("x"), "A", Some(GOOD));
            (Use { signs: true, ..used }, known)
        };
        let other = || used(webhook("hub"), "B", Some(GOOD));
        let token = || used(Purpose::AccessToken("hub".into()), "C", Some(GOOD));
        for pair in [[signer(), other()], [other(), signer()], [signer(), token()]] {
            let found = said(&pair);
            assert_eq!(found.len(), 1, "{found:?}");
            let words =
                "source `hub` has a secret of source `x`, whose provider signs challenges with it";
            assert_eq!(found[0], (true, words.to_owned()));
        }
        // Another one that signs challenges accepts nothing that could be a challenge.
        let (second, known) = used(webhook("y"), "B", Some(GOOD));
        let both = [signer(), (Use { signs: true, ..second }, known)];
        assert!(!said(&both)[0].0);
    }
}
