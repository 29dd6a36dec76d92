//! Decides whether a condition names an owner: whether its patterns are met only by what one account of a
//! platform has. It is pure, and judges the texts of the patterns.
//!
//! A pattern that some stranger's name meets keeps out the rest of the world and not that stranger, who may choose
//! the name for it: `*/risk` is met by everyone who makes a repository `risk`, `a*` by everyone with an account in
//! `a`. So the part that names the owner must stand there in full.

use crate::matching::Patterns;

/// How the value of a claim, or of a fact, names an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pin {
    /// The whole value does: an id, or the name of an account.
    Whole,
    /// The value is a path, and its first segment does: `acme/risk`.
    Path,
    /// What stands behind one of these beginnings does, up to the character beside it: `repo:acme/…`.
    After(&'static [(&'static str, char)]),
    /// The value is a mail address. It does as a whole; so does its domain, unless everyone gets an address there.
    Mail,
    /// The whole value does: the id of a tenant of Microsoft Entra, but for that of all personal accounts.
    Tenant,
}

/// The tenant of all personal accounts of Microsoft.
/// Source: <https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>, claim `tid`.
pub(super) const PERSONAL_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Domains in which everyone gets a mail address.
const PUBLIC_DOMAINS: [&str; 24] = [
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "yahoo.com",
    "ymail.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "privaterelay.appleid.com",
    "aol.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "web.de",
    "proton.me",
    "protonmail.com",
    "mail.com",
    "zoho.com",
    "yandex.com",
    "yandex.ru",
    "users.noreply.github.com",
];

/// The end of the mail addresses of service accounts of Google, in front of which the project stands.
/// Source: <https://cloud.google.com/iam/docs/service-account-types>.
const SERVICE_ACCOUNTS: &str = ".iam.gserviceaccount.com";
/// The beginning of projects that are Google's own: their accounts act for every customer.
const SERVICE_AGENTS: &str = "gcp-sa-";

/// Characters that are special in some pattern. `?` and `+` also change the character in front of them. A `\` makes
/// the next character stand for itself.
const SPECIAL: [char; 7] = ['*', '?', '+', '[', ']', '{', '}'];

impl Pin {
    /// Whether every value that these patterns accept is of an owner that they name.
    pub(super) fn holds(self, patterns: &Patterns) -> bool {
        patterns.accepted().all(|text| self.holds_one(text))
    }

    fn holds_one(self, pattern: &str) -> bool {
        let Start { text, whole } = Start::of(pattern);
        match self {
            Self::Whole => whole,
            Self::Tenant => whole && !text.eq_ignore_ascii_case(PERSONAL_TENANT),
            Self::Path => whole || names_up_to(&text, '/'),
            Self::After(beginnings) => beginnings.iter().any(|(beginning, end)| {
                let rest = text.strip_prefix(beginning);
                rest.is_some_and(|rest| (whole && !rest.is_empty()) || names_up_to(rest, *end))
            }),
            Self::Mail => pattern.rsplit_once('@').is_some_and(|(user, domain)| {
                let domain = Start::of(&domain.to_ascii_lowercase());
                let named = domain.whole && domain.text.contains('.');
                named && ((whole && !user.is_empty()) || is_of_one_owner(&domain.text))
            }),
        }
    }
}

/// The part of a pattern in front of what is special, as the text that it stands for.
struct Start {
    text: String,
    /// Whether that is all of it. An empty pattern is not.
    whole: bool,
}

impl Start {
    fn of(pattern: &str) -> Self {
        let mut text = String::new();
        let mut letters = pattern.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some(plain) => text.push(plain),
                    None => return Self { text, whole: false },
                },
                '?' | '+' => {
                    text.pop();
                    return Self { text, whole: false };
                }
                letter if SPECIAL.contains(&letter) => return Self { text, whole: false },
                letter => text.push(letter),
            }
        }
        let whole = !text.is_empty();
        Self { text, whole }
    }
}

/// Whether something stands in front of the first such character.
fn names_up_to(text: &str, end: char) -> bool {
    text.find(end).is_some_and(|at| at > 0)
}

