//! `explain` on requests that were saved whole: raw HTTP, and HAR files.

use std::path::PathBuf;

use super::common::Site;
use super::{Ended, run, run_with};

/// A site with the usual routes and a sender that signs the time.
fn site() -> Site {
    let site = Site::new("http://127.0.0.1:9", include_str!("explain.yaml"));
    let text = std::fs::read_to_string(site.config()).expect("read");
    let timed = "\nsources:\n  timed: { provider: hmac, header: X-Signature, \
                 template: \"{timestamp}.{body}\", timestamp_header: X-Time, \
                 secrets: [{ file: secrets/webhook }] }\n";
    site.write_config(&text.replace("\nsources:\n", timed));
    site
}

fn saved(name: &str) -> String {
    let directory =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/commands/requests"));
    directory.join(name).display().to_string()
}

fn explain(site: &Site, arguments: &[&str]) -> Ended {
    run(site.directory.path(), &[&["explain"], arguments].concat())
}

#[test]
fn a_saved_request_is_verified_on_its_exact_bytes() {
    let site = site();
    for name in ["github-push.http", "github-push-headers-only.txt", "network.har"] {
        let ended = explain(&site, &["github", &saved(name), "--verify"]).with(0);
        assert!(ended.stdout.contains("authentic"), "{ended}");
        assert!(ended.stdout.contains("would start retrain"), "{ended}");
        // Without --verify it is understood just so, and no secret is read.
        let unverified = explain(&site, &["github", &saved(name), "--json"]).with(0).json();
        assert_eq!(unverified["kind"], "push");
        let key = unverified["delivery_key"].as_str().expect("a key");
        assert!(key.starts_with("72d3162e-cc78-11e3-81ab-"), "the saved delivery id: {key}");
    }
}

#[test]
fn a_saved_request_with_other_line_ends_in_its_body_is_not_authentic() {
    let site = site();
    let bytes = std::fs::read(saved("github-push-headers-only.txt")).expect("read");
    let text = String::from_utf8(bytes).expect("text").replace("\r\n", "\n");
    let piped = ["explain", "github", "-", "--verify"];
    let ended = run_with(site.directory.path(), &piped, &text, |_| {}).with(1);
    assert!(ended.stderr.contains("not authentic, so it would get 401"), "{ended}");
    assert!(ended.stderr.contains("ends with a line break"), "{ended}");
    let bytes = std::fs::read(saved("github-push.http")).expect("read");
    let text = String::from_utf8(bytes).expect("text").replace("\"ref\": ", "\"ref\":   ");
    let ended = run_with(site.directory.path(), &piped, &text, |_| {}).with(1);
    assert!(ended.stderr.contains("was changed when it was saved"), "{ended}");
}

#[test]
fn an_entry_of_a_har_file_is_chosen_by_its_number() {
    let site = site();
    let har = saved("network.har");
    let star = explain(&site, &["github", &har, "--entry", "1", "--verify", "--json"]).with(1);
    assert_eq!((&star.json()["kind"], &star.json()["authentic"]), (&"star".into(), &true.into()));
    let get = explain(&site, &["github", &har, "--entry", "2"]).with(1);
    assert!(get.stderr.contains("it would get 405"), "{get}");
    let none = explain(&site, &["github", &har, "--entry", "9"]).with(1);
    assert!(none.stderr.contains("this HAR file has 3"), "{none}");
    let not_har = explain(&site, &["github", &saved("github-push.http"), "--entry", "1"]).with(1);
    assert!(not_har.stderr.contains("--entry is for HAR files"), "{not_har}");
}

#[test]
fn a_payload_without_headers_is_not_blamed_on_the_sender() {
    let site = site();
    for (text, says) in [
        ("{\"a\": 1}", "holds only a payload and no headers"),
        ("{\"a\": ", "holds only a payload and no headers"),
        ("", "the file is empty"),
        ("> POST /hooks/github HTTP/1.1\r\n> X-GitHub-Event: push\r\n>\r\n", "`curl -v` prints"),
    ] {
        let piped = ["explain", "github", "-", "--verify"];
        let ended = run_with(site.directory.path(), &piped, text, |_| {}).with(1);
        assert!(ended.stderr.contains(says), "{ended}");
        assert!(!ended.stderr.contains("at the sender"), "{ended}");
    }
}

#[test]
fn an_entry_without_a_body_is_said_to_have_none() {
    let site = site();
    let har = "{\"log\": {\"entries\": [{\"request\": {\"method\": \"POST\", \"url\": \
               \"https://a.example/hooks/github\", \"headers\": [{\"name\": \"X-GitHub-Event\", \
               \"value\": \"push\"}, {\"name\": \"X-Hub-Signature-256\", \"value\": \"sha256=SIG\"}]}}]}}";
    let har = har.replace("SIG", &"00".repeat(32));
    let piped = ["explain", "github", "-", "--verify"];
    let ended = run_with(site.directory.path(), &piped, &har, |_| {}).with(1);
    assert!(ended.stderr.contains("this entry of the HAR file has no body"), "{ended}");
}

#[test]
fn an_old_request_is_judged_as_of_the_time_when_it_was_sent() {
    let site = site();
    let request = "POST /hooks/timed HTTP/1.1\r\nX-Time: 1772366400\r\nX-Signature: \
        SIGNATURE\r\n\r\n{\"a\": 1}";
    let signed = {
        use hmac::{Hmac, KeyInit, Mac};
        let secret = super::common::WEBHOOK_SECRET.as_bytes();
        let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(secret).expect("any length");
        mac.update(b"1772366400.{\"a\": 1}");
        request.replace("SIGNATURE", &hex::encode(mac.finalize().into_bytes()))
    };
    let judged = |more: &[&str]| {
        let arguments = [&["explain", "timed", "-"], more].concat();
        run_with(site.directory.path(), &arguments, &signed, |_| {})
    };
    let now = judged(&["--verify"]).with(1);
    assert!(now.stderr.contains("401") && now.stderr.contains("--at TIME"), "{now}");
    for then in ["2026-03-01T12:04:59Z", "1772366400", "2026-03-01T13:00:00+01:00"] {
        let then = judged(&["--verify", "--at", then, "--json"]);
        assert_eq!(then.json()["authentic"], true, "{then}");
    }
    let late = judged(&["--verify", "--at", "2026-03-01T12:05:01Z"]).with(1);
    assert!(late.stderr.contains("401"), "{late}");
    assert!(judged(&["--verify", "--at", "yesterday"]).with(2).stderr.contains("not a time"));
    judged(&["--at", "1772366400"]).with(2);
}

#[test]
fn what_is_wrong_with_a_saved_request_is_said() {
    let site = site();
    for (text, arguments, says) in [
        ("HTTP/1.1 202 Accepted\n\n{}", &[][..], "this is an answer"),
        ("POST /hooks/github HTTP/1.1\nnonsense\n\n{}", &[], "line 2 is not a header"),
        ("GET /hooks/github HTTP/1.1\n\n", &[], "webhooks are sent with POST, and this is GET"),
        ("POST /hooks/github HTTP/1.1\n\n{}", &[], "x-github-event"),
        ("{\"log\": {\"entries\": [7]}}", &[], "this HAR file cannot be read"),
    ] {
        let arguments = [&["explain", "github", "-"], arguments].concat();
        let ended = run_with(site.directory.path(), &arguments, text, |_| {}).with(1);
        assert!(ended.stderr.contains(says), "{ended}");
    }
    let event = explain(&site, &["github", &saved("github-push.http"), "--event", "push"]).with(2);
    assert!(event.stderr.contains("--event goes with a payload"), "{event}");
}
