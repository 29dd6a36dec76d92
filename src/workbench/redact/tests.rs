//! Every form in which a key can come back.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::*;
use crate::model::Secret;

const KEY: &str = "canary/key+with=odd&chars-\"0123<456>789'~";

fn redactor() -> Redactor {
    basic(KEY)
}

fn basic(key: &str) -> Redactor {
    Redactor::new(&Credential::Basic(Secret::new(key)))
}

/// The key with every byte, or only those that are no letters and digits, in this form.
fn each_byte(all: bool, form: impl Fn(u8) -> String) -> String {
    let escaped = |byte: u8| all || !byte.is_ascii_alphanumeric();
    KEY.bytes()
        .map(|byte| if escaped(byte) { form(byte) } else { char::from(byte).to_string() })
        .collect()
}

fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("text");
    quoted[1..quoted.len() - 1].to_owned()
}

fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Each form by its name.
fn every_form() -> Vec<(&'static str, String)> {
    let credentials = STANDARD.encode(format!("{KEY}:"));
    let folded = credentials.as_bytes().chunks(20).map(|line| String::from_utf8_lossy(line));
    vec![
        ("plain", KEY.to_owned()),
        ("upper case", KEY.to_uppercase()),
        ("a blank after each letter", KEY.chars().map(|letter| format!("{letter} ")).collect()),
        ("two bytes a letter", KEY.chars().map(|letter| format!("{letter}\0")).collect()),
        ("JSON", json(KEY)),
        ("JSON, \\/", json(KEY).replace('/', "\\/")),
        ("JSON, \\u0026", json(KEY).replace('&', "\\u0026").replace('<', "\\u003C")),
        ("JSON in JSON", json(&json(KEY).replace('/', "\\/"))),
        ("HTML", html(KEY)),
        ("HTML, numbers", each_byte(false, |byte| format!("&#{byte};"))),
        ("HTML, hex numbers", each_byte(true, |byte| format!("&#x{byte:02X};"))),
        ("JSON in HTML", html(&json(KEY).replace('/', "\\/"))),
        ("percent", each_byte(false, |byte| format!("%{byte:02X}"))),
        ("percent, lower case", each_byte(false, |byte| format!("%{byte:02x}"))),
        ("percent, some", KEY.replace('/', "%2f").replace('&', "%26")),
        ("percent, all", each_byte(true, |byte| format!("%{byte:02X}"))),
        ("percent of percent", each_byte(false, |byte| format!("%25{byte:02X}"))),
        ("hex", hex::encode(KEY)),
        ("hex, upper case", hex::encode_upper(KEY)),
        ("base64 of the credentials", credentials.clone()),
        ("base64 of the credentials, folded", folded.collect::<Vec<_>>().join("\r\n")),
        ("base64 of the credentials, folded in JSON", {
            format!("{}\\n{}", &credentials[..30], &credentials[30..])
        }),
        ("base64 of the key", STANDARD.encode(KEY)),
        ("base64 for addresses", URL_SAFE.encode(format!("{KEY}:"))),
        ("base64 within more, 1", STANDARD.encode(format!("x{KEY}yz"))),
        ("base64 within more, 2", STANDARD.encode(format!("xy{KEY}z"))),
        ("base64 within more, 3", URL_SAFE.encode(format!("xyz{KEY}"))),
    ]
}

#[test]
fn no_form_of_the_key_is_kept() {
    for (name, form) in every_form() {
        let text = format!("before {form} after");
        assert!(redactor().finds(&text), "{name}");
        let kept = redactor().excerpt(text.as_bytes()).expect("some text");
        assert!(kept.starts_with("before ") && kept.ends_with(" after"), "{name}: {kept}");
        assert!(kept.contains(REDACTED), "{name}: {kept}");
        // At most what base64 has in one letter with what stands beside the key.
        let left = kept.replace(REDACTED, "");
        assert!(left.len() <= "before  after".len() + 6, "{name}: {kept}");
    }
}

#[test]
fn a_bearer_token_is_not_kept_either() {
    let redactor = Redactor::new(&Credential::Bearer(Secret::new(KEY)));
    for (name, form) in every_form() {
        let kept = redactor.excerpt(format!("Bearer {form} after").as_bytes()).expect("some text");
        let left = kept.replace(REDACTED, "");
        assert!(left.len() <= "Bearer  after".len() + 8, "{name}: {kept}");
    }
}

#[test]
fn a_key_that_was_cut_off_is_not_kept_either() {
    for (name, form) in every_form() {
        let half: String = form.chars().take(form.chars().count() / 2 + 4).collect();
        let kept = redactor().excerpt(format!("before {half}").as_bytes()).expect("some text");
        // An escape that was cut off says nothing by itself; the letters before it do.
        let left = kept.replace(REDACTED, "");
        assert!(left.len() <= "before ".len() + 9, "{name}: {kept}");
    }
}

#[test]
fn an_echoed_key_is_taken_out_and_the_rest_stays() {
    let body = b"bad key uysgxtj7jzkps96njextnxxmq05usp0b, \
                 Basic dXlzZ3h0ajdqemtwczk2bmpleHRueHhtcTA1dXNwMGI6";
    let kept = basic("uysgxtj7jzkps96njextnxxmq05usp0b").excerpt(body).expect("some text");
    assert_eq!(kept, "bad key [redacted], Basic [redacted]");
}

