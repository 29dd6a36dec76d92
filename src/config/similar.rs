//! Misspelt names: finds the known name that was meant, and writes lists of names.

use crate::providers;

/// The candidate that is most similar to a name, if it is similar enough to be a misspelling.
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

/// A hint that names the most similar candidate.
pub(super) fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    similar(name, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// Writes names as a list for a sentence, with an upper bound.
pub(super) fn list_of(names: &[&str]) -> String {
    const MOST: usize = 40;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// A hint that names the provider that was meant, or tells where all providers are listed.
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
