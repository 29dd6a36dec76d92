//! Commands that need no gateway.

use super::common::{PUSH, Site};
use super::{run, run_with};

/// A site with a route for each way of not matching, and a payload beside them.
fn explained() -> Site {
    let site = Site::new("http://127.0.0.1:9", include_str!("explain.yaml"));
    std::fs::write(site.path("push.json"), PUSH).expect("written");
    site
}

#[test]
fn check_says_what_a_good_configuration_holds() {
    let site = explained();
    let directory = site.directory.path();
    insta::assert_snapshot!(run(directory, &["check"]).with(0));
    let report = run(directory, &["check", "--json"]).with(0).json();
    assert_eq!(report["faults"], serde_json::json!([]));
}

#[test]
fn check_shows_every_fault_with_its_place_and_a_hint() {
    let site = Site::new("http://127.0.0.1:9", "");
    site.write_config(include_str!("faulty.yaml"));
    let directory = site.directory.path();
    insta::assert_snapshot!(run(directory, &["check"]).with(3));
    let report = run(directory, &["check", "--json"]).with(3).json();
    let faults = report["faults"].as_array().expect("faults");
    assert!(faults.len() >= 4, "{report}");
    assert!(faults.iter().all(|fault| fault["line"].is_u64()), "{report}");
}

#[test]
fn explain_says_of_each_route_why_it_does_or_does_not_match() {
    let site = explained();
    insta::assert_snapshot!(
        run(site.directory.path(), &["explain", "github", "push.json"]).with(0)
    );
}

#[test]
fn explain_gives_scripts_the_same_as_json() {
    let site = explained();
    let directory = site.directory.path();
    let said = run(directory, &["explain", "github", "push.json", "--json"]).with(0).json();
    let routes = said["explanation"]["routes"].as_array().expect("routes");
    let matched: Vec<&str> = routes
        .iter()
        .filter(|route| route["matched"] == true)
        .map(|route| route["route"].as_str().expect("a name"))
        .collect();
    assert_eq!(matched, ["everything-fits", "fits-but-its-mapping-fails"]);
    for route in routes.iter().filter(|route| route["matched"] == false) {
        assert!(route["test"].is_string() && route["words"].is_string(), "{route}");
    }
    assert_eq!(said["runs"][0]["environment"]["STARTED_BY"], "push by ada");
    assert_eq!(said["runs"][1]["environment"], serde_json::Value::Null);
    assert!(said["runs"][1]["reason"].as_str().expect("a reason").contains("MODEL"));
}

#[test]
fn explain_ends_with_one_when_nothing_would_be_started() {
    let site = explained();
    let directory = site.directory.path();
    let tag = include_str!("../../payloads/github/create-tag.json");
    let nothing = ["explain", "github", "-", "--event", "create"];
    insta::assert_snapshot!(run_with(directory, &nothing, tag, |_| {}).with(1));
    let skipped = PUSH.replace("lower the learning rate", "results [skip cdsw]");
    let skipped = run_with(directory, &["explain", "github", "-"], &skipped, |_| {}).with(1);
    assert!(skipped.stdout.contains("the head commit says [skip cdsw]"), "{skipped}");
}

#[test]
fn explain_checks_a_signature_when_asked() {
    let site = explained();
    let directory = site.directory.path();
    let signature = super::common::github_signature(PUSH.as_bytes());
    let signed = format!("X-Hub-Signature-256: {signature}");
    let event = "X-GitHub-Event: push";
    let given = ["explain", "github", "push.json", "--verify", "-H", event, "-H"];
    let good = run(directory, &[&given[..], &[&signed]].concat()).with(0);
    assert!(good.stdout.contains("authentic"), "{good}");
    let stranger = format!("X-Hub-Signature-256: sha256={}", "0".repeat(64));
    let bad = run(directory, &[&given[..], &[&stranger]].concat()).with(1);
    assert!(bad.stderr.contains("not authentic, so it would get 401"), "{bad}");
}

#[test]
fn schema_is_the_schema_that_the_documentation_has() {
    let directory = tempfile::tempdir().expect("a directory");
    let schema = run(directory.path(), &["schema"]).with(0).json();
    assert_eq!(schema["type"], "object");
    for key in ["server", "store", "workbenches", "jobs", "sources", "routes"] {
        assert!(schema["properties"][key].is_object(), "{key}");
    }
}

#[test]
fn completions_are_a_script_that_the_shell_accepts() {
    let directory = tempfile::tempdir().expect("a directory");
    let bash = run(directory.path(), &["completions", "bash"]).with(0);
    for command in commands() {
        assert!(bash.stdout.contains(&command), "{command} is not completed");
    }
    let script = directory.path().join("completions");
    std::fs::write(&script, &bash.stdout).expect("written");
    let read = std::process::Command::new("bash").arg("-n").arg(&script).status();
    assert!(read.expect("bash is here").success());
    for shell in ["zsh", "fish"] {
        assert!(run(directory.path(), &["completions", shell]).with(0).stdout.len() > 1000);
    }
    run(directory.path(), &["completions", "cmd.exe"]).with(2);
}

/// Every command, as the help lists it.
fn commands() -> Vec<String> {
    let directory = tempfile::tempdir().expect("a directory");
    let help = run(directory.path(), &["--help"]).with(0).stdout;
    let (_, list) = help.split_once("Commands:\n").expect("a list of commands");
    let (list, _) = list.split_once("\n\n").expect("its end");
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).filter(|name| name != "help").collect()
}

#[test]
fn every_command_helps_with_examples_that_name_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let commands = commands();
    assert_eq!(commands.len(), 27, "{commands:?}");
    for command in commands {
        let help = run(directory.path(), &[&command, "--help"]).with(0);
        let (_, examples) = help.stdout.split_once("Example").expect("examples");
        let example = format!("cdsw-gateway {command}");
        assert!(examples.contains(&example), "{help}");
        assert!(help.stderr.is_empty(), "{help}");
    }
}

#[test]
fn the_help_says_what_there_is_and_how_it_ends() {
    let directory = tempfile::tempdir().expect("a directory");
    insta::assert_snapshot!(run(directory.path(), &["--help"]).with(0));
}
