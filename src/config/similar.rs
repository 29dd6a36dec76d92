//! Misspelt names: which known one was meant, and how a list of names reads.

/// The candidate that is most like a name, if one is like it enough to be what was meant.
pub(super) fn similar<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name = name.to_lowercase();
    let most = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A hint that names it.
pub(super) fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    similar(name, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// Names as a sentence lists them, bounded.
pub(super) fn list_of(names: &[&str]) -> String {
    const MOST: usize = 40;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognized_and_another_word_is_not() {
        assert_eq!(similar("brnach", ["tag", "branch"]), Some("branch"));
        assert_eq!(similar("Event", ["event", "env"]), Some("event"));
        assert_eq!(similar("colour", ["event", "branch"]), None);
    }
}
