//! What a written configuration means since this version: each row of the table is told where it is touched, with
//! what it meant, what it means and what to write, and nowhere else.

use std::collections::BTreeSet;

use super::*;
use crate::config::Fault;
use crate::config::changed::{Change, OTHERS, ROWS};

const CASES: &str = include_str!("../../../tests/config/changed.txt");

/// The warning of a row in the report on a configuration.
fn told<'r>(report: &'r Report, row: &Change) -> Option<&'r Fault> {
    report.warnings.iter().chain(&report.changes).find(|found| found.message == row.message())
}

fn configuration(source: &str, on: &str, more: &str) -> String {
    let source = match source.starts_with('{') {
        true => source.to_owned(),
        false => format!("{{ provider: {source}, secrets: [{{ env: GITHUB_SECRET }}] }}"),
    };
    let written = "{ provider: github, secrets: [{ env: GITHUB_SECRET }] }";
    let on = if on.is_empty() { String::new() } else { format!(", {on}") };
    let more: String = more
        .split(';')
        .filter(|line| !line.trim().is_empty())
        .map(|line| format!("    {}\n", line.trim()))
        .collect();
    GOOD.replacen(written, &source, 1)
        .replacen("{ source: github, event: push }", &format!("{{ source: github{on} }}"), 1)
        .replacen("    job: retrain\n", &format!("{more}    job: retrain\n"), 1)
}

#[test]
fn each_change_of_meaning_is_told_where_it_is_touched_and_nowhere_else() {
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in CASES.lines().filter(|line| line.starts_with(['+', '-'])) {
        let parts: Vec<&str> = line.split(" |").map(str::trim).collect();
        let [head, source, on, more] = parts[..] else { panic!("four parts: {line}") };
        let (sign, name) = head.split_once(' ').expect("a sign and a row");
        let row = ROWS.iter().find(|row| row.name == name).expect(name);
        let text = configuration(source, on, more);
        let (report, plan) = Site::new(&text).check();
        let found = told(&report, row);
        if plan.is_none() || found.is_some() != (sign == "+") {
            wrong.push(format!("{line}\n{report}"));
        }
        if let Some(found) = found {
            let hint = found.hint.as_deref().unwrap_or_default();
            assert!(found.line > 0 && hint == row.mend, "{line}: {found:?}");
        }
        seen.insert((name, sign));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for row in &ROWS {
        for sign in ["+", "-"] {
            assert!(seen.contains(&(row.name, sign)), "no case {sign} {}", row.name);
        }
    }
}

#[test]
fn what_changed_beside_routes_and_sources_is_told_with_each_place() {
    fn row(name: &str) -> &'static Change {
        OTHERS.iter().find(|row| row.name == name).expect(name)
    }
    let of = |text: &str, name: &str| {
        let (report, plan) = Site::new(text).check();
        assert!(plan.is_some(), "{report}");
        told(&report, row(name)).map(|told| (told.line, told.also.len()))
    };
    let limited = GOOD.replace("api_key: alice }", "api_key: alice, starts_per_hour: 60 }");
    assert_eq!(of(&limited, "resume-pace"), Some((6, 0)));
    let paced = limited.replace("60 }", "60, resume_per_minute: 10 }");
    let held = limited.replace("60 }", "60, on_resume: review }");
    for untouched in [GOOD, &paced, &held] {
        assert_eq!(of(untouched, "resume-pace"), None, "{untouched}");
    }
    let two =
        "jobs:\n  other: { workbench: main, project: a/b, job: 1, api_key: alice, max_age: 1h }\n";
    assert_eq!(of(&limited.replace("jobs:\n", two), "resume-pace"), Some((6, 1)));

    let server = |keys: &str| format!("server: {{ {keys} }}\n{GOOD}");
    assert_eq!(of(&server("header_timeout: 5s"), "idle-connections"), Some((1, 0)));
    let both = server("header_timeout: 5s, idle_timeout: 75s");
    assert_eq!(of(&both, "idle-connections"), None);

    let program = |more: &str| {
        GOOD.replace("{ env: CDSW_ALICE }", &format!("{{ command: [vault, get]{more} }}"))
    };
    assert_eq!(of(&program(""), "environment-of-commands"), Some((4, 0)));
    for said in [", pass_env: [VAULT_ADDR]", ", pass_env: []"] {
        assert_eq!(of(&program(said), "environment-of-commands"), None, "{said}");
    }
}

#[test]
fn a_change_is_told_once_a_file_with_all_its_places() {
    let route = |n: usize| {
        format!("  r{n}: {{ on: {{ source: github, event: pull_request }}, job: retrain }}\n")
    };
    let many: String = (0..40).map(route).collect();
    let site = Site::new(&format!("{GOOD}{many}"));
    site.write("routes.d/a.yaml", format!("routes:\n{}", route(99)));
    let (report, _) = site.check();
    let forks = &ROWS[0];
    let told: Vec<&Fault> =
        report.warnings.iter().filter(|told| told.message == forks.message()).collect();
    assert_eq!(told.len(), 2, "{report}");
    assert_eq!((told[0].line, told[0].also.len()), (13, 21));
    assert!(told[0].also[0].ends_with("gateway.yaml:14"), "{:?}", told[0].also);
    assert_eq!(told[0].also[20], "19 more places");
    assert!(told[1].file.ends_with("a.yaml") && told[1].also.is_empty());
}

#[test]
fn every_row_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = ROWS.iter().chain(&OTHERS).map(|row| row.name).collect();
    assert_eq!(names.len(), ROWS.len() + OTHERS.len());
}

#[test]
fn what_changed_stands_below_the_warnings_in_a_few_lines() {
    let fresh = Site::new(GOOD).check().0;
    assert!(fresh.is_empty() && fresh.changes.is_empty(), "nothing of today's is told: {fresh}");
    let limited = GOOD.replace("api_key: alice }", "api_key: alice, starts_per_hour: 60 }");
    let said = Site::new(&limited).check().0.render(false);
    let place = "gateway.yaml:6:3: a job with limits of its starts and without `resume_per_minute`";
    assert!(said.contains(place), "{said}");
    assert!(said.contains("    to do: write `resume_per_minute: 10` where"), "{said}");
    assert!(!said.contains("warning"), "{said}");
}
