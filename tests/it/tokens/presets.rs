//! What configurations of token sources must and must not say.

use std::path::Path;

use cdsw_gateway::config::Live;

/// The faults of a source with these lines, rendered; empty where there are none.
fn faults(lines: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.yaml");
    let lines: String = lines.lines().map(|line| format!("    {}\n", line.trim())).collect();
    let text = include_str!("../../config/every_provider.yaml");
    std::fs::write(&path, format!("{text}  ci:\n    provider: jwt\n{lines}")).expect("written");
    started(&path)
}

fn started(path: &Path) -> String {
    Live::start(path).err().map(|report| report.render(false)).unwrap_or_default()
}

#[test]
fn a_preset_and_an_audience_are_enough_where_strangers_are_kept_out() {
    for lines in [
        "preset: github-actions\naudience: gateway\nrequired_claims: { repository: acme/risk }",
        "preset: gitlab\naudience: gateway\nrequired_claims: { project_path: [acme/risk, acme/fraud] }",
        "preset: gitlab\nissuer: https://gitlab.example.com\naudience: gateway",
        "preset: google\naudience: gateway\nrequired_claims: { email: ci@acme.iam.gserviceaccount.com }",
        "preset: kubernetes\nissuer: https://kubernetes.default.svc\naudience: gateway\njwks_url: https://10.0.0.1/openid/v1/jwks\nca_file: ca.pem",
        "preset: kubernetes\nissuer: https://kubernetes.default.svc\naudience: gateway\nsecrets: [{ file: jwks.json }]",
        "issuer: me\naudience: gateway\nalgorithms: HS256\nsecrets: [{ env: SHARED }]",
        "issuer: me\naudience: gateway\nalgorithms: [EdDSA]\njwks_url: http://127.0.0.1:9/jwks",
    ] {
        assert_eq!(faults(lines), "", "{lines}");
    }
}

#[test]
fn what_is_missing_or_dangerous_is_said() {
    for (lines, words) in [
        ("issuer: me\nalgorithms: [RS256]\nsecrets: [{ env: K }]", "needs `audience`"),
        ("audience: a\nalgorithms: [RS256]\nsecrets: [{ env: K }]", "needs `issuer`"),
        ("issuer: me\naudience: a\nsecrets: [{ env: K }]", "needs `algorithms`"),
        (
            "issuer: me\naudience: a\nalgorithms: [none]\nsecrets: [{ env: K }]",
            "`none` is not an algorithm",
        ),
        ("issuer: me\naudience: a\nalgorithms: [HS256, RS256]\nsecrets: [{ env: K }]", "one kind"),
        (
            "issuer: me\naudience: a\nalgorithms: [HS256]\njwks_url: https://x/jwks",
            "nobody publishes",
        ),
        ("issuer: me\naudience: a\nalgorithms: [RS256]", "no secret"),
        (
            "issuer: me\naudience: a\nalgorithms: [RS256]\njwks_url: https://x/jwks\nsecrets: [{ env: K }]",
            "no use for",
        ),
        (
            "issuer: me\naudience: a\nalgorithms: [RS256]\njwks_url: http://x.example.com/jwks",
            "could be anyone's",
        ),
        (
            "issuer: me\naudience: a\nalgorithms: [RS256]\njwks_url: https://u:p@x/jwks",
            "user or password",
        ),
        (
            "issuer: me\naudience: a\nalgorithms: [RS256]\nsecrets: [{ env: K }]\nca_file: ca.pem",
            "`ca_file` is of no use",
        ),
        ("preset: github-actions\naudience: a", "everyone in the world"),
        (
            "preset: github-actions\naudience: a\nrequired_claims: { ref: refs/heads/main }",
            "everyone in the world",
        ),
        ("preset: gitlab\naudience: a", "everyone in the world"),
        ("preset: google\naudience: a", "everyone in the world"),
        ("preset: gitlab\nissuer: http://gitlab.example.com\naudience: a", "could be anyone's"),
        ("preset: github\naudience: a", "is not a preset"),
        ("preset: github-actions\naudience: a\nrequired_claims: {}", "`required_claims` is empty"),
        ("preset: kubernetes\naudience: a\nsecrets: [{ env: K }]", "needs `issuer`"),
    ] {
        let faults = faults(lines);
        assert!(faults.contains(words), "{lines}\n{faults}");
    }
}
