//! Misspelt names: which known one was meant, and how a list of names reads.

use crate::providers;

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

/// Which provider someone may have meant, and where to look them all up.
pub fn provider_meant(name: &str) -> String {
    const ALL: &str = "`cdsw-gateway providers` lists them all";
    if let Some(hint) = did_you_mean(name, providers::names()) {
        return hint;
    }
    match &providers::akin(name)[..] {
        [] => format!("{ALL}; `hmac`, `token`, `basic` and `jwt` serve senders that have no name"),
        [one] => format!("did you mean `{one}`? {ALL}"),
        several => format!("did you mean one of {}? {ALL}", list_of(several)),
    }
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

    #[test]
    fn another_name_of_a_sender_leads_to_its_provider() {
        for (name, says) in [
            ("gihtub", "did you mean `github`?"),
            ("teams", "did you mean `ms-teams-outgoing`? `cdsw-gateway providers`"),
            ("bitbucket", "did you mean one of `bitbucket-cloud`, `bitbucket-server`? "),
            ("slack-commands", "did you mean `slack`? "),
            ("prometheus", "did you mean `alertmanager`? "),
            ("webhook", "`cdsw-gateway providers` lists them all; `hmac`, `token`"),
        ] {
            let hint = provider_meant(name);
            assert!(hint.starts_with(says), "{name}: {hint}");
        }
    }
}
