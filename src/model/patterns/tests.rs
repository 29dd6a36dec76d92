//! Patterns against GitHub's examples, against a slow reading of the same grammar, and against what version
//! 0.1.0 read.

use std::time::Instant;

use proptest::prelude::*;

use super::*;

fn patterns(texts: &[&str]) -> Patterns {
    of(Grammar::Filter, texts)
}

fn names(texts: &[&str]) -> Patterns {
    of(Grammar::Name, texts)
}

fn of(grammar: Grammar, texts: &[&str]) -> Patterns {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    Patterns::parse_as(grammar, &texts).expect("valid patterns")
}

#[test]
fn every_example_of_github_matches_what_github_says() {
    let table = include_str!("../../../tests/patterns/github.txt");
    let mut rows = 0;
    for row in table.lines().filter(|row| !row.is_empty() && !row.starts_with('#')) {
        let cells: Vec<Vec<&str>> =
            row.split('|').map(|cell| cell.split_whitespace().collect()).collect();
        let [list, fit, others] = &cells[..] else { panic!("three cells: {row}") };
        let list = patterns(list);
        fit.iter().for_each(|name| assert!(list.pass(name), "{row}: {name} does not match"));
        others.iter().for_each(|name| assert!(!list.pass(name), "{row}: {name} matches"));
        rows += 1;
    }
    assert!(rows > 50, "{rows}");
}

#[test]
fn the_last_pattern_that_fits_decides() {
    let markdown = patterns(&["models/**", "!**/*.md", "models/KEEP.md"]);
    assert!(markdown.pass("models/a/b.py"));
    assert!(!markdown.pass("models/a/b.md"));
    assert!(markdown.pass("models/KEEP.md"));
    assert!(!markdown.pass("docs/a.py"));
}

#[test]
fn a_thing_of_two_names_passes_by_either_unless_one_is_excluded() {
    let not_general = patterns(&["**", "!general"]);
    assert!(not_general.pass_any(["C1", "ml"]));
    assert!(!not_general.pass_any(["C1", "general"]));
    assert!(patterns(&["ml"]).pass_any(["C1", "ml"]));
    assert!(!patterns(&["ml"]).pass_any(["C1", "other"]));
    assert!(!patterns(&["**"]).pass_any([]));
}

#[test]
fn the_name_of_an_account_is_itself_unless_it_has_a_star() {
    for name in ["x[bot]", "what?", "a+b", "{a,b}", "CORP\\ada", "a.b", "[", "]", "é+"] {
        assert!(names(&[name]).pass(name), "{name}");
        assert_eq!(names(&[name]).literals(), Some(vec![name]));
    }
    assert!(!names(&["x[bot]"]).pass("xb"));
    assert!(!names(&["a+b"]).pass("aab"));
    assert!(names(&["*[bot]"]).pass("dependabot[bot]"));
    assert!(!names(&["*[bot]"]).pass("dependabotb"));
    assert!(names(&["**", "!ci-*"]).pass("ada"));
    assert!(!names(&["**", "!ci-*"]).pass("ci-1"));
    assert!(names(&["a\\*", "\\[x\\]"]).pass("a*"), "a star can be escaped");
    assert!(names(&["\\[x\\]"]).pass("[x]"), "what was escaped before still is");
}

#[test]
fn the_owner_of_a_repository_is_a_name_and_the_rest_is_a_filter() {
    let list = of(Grammar::Repository, &["x[bot]/risk-[0-9]+"]);
    assert!(list.pass("x[bot]/risk-12"));
    assert!(!list.pass("xb/risk-12"));
    assert!(of(Grammar::Repository, &["acme/**"]).pass("acme/a/b"));
    assert!(of(Grammar::Repository, &["**/risk"]).pass("acme/models/risk"));
    assert_eq!(of(Grammar::Repository, &["acme/risk"]).literals(), Some(vec!["acme/risk"]));
}

