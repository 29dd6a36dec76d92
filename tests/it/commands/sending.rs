//! `send` without a configuration, as any sender; and `providers`, which says how to set one up.

use cdsw_gateway::providers::{self, SecretUse};

use super::common::Site;
use super::common::process::Serving;
use super::{Ended, run, run_with};

/// Providers whose documented source needs something that a test cannot give it, with the reason.
const NOT_HERE: &[(&str, &str)] = &[
    ("aws-sns", "its certificate is fetched from Amazon alone"),
    ("google-chat", "its keys are fetched from Google alone"),
    ("jwt", "the documented example is an issuer on the internet"),
    ("pubsub", "its keys are fetched from Google alone"),
];

/// A source of each provider as its documentation shows it, with the sample secret in a file. Those that sign
/// challenges are left out: they must share their secret with no other provider, and all samples are alike.
fn every_provider() -> Site {
    those(|name| here(name) && !signs_challenges(name))
}

fn here(name: &str) -> bool {
    NOT_HERE.iter().all(|(not, _)| *not != name)
}

fn signs_challenges(name: &str) -> bool {
    providers::find(name).is_some_and(|provider| provider.countersign().is_some())
}

/// Those that sign challenges, each alone, and all others together.
fn groups() -> Vec<(Site, Vec<&'static str>)> {
    let names = || providers::names().filter(|name| here(name));
    let alone = names().filter(|name| signs_challenges(name)).map(|name| vec![name]);
    let together = names().filter(|name| !signs_challenges(name)).collect();
    std::iter::once(together)
        .chain(alone)
        .map(|names: Vec<&'static str>| (those(|name| names.contains(&name)), names))
        .collect()
}

fn those(wanted: impl Fn(&str) -> bool) -> Site {
    let site = Site::new("http://127.0.0.1:9", "");
    let mut sources = String::new();
    for name in providers::names().filter(|name| wanted(name)) {
        let provider = providers::find(name).expect("in the table");
        let source = provider.about().source;
        sources.push_str(&format!("  {name}:\n"));
        let mut kept = true;
        for line in source.lines() {
            if !line.starts_with([' ', '-', '#']) {
                kept = !line.starts_with("secrets:");
            }
            if kept {
                sources.push_str(&format!("    {line}\n"));
            }
        }
        if source.contains("secrets:") {
            let secret = provider.sample_secret();
            site.private(name, str::from_utf8(secret.expose()).expect("text"));
            sources.push_str(&format!("    secrets: [{{ file: secrets/{name} }}]\n"));
        }
    }
    let server = "server:\n  listen: 127.0.0.1:0\n  admin: 127.0.0.1:0\n";
    site.write_config(&format!("{server}store: sqlite:gateway.db\nsources:\n{sources}"));
    site
}

fn send(site: &Site, arguments: &[&str]) -> Ended {
    run(site.directory.path(), &[&["send"], arguments].concat())
}

#[test]
fn send_signs_as_every_provider_and_a_gateway_believes_it() {
    let mut refused = Vec::new();
    for (site, names) in groups() {
        let gateway = Serving::on(&site);
        for name in names {
            let to = format!("http://{}/hooks/{name}", gateway.hooks);
            let sent = send(&site, &["--provider", name, "--to", &to]);
            if sent.status != 0 {
                refused.push(sent.to_string());
            } else if providers::find(name).expect("in the table").secret_use(&Default::default())
                == SecretUse::Required
            {
                assert!(sent.stderr.contains("which proves nothing"), "{sent}");
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn send_by_configuration_tries_every_source_that_has_its_providers_sample_key() {
    let site = every_provider();
    let text = std::fs::read_to_string(site.config()).expect("read");
    // A source of tokens whose keys are its own, beside the documented ones.
    let jwt = "  tokens:\n    provider: jwt\n    issuer: https://issuer.example.com\n    \
        audience: https://hooks.example.com\n    algorithms: [RS256]\n    \
        secrets: [{ file: secrets/tokens }]\n";
    let public = providers::find("jwt").expect("in the table").sample_secret();
    site.private("tokens", str::from_utf8(public.expose()).expect("text"));
    site.write_config(&format!("{text}{jwt}"));
    let gateway = Serving::on(&site);
    let to = format!("http://{}", gateway.hooks);
    let names = providers::names().filter(|name| here(name) && !signs_challenges(name));
    let sent: Vec<Ended> = names
        .chain(["tokens"])
        .map(|name| send(&site, &[name, "--to", &to]))
        .filter(|sent| sent.status != 0)
        .collect();
    assert!(sent.is_empty(), "{}", sent.iter().map(ToString::to_string).collect::<String>());
}

#[test]
fn send_says_what_to_do_where_only_the_sender_can_sign() {
    let site = every_provider();
    let text = std::fs::read_to_string(site.config()).expect("read");
    let other = "1ad5ee1e0f0ad1d9e9ea1ad3b0e0f2ab0b1f0b5a7d7c37a1e2e3f7a9c1d2e3f4";
    site.private("discord", other);
    let fetched = "  chat:\n    provider: google-chat\n    audience: \"123456789012\"\n  \
        datasets:\n    provider: aws-sns\n    topics: [\"arn:aws:sns:eu-west-1:123456789012:d\"]\n";
    site.write_config(&format!("{text}{fetched}"));
    let to = ["--to", "http://127.0.0.1:9"];
    let discord = send(&site, &[&["discord"][..], &to].concat()).with(1);
    assert!(discord.stderr.contains("providers discord --sample-secret"), "{discord}");
    assert!(!discord.to_string().contains(other), "{discord}");
    for name in ["chat", "datasets"] {
        let sent = send(&site, &[&[name][..], &to].concat()).with(1);
        assert!(sent.stderr.contains("believes nobody but its sender"), "{sent}");
        assert!(sent.stderr.contains(&format!("explain {name}")), "{sent}");
    }
    let sent = send(&site, &["--provider", "google-chat", "--to", "http://127.0.0.1:9"]).with(4);
    assert!(sent.stderr.contains("believes nobody but its sender"), "{sent}");
}

#[test]
fn send_takes_a_secret_from_a_file_or_a_variable_and_shows_none() {
    let site = every_provider();
    let secret = "canary-secret-of-a-sender-91";
    site.private("github", secret);
    site.private("wrong", "canary-another-secret");
    let gateway = Serving::on(&site);
    let to = format!("http://{}", gateway.hooks);
    let good = ["--provider", "github", "--to", &to, "--secret-file", "secrets/github"];
    let sent = send(&site, &good).with(0);
    assert!(sent.stderr.is_empty(), "{sent}");
    let wrong = ["--provider", "github", "--to", &to, "--secret-file", "secrets/wrong"];
    assert!(send(&site, &wrong).with(1).stdout.contains("not authentic"));
    let by_name = ["send", "--provider", "github", "--to", &to, "--secret-env", "GIVEN"];
    let sent = run_with(site.directory.path(), &by_name, "", |command| {
        command.env("GIVEN", secret);
    });
    assert!(!sent.with(0).to_string().contains("canary"));
    let missing = send(&site, &["--provider", "github", "--secret-env", "NOT_THERE"]).with(5);
    assert!(missing.stderr.contains("NOT_THERE"), "{missing}");
}

#[test]
fn send_takes_settings_that_differ_from_the_documented_ones() {
    let site = every_provider();
    let text = std::fs::read_to_string(site.config()).expect("read");
    let other = text.replace("header: X-Signature", "header: X-Other\n    encoding: base64");
    assert_ne!(text, other);
    site.write_config(&other);
    let gateway = Serving::on(&site);
    let to = format!("http://{}/hooks/hmac", gateway.hooks);
    let documented = ["--provider", "hmac", "--to", &to];
    send(&site, &documented).with(1);
    let set = ["--set", "header=X-Other", "--set", "encoding=base64"];
    send(&site, &[&documented[..], &set].concat()).with(0);
    let odd = send(&site, &[&documented[..], &["--set", "hedaer=X-Other"]].concat()).with(3);
    assert!(odd.stderr.contains("did you mean `header`?"), "{odd}");
}

#[test]
fn send_asks_for_a_source_or_a_provider_and_names_those_there_are() {
    let site = every_provider();
    send(&site, &[]).with(2);
    send(&site, &["github", "--provider", "github"]).with(2);
    let unknown = send(&site, &["--provider", "gihtub"]).with(5);
    assert!(unknown.stderr.contains("github"), "{unknown}");
    let unknown = send(&site, &["--provider", "github", "--event", "star"]).with(5);
    assert!(unknown.stderr.contains("push, pull_request"), "{unknown}");
}

#[test]
fn providers_are_listed_with_their_samples_and_each_says_how_to_set_it_up() {
    let site = every_provider();
    let here = site.directory.path();
    let listed = run(here, &["providers"]).with(0);
    assert_eq!(listed.stdout, send(&site, &["--list"]).with(0).stdout);
    let all = run(here, &["providers", "--json"]).with(0).json()["providers"].take();
    let names: Vec<&str> =
        all.as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, providers::names().collect::<Vec<_>>());
    for name in names {
        assert!(listed.stdout.contains(name), "{listed}");
        let one = run(here, &["providers", name]).with(0);
        assert!(one.stdout.contains(&format!("provider: {name}")), "{one}");
    }
    run(here, &["providers", "nobody"]).with(5);
    let sample = run(here, &["providers", "github", "--sample-secret"]).with(0);
    let secret = providers::find("github").expect("in the table").sample_secret();
    assert_eq!(sample.stdout.as_bytes(), secret.expose());
}
