//! What registries of container images have in common: which image it was and under which tag, told in the
//! way of git facts, so that one route serves all registries.

use std::sync::Arc;

use crate::model::GitFacts;

/// The facts of one image, if the payload names one. `repository` is its name without the registry's host.
pub(in crate::providers) fn image(
    repository: Option<Arc<str>>,
    tag: Option<Arc<str>>,
) -> Option<GitFacts> {
    Some(GitFacts { repository: Some(repository?), tag, ..GitFacts::default() })
}

/// The facts of an image under each of these tags. Without a tag there is one entry all the same.
pub(in crate::providers) fn images(
    repository: Option<Arc<str>>,
    tags: impl Iterator<Item = Arc<str>>,
) -> Vec<GitFacts> {
    let mut tags: Vec<_> = tags.map(Some).collect();
    if tags.is_empty() {
        tags.push(None);
    }
    tags.into_iter().filter_map(|tag| image(repository.clone(), tag)).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::model::Value;
    use crate::providers::{Options, find};

    /// Repository, tag and whether it is gone, of each image that the provider's payload tells of.
    fn told(provider: &str, body: &str) -> Vec<(String, Option<String>, bool)> {
        let provider = find(provider).expect("a provider");
        let body = Value::parse_json(body.as_bytes()).expect("JSON");
        let headers = HeaderMap::new();
        let meaning = provider.meaning(&headers, &body, &Options::default()).expect("a kind");
        let facts = provider.git_facts(&meaning, &body).into_iter();
        let text = |text: Option<Arc<str>>| text.map(|text| text.to_string());
        facts
            .map(|facts| (text(facts.repository).expect("a name"), text(facts.tag), facts.deleted))
            .collect()
    }

    fn pushed(repository: &str, tag: &str) -> (String, Option<String>, bool) {
        (repository.to_owned(), Some(tag.to_owned()), false)
    }

    #[test]
    fn every_registry_tells_the_image_and_its_tag_in_the_same_facts() {
        for provider in ["docker-hub", "quay"] {
            let sample = find(provider).expect("known").sample("push").expect("a sample");
            assert_eq!(told(provider, sample), [pushed("acme/risk", "v7")], "{provider}");
        }
        let harbor = include_str!("../samples/harbor.json");
        assert_eq!(told("harbor", harbor), [pushed("models/risk", "v7")]);
        let artifactory = r#"{"domain": "docker", "event_type": "pushed", "data": {
            "repo_key": "docker-local", "path": "acme/risk/v7/list.manifest.json",
            "image_name": "acme/risk", "tag": "v7", "sha256": "2f6d", "platforms": []}}"#;
        assert_eq!(told("artifactory", artifactory), [pushed("acme/risk", "v7")]);
        let nexus = r#"{"repositoryName": "docker-hosted", "action": "CREATED", "component": {
            "id": "1", "format": "docker", "name": "acme/risk", "version": "v7"}}"#;
        assert_eq!(told("nexus", nexus), [pushed("acme/risk", "v7")]);
    }

    #[test]
    fn each_tag_is_an_entry_and_an_image_without_a_tag_is_one() {
        let several = r#"{"repository": "acme/risk", "updated_tags": ["v7", "latest"]}"#;
        let both = [pushed("acme/risk", "v7"), pushed("acme/risk", "latest")];
        assert_eq!(told("quay", several), both);
        let older =
            r#"{"repository": "acme/risk", "updated_tags": {"v7": "a1b2", "latest": "a1b2"}}"#;
        let mut tags = told("quay", older);
        tags.sort_by_key(|(_, tag, _)| std::cmp::Reverse(tag.clone()));
        assert_eq!(tags, both);
        let none = r#"{"repository": "acme/risk", "name": "risk", "build_id": "1"}"#;
        assert_eq!(told("quay", none), [("acme/risk".to_owned(), None, false)]);
    }

    #[test]
    fn an_image_that_is_deleted_is_told_as_deleted() {
        let gone = vec![("acme/risk".to_owned(), Some("v7".to_owned()), true)];
        let harbor = r#"{"type": "DELETE_ARTIFACT", "event_data": {"resources": [{"tag": "v7"}],
            "repository": {"repo_full_name": "acme/risk"}}}"#;
        assert_eq!(told("harbor", harbor), gone);
        let artifactory = r#"{"domain": "docker", "event_type": "deleted",
            "data": {"image_name": "acme/risk", "tag": "v7"}}"#;
        assert_eq!(told("artifactory", artifactory), gone);
        let nexus = r#"{"action": "DELETED",
            "component": {"format": "docker", "name": "acme/risk", "version": "v7"}}"#;
        assert_eq!(told("nexus", nexus), gone);
    }

    #[test]
    fn what_is_no_image_tells_nothing() {
        let artifact = include_str!("../samples/artifactory.json");
        assert_eq!(told("artifactory", artifact), []);
        assert_eq!(told("nexus", include_str!("../samples/nexus.json")), []);
    }
}
