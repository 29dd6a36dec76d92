//! Every example of docs/expressions.md, on the push that the page tells of.

use super::*;

const PAGE: &str = include_str!("../../../docs/expressions.md");

/// The rows of all tables whose first column has this title: the text between backticks, and the second cell.
fn rows(title: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut within = false;
    for line in PAGE.lines() {
        if !line.starts_with('|') {
            within = false;
        } else if line.starts_with(&format!("| {title} |")) {
            within = true;
        } else if within && !line.starts_with("|--") {
            let cells = line.trim_start_matches("| `").trim_end_matches(" |");
            let (first, second) = cells.split_once("` | ").expect("two cells");
            rows.push((first.to_owned(), second.to_owned()));
        }
    }
    assert!(!rows.is_empty(), "no table of {title}");
    rows
}

fn the_push() -> Json {
    serde_json::from_str(include_str!("../../common/push.json")).expect("JSON")
}

/// A time at which nothing but the time of day is checked.
fn when() -> Timestamp {
    "2026-03-01T02:30:00Z".parse().expect("a time")
}

/// The variables that a route makes of the push. Each line is one of `env:`.
fn values(env: &[String]) -> Judged {
    let lines: Vec<String> = env.iter().map(|line| format!("      {line}\n")).collect();
    let routes = format!(
        "  r:\n    on: {{ source: github }}\n    job: retrain\n    env:\n{}",
        lines.concat()
    );
    judged_at(&plan("", &routes), "push", &the_push(), when())
}

fn value_of(judged: &Judged, name: &str) -> Option<String> {
    match &judged.runs[0].mapped {
        Mapped::Ready(environment) => environment.get(name).map(str::to_owned),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_condition_of_the_page_comes_out_as_the_page_says() {
    let rows = rows("condition");
    let routes: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(at, (condition, _))| {
            let condition = serde_json::to_string(condition).expect("text");
            format!("  r{at}: {{ on: {{ source: github }}, if: {condition}, job: retrain }}\n")
        })
        .collect();
    let judged = judged_at(&plan("", &routes.concat()), "push", &the_push(), when());
    for (at, (condition, outcome)) in rows.iter().enumerate() {
        let name = format!("r{at}");
        if outcome == "true" {
            assert!(matched(&judged).contains(&&*name), "{condition}: {}", missed(&judged, &name));
        } else {
            let words = missed(&judged, &name);
            let wanted = if outcome == "false" { "is false" } else { outcome };
            assert!(words.contains(wanted), "{condition}: {words}");
        }
    }
}

#[test]
fn each_value_of_the_page_comes_out_as_the_page_says() {
    for (line, value) in rows("in `env:`") {
        let name = line.split(':').next().expect("a name").to_owned();
        let judged = values(std::slice::from_ref(&line));
        let wanted = value.strip_prefix('`').map(|value| value.trim_end_matches('`').to_owned());
        assert_eq!(value_of(&judged, &name), wanted, "{line}");
    }
}

#[test]
fn each_function_of_the_page_gives_what_the_page_says() {
    let rows = rows("write");
    let env: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(at, (expression, _))| {
            let text = serde_json::to_string(&format!("${{{{ {expression} }}}}")).expect("text");
            format!("V{at}: {text}")
        })
        .collect();
    let judged = values(&env);
    for (at, (expression, value)) in rows.iter().enumerate() {
        let got = value_of(&judged, &format!("V{at}")).expect("a value");
        assert_eq!(&format!("`{got}`"), value, "{expression}");
    }
    assert!(rows.len() > 35, "{}", rows.len());
}

#[test]
fn a_text_that_is_shorter_than_the_cut_is_whole_and_a_longer_one_ends_with_a_character() {
    let of = |message: &str, line: &str| {
        let mut push = push("refs/heads/main", "ada", &["x"]);
        push["head_commit"]["message"] = json!(message);
        let routes =
            format!("  r: {{ on: {{ source: github }}, job: retrain, env: {{ V: {line} }} }}");
        value_of(&judged(&plan("", &routes), "push", &push), "V").expect("a value")
    };
    let cut =
        "{ value: \"${{ git.message }} of ${{ git.author }}\", max_bytes: 8, truncate: true }";
    assert_eq!(of("a", cut), "a of ada");
    assert_eq!(of("fix typo", cut), "fix typo");
    assert_eq!(of("fix typos", cut), "fix typo");
    assert_eq!(
        of("fix ty€s", cut),
        "fix ty",
        "no part of a character is left, and nothing follows"
    );
    assert_eq!(of("fix typo", "\"${{ git.message.substring(0, 50) }}\""), "fix typo");
    assert_eq!(of("€€€", "\"${{ git.message.truncate(2) }}\""), "€€");
}

#[test]
fn a_missing_value_behind_the_cut_is_missed_all_the_same() {
    let routes = "  r: { on: { source: github }, job: retrain, env: { V: \
                  { value: \"${{ git.message }}${{ git.tag }}\", max_bytes: 2, truncate: true } } }";
    let judged = judged(&plan("", routes), "push", &push("refs/heads/main", "ada", &["x"]));
    let Mapped::Failed(reason) = &judged.runs[0].mapped else { panic!("it has no tag") };
    assert!(reason.contains("`git.tag` is null"), "{reason}");
}
