//! Decides whether a secret can be guessed: too few bytes, too few different ones, one text again and again, or words
//! that people write where a secret belongs. It is pure. What it says of a secret shows none of it.

use std::collections::BTreeSet;

/// The least number of different bytes. `aaaaaaaaaaaaaaaa` is long and easily guessed.
const DIFFERENT: usize = 6;
/// The least number of bytes beside common words. Eight random letters cannot be guessed over a network.
const BESIDE_WORDS: usize = 8;

/// Words of placeholders and of examples, and of what a secret is for. The longest that matches counts, so that
/// `changeme` is one word.
const COMMON: &str = "changeme changeit change replaceme replace insert enter put your yours my our own this here the \
    a an is it be to of for not me with and please todo fixme tbd xxx xxxx placeholder dummy sample example demo \
    default test testing tests dev develop development stage staging prod production local localhost secret secrets \
    supersecret s3cret s3cr3t topsecret password passwd passw0rd p4ssw0rd passphrase pass pwd token tokens key keys \
    apikey api webhook webhooks hook hooks value string text random long strong secure safe admin administrator root \
    user username login guest welcome hello world letmein qwerty qwertz azerty asdf asdfgh iloveyou \
    monkey dragon master sunshine princess football baseball shadow superman trustno1 foo bar baz foobar foobarbaz \
    lorem ipsum github gitlab bitbucket gitea forgejo gogs slack stripe jira zoom twitter jenkins circleci travis \
    cloudera cdsw gateway workbench company acme corp";

/// Why a secret of at least `least` bytes can be guessed. `None` where it cannot.
pub(super) fn guessed(secret: &[u8], least: usize) -> Option<String> {
    let different = secret.iter().collect::<BTreeSet<_>>().len();
    let why = if secret.len() < least {
        format!("has fewer than {least} bytes")
    } else if different < DIFFERENT {
        format!("has fewer than {DIFFERENT} different bytes")
    } else if unit(secret) < least {
        "is one short text again and again".to_owned()
    } else if is_of_words(secret) {
        "is made of common words".to_owned()
    } else {
        return None;
    };
    Some(format!("{why}, so it can be guessed"))
}

/// The length of the shortest text that the whole is repetitions of. It may be cut off at the end.
fn unit(secret: &[u8]) -> usize {
    let repeats = |length: &usize| secret[*length..] == secret[..secret.len() - length];
    (1..=secret.len() / 2).find(repeats).unwrap_or(secret.len())
}

/// Whether common words, numbers in sequence and what separates them leave little of a text.
fn is_of_words(secret: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(secret) else { return false };
    let text = text.to_lowercase();
    let letters = text.as_bytes();
    let (mut at, mut words, mut left) = (0, 0, 0);
    while at < letters.len() {
        let rest = &text[at..];
        let word = COMMON.split_whitespace().filter(|word| rest.starts_with(word));
        let word = word.map(str::len).max().unwrap_or(0);
        // A word of one or two letters stands by chance in random text, unless something separates it.
        let apart = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let alone = apart(at.checked_sub(1).map(|before| &letters[before]))
            && apart(letters.get(at + word));
        if word > 2 || (word > 0 && alone) {
            words += 1;
            at += word;
        } else if let Some(run) = run(&letters[at..]) {
            at += run;
        } else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            left += usize::from(letters[at].is_ascii_alphanumeric() || length > 1);
            at += length;
        }
    }
    words > 0 && left < BESIDE_WORDS
}

/// The length of a run of at least three digits in sequence, such as `1234`, or of a year.
fn run(text: &[u8]) -> Option<usize> {
    let follows = |pair: &[u8]| {
        pair[0].is_ascii_digit()
            && pair[1].is_ascii_digit()
            && (pair[1] == pair[0] + 1 || pair == b"90")
    };
    let length = 1 + text.windows(2).take_while(|pair| follows(pair)).count();
    let year = text.len() >= 4
        && (text.starts_with(b"19") || text.starts_with(b"20"))
        && text[..4].iter().all(u8::is_ascii_digit);
    match (length >= 3, year) {
        (true, _) => Some(length),
        (false, true) => Some(4),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(secret: &str) -> Option<String> {
        guessed(secret.as_bytes(), 16)
    }

    #[test]
    fn what_people_write_where_a_secret_belongs_can_be_guessed() {
        for (secret, said) in [
            ("kurz7", "fewer than 16 bytes"),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", "different bytes"),
            ("changemechangeme", "again and again"),
            ("changeme-changeme-changeme", "again and again"),
            ("abcdef12abcdef12abcdef12", "again and again"),
            ("hunter2!hunter2!hunter2!", "again and again"),
            ("Tr0ub4dor&3Tr0ub4dor&3Tr0", "again and again"),
            ("ChangeMeChangeMe123", "common words"),
            ("my-webhook-secret", "common words"),
            ("this is a secret password", "common words"),
            ("GITHUB_WEBHOOK_SECRET", "common words"),
            ("supersecretpassword", "common words"),
            ("password12345678", "common words"),
            ("your-secret-here-2026", "common words"),
            ("replace_me_please!", "common words"),
            ("github-webhook-secret-1", "common words"),
        ] {
            let found = judge(secret).unwrap_or_default();
            assert!(found.contains(said), "{secret}: {found}");
            assert!(!found.contains(secret), "{found}");
        }
    }

    #[test]
    fn what_programs_make_and_long_phrases_cannot() {
        for secret in [
            "0123456789abcdef",
            "9f86d081884c7d659a2feaa0c55ad015",
            "q83v+EjRVnmJmrze8BI0VniavN7wEjRWeJq83vAS",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "test-4f2a9c7731d8b0e5",
            "mfrggzdfmztwq2lkmfrggzdfm",
            "thickness-ostrich-velvet-lantern",
            "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            "my-secret-is-9f86d081884c",
        ] {
            assert_eq!(judge(secret), None, "{secret}");
        }
    }

    #[test]
    fn random_secrets_of_sixteen_letters_are_hardly_ever_taken_for_words() {
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            b"abcdefghijklmnopqrstuvwxyz234567"[(state >> 59) as usize]
        };
        let wrong = (0..2000).filter(|_| {
            let secret: Vec<u8> = (0..16).map(|_| next()).collect();
            guessed(&secret, 16).is_some()
        });
        assert_eq!(wrong.count(), 0);
    }
}