#[test]
fn a_text_without_the_key_stays_as_it_is() {
    for text in
        ["", "100 %", "a\\", "&", "&nosuch;", "%zz %4", "\\u12", "könnte: \"\u{1f600}\" &#x0;"]
    {
        assert_eq!(redactor().clean(text), text);
        assert!(!redactor().finds(text));
    }
    assert_eq!(redactor().clean("an engine can be had"), "an engine can be had");
}

#[test]
fn a_key_with_letters_of_any_language_is_taken_out() {
    let redactor = basic("schlüssel-zum-glück");
    for text in
        ["schlüssel-zum-glück", "schl%C3%BCssel-zum-gl%c3%bcck", "schl\\u00fcssel-zum-gl&#252;ck"]
    {
        let clean = redactor.clean(&format!("ä{text}ö"));
        assert!(!clean.contains("zum"), "{clean}");
    }
}

#[test]
fn a_short_key_is_found_as_it_is_alone() {
    let redactor = basic("abc");
    assert!(redactor.finds("xabcx"));
    assert!(!redactor.finds("xABCx YWJj"));
}

#[test]
fn a_reply_that_is_made_to_be_slow_is_not() {
    let key = "a".repeat(60);
    let redactor = basic(&format!("{key}b"));
    for piece in ["a", "%61", "%25", "&#97;", "\\u0061", "YWFh", "61"] {
        let text = piece.repeat(64 * 1024 / piece.len());
        let kept = redactor.excerpt(text.as_bytes()).unwrap_or_default();
        assert!(kept.chars().count() <= KEPT + 1);
    }
}

#[test]
fn a_long_page_is_cut_and_put_on_one_line() {
    let page = "<html>\n\t<h1>502</h1>\u{7}".repeat(1000);
    let kept = redactor().excerpt(page.as_bytes()).expect("some text");
    assert!(kept.chars().count() <= KEPT + 1);
    assert!(!kept.contains('\n') && !kept.contains('\u{7}'));
}

#[test]
fn nothing_is_kept_of_an_empty_reply() {
    assert_eq!(redactor().excerpt(b" \n"), None);
}

/// The start, the middle and the end of each form, cut where an escape may be cut too.
fn parts_of(form: &str) -> Vec<String> {
    let letters: Vec<char> = form.chars().collect();
    let half = letters.len() / 2;
    let quarter = letters.len() / 4;
    [0..half, quarter..quarter + half, half..letters.len()]
        .into_iter()
        .map(|range| letters[range].iter().collect())
        .collect()
}

#[test]
fn half_a_key_in_the_middle_of_a_reply_is_not_kept_in_any_form() {
    for (name, form) in every_form() {
        for part in parts_of(&form) {
            let text = format!("before <{part}> after");
            let kept = redactor().excerpt(text.as_bytes()).expect("some text");
            assert!(kept.contains(REDACTED), "{name}: {kept}");
            // What stays are the letters of an escape that was cut in two, and of a word.
            let left = kept.replace(REDACTED, "").replace("before <", "").replace("> after", "");
            assert!(left.chars().filter(|letter| *letter != ' ').count() <= 16, "{name}: {kept}");
        }
    }
}

#[test]
fn an_engine_id_that_has_a_part_of_the_key_is_noticed() {
    let redactor = basic("uysgxtj7jzkps96njextnxxmq05usp0b");
    assert!(redactor.finds("id-jzkps96njext"));
    assert!(redactor.finds("xxmq05usp0b"));
    assert!(!redactor.finds("cwg6wclmg0x482u0"));
    assert!(!redactor.finds("uysgxtj"), "too short to tell from an accident");
}

#[test]
fn words_that_a_key_contains_stay() {
    let redactor = basic("production-workbench-key-4711-secret");
    let text = "the workbench has no such job in production; secret: none";
    assert_eq!(redactor.clean(text), text);
    assert_eq!(redactor.clean("a -key-4711-s b"), "a [redacted] b");
}

proptest::proptest! {
    #[test]
    fn no_eight_characters_of_a_random_key_are_kept(
        key in "[a-zA-Z0-9]{20,40}",
        from in 0_usize..32,
        length in 12_usize..24,
        before in "[ -~]{0,12}",
        after in "[ -~]{0,12}",
    ) {
        let redactor = basic(&key);
        let part = &key[from.min(key.len() - 12)..];
        let part = &part[..length.min(part.len())];
        let coded = [
            part.to_owned(),
            part.bytes().map(|byte| format!("%{byte:02x}")).collect(),
            part.bytes().map(|byte| format!("\\u{byte:04x}")).collect(),
            part.bytes().map(|byte| format!("&#{byte};")).collect(),
            hex::encode(part),
        ];
        for coded in coded {
            let clean = redactor.clean(&format!("{before} {coded} {after}"));
            proptest::prop_assert!(!clean.contains(&coded), "{clean}");
            let shown = part.as_bytes().windows(12).any(|run| {
                clean.as_bytes().windows(12).any(|there| there == run)
            });
            proptest::prop_assert!(!shown, "{clean}");
        }
    }

    #[test]
    fn an_ordinary_reply_stays_as_it_is(
        key in "[a-z0-9]{32}",
        words in proptest::collection::vec("(job|project|engine|not|found|internal|error|of|the|[0-9]{1,5})", 0..30),
    ) {
        let text = words.join(" ");
        proptest::prop_assert_eq!(basic(&key).clean(&text), text);
    }
}
