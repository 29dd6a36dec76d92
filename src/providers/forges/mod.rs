//! Forges, continuous integration and registries.

pub(super) mod bitbucket_cloud;
mod facts;
pub(super) mod forgejo;
pub(super) mod gitea;
mod gitea_family;
pub(super) mod github;
pub(super) mod gitlab;
mod gitlab_facts;
pub(super) mod travis_ci;