#[test]
fn a_list_that_can_never_pass_is_refused() {
    let only_not = Patterns::parse(&["!main".to_owned()]).expect_err("never matches");
    assert!(only_not[0].message.contains("**"), "{}", only_not[0].message);
    assert!(Patterns::parse(&[]).is_err());
    for wrong in ["", "!", "[", "[]", "a[]b", "[z-a]", "x\\", "[a"] {
        let faults = Patterns::parse(&["**".to_owned(), wrong.to_owned()]).expect_err(wrong);
        assert_eq!(faults[0].index, 1);
        assert!(!faults[0].message.is_empty());
    }
}

#[test]
fn literals_are_known_only_when_no_pattern_can_pass() {
    assert_eq!(patterns(&["a", "b", "!c*"]).literals(), Some(vec!["a", "b"]));
    assert_eq!(patterns(&["a", "b*"]).literals(), None);
    assert_eq!(patterns(&["v1\\+2"]).literals(), Some(vec!["v1+2"]));
    assert_eq!(patterns(&["v1+2"]).literals(), None);
    assert_eq!(patterns(&["{a,b}"]).literals(), Some(vec!["a", "b"]));
}

#[test]
fn braces_are_still_read_as_alternatives_and_their_number_is_bounded() {
    let list = patterns(&["{main,release/{1,2}}-*"]);
    assert!(list.pass("main-x") && list.pass("release/1-x") && list.pass("release/2-x"));
    assert!(!list.pass("release/3-x"));
    assert!(patterns(&["\\{a,b\\}"]).pass("{a,b}"));
    assert!(patterns(&["{a"]).pass("{a"), "a brace that is not closed is itself");
    let bomb = "{a,b}".repeat(40);
    let faults = Patterns::parse(&[bomb]).expect_err("too many");
    assert!(faults[0].message.contains("more than 64"), "{}", faults[0].message);
}

#[test]
fn a_pattern_of_stars_on_a_long_name_takes_no_longer_than_the_name_is() {
    let hostile = ["*a", "a?", "**a*", "[a-z]+", "a+?"].map(|part| part.repeat(20));
    let start = Instant::now();
    for pattern in hostile {
        let list = patterns(&[&format!("{pattern}b")]);
        assert!(!list.pass(&format!("{}c", "a".repeat(100_000))));
        let _ = list.pass(&format!("{}cb", "a".repeat(100_000)));
    }
    // A million characters. A matcher that backtracks would not end.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn a_pattern_that_is_too_long_for_the_matcher_is_refused_and_a_long_literal_is_not() {
    let long = "x".repeat(10_000);
    assert!(patterns(&[&long]).pass(&long));
    assert!(patterns(&[&format!("{long}*{long}")]).pass(&format!("{long}{long}")));
    let faults = Patterns::parse(&[format!("*{long}*")]).expect_err("too long");
    assert!(faults[0].message.contains("127"), "{}", faults[0].message);
}

#[test]
fn what_looks_like_the_name_and_does_not_match_it_says_how_to_write_the_name() {
    assert_eq!(patterns(&["v[1]"]).escaped_twin("v[1]").as_deref(), Some("v\\[1\\]"));
    assert!(patterns(&["v\\[1\\]"]).pass("v[1]"));
    assert_eq!(patterns(&["v[1]"]).escaped_twin("v2"), None);
}

/// The same grammar, read into a regular expression.
fn slow(pattern: &str) -> regex::Regex {
    let letters: Vec<char> = pattern.chars().collect();
    let mut atoms: Vec<String> = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let letter = letters[at];
        at += 1;
        match letter {
            '*' => {
                let first = at == 1 || letters[at - 2] == '/';
                let begin = at - 1;
                while letters.get(at) == Some(&'*') {
                    at += 1;
                }
                let slash = letters.get(at) == Some(&'/');
                let repeated = matches!(letters.get(at + 1), Some('?' | '+'));
                if at - begin == 1 {
                    atoms.push("[^/]*".to_owned());
                } else if first && slash && !repeated {
                    atoms.push("(?:.+/)?".to_owned());
                    at += 1;
                } else {
                    atoms.push(".*".to_owned());
                }
            }
            '?' | '+' if !atoms.is_empty() => {
                let last = atoms.pop().expect("checked");
                atoms.push(format!("(?:{last}){letter}"));
            }
            '[' => {
                let end =
                    at + letters[at..].iter().position(|letter| *letter == ']').expect("closed");
                let inside: String = letters[at..end].iter().collect();
                atoms.push(format!("[{inside}]"));
                at = end + 1;
            }
            letter => atoms.push(regex::escape(&letter.to_string())),
        }
    }
    regex::Regex::new(&format!("(?s)^(?:{})$", atoms.concat())).expect("a regular expression")
}

