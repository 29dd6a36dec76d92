//! How near a route came to a match: the tests of a route are made in one order, so the later the first failed
//! test is, the more of them held.

use super::test::{ARGS_TEST, CONDITION_TEST};

/// The tests in the order in which they are made. Those of a pull request share one place.
const ORDER: [&str; 20] = [
    "source",
    "event",
    "action",
    "channel",
    "user",
    "command",
    "claims",
    "repository",
    "ref",
    "branch",
    "tag",
    "sha",
    "before",
    "author",
    "pull_request",
    "default_branch",
    "deleted",
    "forced",
    "path",
    ARGS_TEST,
];

/// The place of a test in the order of tests. A test that is not known here, such as one that a later version
/// stored, counts as the last before `if`.
pub fn nearness(test: &str) -> usize {
    if test == CONDITION_TEST {
        return ORDER.len();
    }
    let family = if test == ARGS_TEST { test } else { test.split('.').next().unwrap_or(test) };
    ORDER.iter().position(|known| *known == family).unwrap_or(ORDER.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_test_is_nearer_than_an_earlier_one() {
        let tests =
            ["event", "repository", "branch", "pull_request.base", "path", "command.args", "if"];
        assert!(tests.is_sorted_by_key(|test| nearness(test)));
        assert!(nearness("event") < nearness("if"));
        assert_eq!(nearness("pull_request.base"), nearness("pull_request.merged"));
    }
}
