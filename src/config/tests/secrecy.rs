//! No report, `Debug` text or plan shows a secret.

use super::*;

/// A secret that no rule about the shape of words hides, only the place where it stands.
const WORD: &str = "swordfish";

fn shown(text: &str) -> String {
    let (report, plan) = Site::new(text).check();
    let json = serde_json::to_string(&report).expect("serializes");
    format!("{report:?}\n{}\n{json}\n{plan:?}", report.render(true))
}

#[test]
fn a_literal_secret_is_underlined_and_never_shown() {
    for (piece, instead) in [
        ("[{ env: GITHUB_SECRET }]", "[WORD]"),
        ("[{ env: GITHUB_SECRET }]", "WORD"),
        ("[{ env: GITHUB_SECRET }]", "{ WORD }"),
        ("[{ env: GITHUB_SECRET }]", "[{ WORD: x }]"),
        ("[{ env: GITHUB_SECRET }]", "[{ value: WORD }]"),
        ("[{ env: GITHUB_SECRET }]", "[{ env: [WORD] }]"),
        ("[{ env: GITHUB_SECRET }]", "[{ env: \"WORD=\" }]"),
        ("[{ env: GITHUB_SECRET }]", "[{ env: A, env: WORD, file: 1 }]"),
        ("[{ env: GITHUB_SECRET }]", "[WORD], evnt: 1"),
        ("[{ env: GITHUB_SECRET }]", "[{ WORD: 1, WORD: 2 }]"),
        ("[{ env: GITHUB_SECRET }]", "[*WORD]"),
        ("[{ env: GITHUB_SECRET }]", "[!WORD x]"),
        ("[{ env: GITHUB_SECRET }]", "[ WORD"),
        ("[{ env: GITHUB_SECRET }]", "[ \"WORD ]"),
        ("secrets: [{ env: GITHUB_SECRET }]", "secret: WORD"),
        ("secrets: [{ env: GITHUB_SECRET }]", "secerts: [WORD]"),
        ("secrets: [{ env: GITHUB_SECRET }]", "token: WORD"),
        ("{ env: CDSW_ALICE }", "WORD"),
        ("{ alice: { env: CDSW_ALICE } }", "WORD"),
        ("{ alice: { env: CDSW_ALICE } }", "[WORD]"),
        ("api_key: alice", "api_key: WORD"),
        ("https://cdsw", "https://me:WORD@cdsw"),
        ("https://cdsw.example.com", "\"https://me:WORD@cdsw/a b"),
        ("workbenches:", "store: postgres://me:WORD@db/gateway\nworkbenches:"),
        ("workbenches:", "store: postgres://me@db/gateway?password=WORD\nworkbenches:"),
        (
            "workbenches:",
            "store: postgres://me@db/gateway\npostgres: { password: WORD }\nworkbenches:",
        ),
        ("workbenches:", "store: 'postgres:password=WORD'\nworkbenches:"),
    ] {
        assert!(GOOD.contains(piece), "{piece}");
        let text = GOOD.replace(piece, &instead.replace("WORD", WORD));
        let shown = shown(&text);
        assert!(!shown.contains(WORD), "{instead}:\n{shown}");
        assert!(shown.contains("error"), "{instead}:\n{shown}");
    }
}

#[test]
fn an_admin_token_is_never_shown() {
    let shown = shown(&format!("server: {{ admin_tokens: {{ ops: {WORD} }}, listn: 1 }}\n{GOOD}"));
    assert!(!shown.contains(WORD) && shown.contains("‹hidden›"), "{shown}");
}

#[test]
fn a_file_that_cannot_be_read_does_not_show_the_secrets_in_it() {
    let shown = shown(&format!("secrets:\n  - {WORD}\n  \t- {WORD}\n"));
    assert!(!shown.contains(WORD), "{shown}");
}

#[test]
fn the_path_of_a_secrets_file_is_shown_and_a_secret_in_its_place_is_not() {
    let with = |file: &str| {
        let secrets = format!("[{{ file: {file} }}, {{ file: /run/secrets/second }}], evnt: 1");
        shown(&GOOD.replace("[{ env: GITHUB_SECRET }]", &secrets))
    };
    for path in ["secrets/github-webhook", "/run/secrets/harbour", "../keys/github.key"] {
        let said = with(path);
        assert!(said.contains(path) && said.contains("/run/secrets/second"), "{said}");
    }
    for secret in
        ["swordfish", "APIKEY-4F2A9C7731D8", "q83v+EjRVnmJ/mrze8BI0Vni", "4f2a9c77/31d8b0e5a6c1"]
    {
        let said = with(secret);
        assert!(!said.contains(secret) && said.contains("/run/secrets/second"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_secret_that_everyone_can_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::new(&GOOD.replace("{ env: CDSW_ALICE }", "{ file: key }"));
    site.write("key", WORD);
    let set = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(site.directory.path().join("key"), permissions).expect("set");
    };
    set(0o644);
    let (report, plan) = site.check();
    assert!(plan.is_some());
    assert!(report.warnings[0].message.contains("everyone"), "{report}");
    set(0o600);
    assert!(site.check().0.is_empty());
}