fn some_pattern() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a", "b", "/", "*", "**", "?", "+", "[a-b]", "[b]", "é", "**/", "a?", "b+", "/**/", ".",
    ]);
    prop::collection::vec(part, 1..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_matcher_agrees_with_a_slow_reading_of_the_same_grammar(
        pattern in some_pattern(),
        texts in prop::collection::vec("[abé/.+?]{0,10}", 20),
    ) {
        let list = patterns(&[&pattern]);
        let slow = slow(&pattern);
        for text in texts {
            prop_assert_eq!(list.pass(&text), slow.is_match(&text), "{} on {}", pattern, text);
        }
    }

    #[test]
    fn an_escaped_text_matches_itself_and_nothing_else(text in "\\PC{1,12}", other in "\\PC{1,12}") {
        let escaped = grammar::escaped(&text);
        for grammar in [Grammar::Filter, Grammar::Name] {
            let list = of(grammar, &[&escaped]);
            prop_assert!(list.pass(&text), "{:?} {}", grammar, escaped);
            prop_assert_eq!(list.pass(&other), text == other);
        }
    }

    #[test]
    fn no_text_makes_parsing_or_matching_fail(pattern in ".{0,60}", text in ".{0,60}") {
        for grammar in [Grammar::Filter, Grammar::Name, Grammar::Repository] {
            if let Ok(list) = Patterns::parse_as(grammar, std::slice::from_ref(&pattern)) {
                let _ = list.pass(&text);
            }
            let _ = changes(grammar, &pattern);
        }
    }
}

proptest! {
    // Each case compiles three regular expressions.
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_pattern_without_a_change_means_what_it_meant(
        pattern in some_pattern(),
        texts in prop::collection::vec("[ab.]{1,3}(/[ab.é]{1,3}){0,3}", 20),
    ) {
        for grammar in [Grammar::Filter, Grammar::Name, Grammar::Repository] {
            let was_literal = !pattern.contains(['*', '?', '[', '{', '\\']);
            let glob = globset::GlobBuilder::new(&pattern)
                .literal_separator(true)
                .backslash_escape(true)
                .build();
            let Ok(glob) = glob else { continue };
            let glob = glob.compile_matcher();
            if !changes(grammar, &pattern).is_empty() {
                continue;
            }
            let list = of(grammar, &[&pattern]);
            for text in &texts {
                let before = if was_literal { *text == pattern } else { glob.is_match(text) };
                prop_assert_eq!(list.pass(text), before, "{:?} {} on {}", grammar, pattern, text);
            }
        }
    }
}

#[test]
fn each_change_of_meaning_is_told_with_what_to_write() {
    let told = |grammar, text: &str| -> Vec<String> {
        changes(grammar, text).into_iter().map(|change| change.mend).collect()
    };
    assert!(told(Grammar::Filter, "v[0-9]+")[0].contains("`v[0-9]\\+`"));
    assert!(told(Grammar::Filter, "!data/**.csv")[0].contains("`!data/*.csv`"));
    assert!(told(Grammar::Filter, "*.jsx?")[0].contains("\\?"));
    assert!(told(Grammar::Filter, "[!a]*")[0].contains("begins with `!`"));
    assert!(told(Grammar::Filter, "{main,dev}")[0].contains("[\"main\", \"dev\"]"));
    assert!(told(Grammar::Name, "x[bot]")[0].contains("list the names"));
    assert_eq!(told(Grammar::Filter, "a**?b+{c,d}[^e]").len(), 5);
    for same in ["main", "release/**", "**/*.md", "v*", "models/**/a.py", "v[0-9].x", "a\\+b"] {
        assert_eq!(told(Grammar::Filter, same), [""; 0], "{same}");
    }
    for same in ["ada", "ci-*", "a+b", "x\\[bot\\]", "**"] {
        assert_eq!(told(Grammar::Name, same), [""; 0], "{same}");
    }
}
