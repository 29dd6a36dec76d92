//! Anchors, aliases and merge keys: what they stand for, and where their faults are.

use super::*;

/// A configuration with this text for its routes.
fn with(routes: &str) -> String {
    let at = GOOD.find("routes:").expect("routes");
    format!("{}{routes}", &GOOD[..at])
}

fn plan(routes: &str) -> Plan {
    let (report, plan) = Site::new(&with(routes)).check();
    plan.unwrap_or_else(|| panic!("{}", report.render(false)))
}

#[test]
fn an_alias_repeats_a_text_a_list_and_a_section() {
    let plan = plan(
        "x-team: &team [ada, grace]\n\
         routes:\n\
         \x20 a: { on: &on { source: &source github, author: *team }, job: &job retrain }\n\
         \x20 b: { on: *on, job: *job }\n\
         \x20 c: { on: { source: *source, author: *team }, job: *job }\n",
    );
    for route in &plan.routes {
        assert_eq!(&*route.sources[0], "github");
        assert_eq!(route.on[0].author.as_ref().expect("set").to_string(), "ada or grace");
    }
    assert_eq!(plan.routes.len(), 3);
}

#[test]
fn a_merge_key_gives_what_the_section_itself_does_not_say() {
    let plan = plan(
        "routes:\n\
         \x20 a: &a { on: { source: github, event: push }, job: retrain, env: { X: from-a, Y: from-a } }\n\
         \x20 b: { env: { Z: own }, <<: *a }\n\
         \x20 c: { <<: [{ description: first }, { description: second, env: { X: second } }, *a] }\n",
    );
    let names = |at: usize| {
        let variables = plan.routes[at].mapping.variables.iter();
        variables.map(|variable| variable.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(0), ["X", "Y"]);
    assert_eq!(names(1), ["Z"], "a key is merged as a whole");
    assert_eq!(names(2), ["X"]);
    assert_eq!(plan.routes[2].description.as_deref(), Some("first"));
    assert!(plan.routes.iter().all(|route| route.on[0].events.is_some()));
}

#[test]
fn a_fault_of_what_is_repeated_stands_once_where_it_is_written() {
    let faults = faults_of(&with(
        "routes:\n\
         \x20 a: { on: &on { source: github, branch: \"a[\" }, job: retrain }\n\
         \x20 b: { on: *on, job: retrain }\n",
    ));
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("10:42+4 "), "{faults:?}");
}

#[test]
fn what_cannot_be_repeated_is_said_with_its_place() {
    let one = |routes: &str| {
        let faults = faults_of(&with(routes));
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].clone()
    };
    assert!(
        one("routes: { a: { on: { source: *x }, job: retrain } }")
            .contains("no anchor of this name")
    );
    assert!(one("x-a: &a [*a]\nroutes: {}").contains("within the value that it repeats"));
    assert!(one("x-a: { <<: text }\nroutes: {}").contains("takes a section"));
    assert!(one("x-a: &a text\nx-b: { *a : 1 }\nroutes: {}").contains("a key must be text"));
    assert!(one("x-a: { &a key: 1 }\nroutes: {}").contains("without an anchor"));
    let twice = one("routes: { a: { job: retrain, job: retrain, on: { source: github } } }");
    assert!(twice.contains("is there twice"));
}

#[test]
fn a_secret_that_is_repeated_is_hidden_where_it_is_written() {
    let text = GOOD
        .replace("env: GITHUB_SECRET", "env: *s")
        .replace("sources:", "x-s: &s \"hunter2 hunter2\"\nsources:");
    let (report, plan) = Site::new(&text).check();
    assert!(plan.is_none());
    assert!(!report.render(false).contains("hunter2"), "{}", report.render(false));
}
