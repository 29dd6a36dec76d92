//! A reply's start, fit to be kept and shown: bounded, printable, and without the key even where a
//! workbench or a proxy echoes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::Secret;

/// Most characters kept of a reply.
const KEPT: usize = 500;

/// The start of a reply's body.
pub(super) fn excerpt(body: &[u8], key: &Secret) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let mut clean = text.into_owned();
    for form in forms(key) {
        clean = clean.replace(&form, "[redacted]");
    }
    let clean: String = clean
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let mut kept: String = clean.chars().take(KEPT).collect();
    if kept.len() < clean.len() {
        kept.push('…');
    }
    (!kept.is_empty()).then_some(kept)
}

/// The key as it could come back: as it is, and as the credentials that were sent.
fn forms(key: &Secret) -> Vec<String> {
    let plain = String::from_utf8_lossy(key.expose()).into_owned();
    let mut credentials = key.expose().to_vec();
    credentials.push(b':');
    vec![STANDARD.encode(credentials), plain]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echoed_key_is_not_kept_in_either_form() {
        let key = Secret::new("uysgxtj7jzkps96njextnxxmq05usp0b");
        let body = b"bad key uysgxtj7jzkps96njextnxxmq05usp0b, \
                     Basic dXlzZ3h0ajdqemtwczk2bmpleHRueHhtcTA1dXNwMGI6";
        let kept = excerpt(body, &key).expect("some text");
        assert_eq!(kept, "bad key [redacted], Basic [redacted]");
    }

    #[test]
    fn a_long_page_is_cut_and_put_on_one_line() {
        let page = "<html>\n\t<h1>502</h1>\u{7}".repeat(1000);
        let kept = excerpt(page.as_bytes(), &Secret::new("k-secret")).expect("some text");
        assert!(kept.chars().count() <= KEPT + 1);
        assert!(!kept.contains('\n') && !kept.contains('\u{7}'));
    }

    #[test]
    fn nothing_is_kept_of_an_empty_reply() {
        assert_eq!(excerpt(b" \n", &Secret::new("k")), None);
    }
}