/// Whether all mail addresses of a domain belong to one owner.
fn is_of_one_owner(domain: &str) -> bool {
    let of_google = domain.ends_with("gserviceaccount.com");
    let of_a_project = domain.strip_suffix(SERVICE_ACCOUNTS).is_some_and(|project| {
        !project.is_empty() && !project.contains('.') && !project.starts_with(SERVICE_AGENTS)
    });
    (!of_google || of_a_project) && !PUBLIC_DOMAINS.contains(&domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(pin: Pin, texts: &[&str]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        pin.holds(&Patterns::parse(&texts).expect("valid patterns"))
    }

    const SUBJECT: Pin = Pin::After(&[("repo:", '/'), ("repository_owner:", ':')]);

    #[test]
    fn an_owner_is_named_in_full_and_what_belongs_to_the_owner_may_be_a_pattern() {
        for (pin, text) in [
            (Pin::Whole, "12345"),
            (Pin::Path, "acme/risk"),
            (Pin::Path, "acme/*"),
            (Pin::Path, "acme/**"),
            (Pin::Path, "acme/{risk,fraud}"),
            (Pin::Path, "acme/risk-?"),
            (Pin::Path, "acme"),
            (Pin::Whole, r"\{8f1d2a3b\}"),
            (SUBJECT, "repo:acme/risk:ref:refs/heads/main"),
            (SUBJECT, "repo:acme/*:ref:refs/heads/**"),
            (SUBJECT, "repo:acme@123/risk@456:*"),
            (SUBJECT, "repository_owner:acme"),
            (SUBJECT, "repository_owner:acme:*"),
            (Pin::Mail, "ann@gmail.com"),
            (Pin::Mail, "*@acme.example"),
            (Pin::Mail, "*@acme-prod.iam.gserviceaccount.com"),
            (Pin::Mail, "123@cloudbuild.gserviceaccount.com"),
            (Pin::Tenant, "8f1d2a3b-0000-4000-8000-000000000000"),
        ] {
            assert!(holds(pin, &[text]), "{pin:?} {text}");
        }
    }

    #[test]
    fn a_pattern_that_some_strangers_name_meets_names_no_owner() {
        for (pin, text) in [
            (Pin::Whole, "1234*"),
            (Pin::Whole, "12?"),
            (Pin::Whole, "[0-9]*"),
            (Pin::Path, "*/risk"),
            (Pin::Path, "**/risk"),
            (Pin::Path, "*"),
            (Pin::Path, "a*"),
            (Pin::Path, "acme*/*"),
            (Pin::Path, "acme?/risk"),
            (Pin::Path, "{acme,*}/risk"),
            (Pin::Path, "[a-z]cme/risk"),
            (Pin::Path, "/risk*"),
            (Pin::Whole, "{8f1d2a3b,*}"),
            (SUBJECT, "repo:*"),
            (SUBJECT, "repo:*/risk:*"),
            (SUBJECT, "repo:acme*/risk:*"),
            (SUBJECT, "*:acme/risk"),
            (SUBJECT, "repository_owner:acme*"),
            (SUBJECT, "environment:production"),
            (SUBJECT, "repo:"),
            (SUBJECT, "acme"),
            (Pin::Mail, "*@gmail.com"),
            (Pin::Mail, "*@GMAIL.com"),
            (Pin::Mail, "*@*.example"),
            (Pin::Mail, "ann@*"),
            (Pin::Mail, "*@*.iam.gserviceaccount.com"),
            (Pin::Mail, "*@cloudbuild.gserviceaccount.com"),
            (Pin::Mail, "*@gcp-sa-pubsub.iam.gserviceaccount.com"),
            (Pin::Mail, "acme"),
            (Pin::Tenant, PERSONAL_TENANT),
        ] {
            assert!(!holds(pin, &[text]), "{pin:?} {text}");
        }
    }

    #[test]
    fn every_pattern_of_a_list_must_name_an_owner_and_exclusions_do_not_count() {
        assert!(holds(Pin::Path, &["acme/*", "beta/*", "!acme/old"]));
        assert!(!holds(Pin::Path, &["acme/*", "*/risk"]));
        assert!(!holds(Pin::Path, &["**", "!acme/old"]));
    }
}
