//! Forges, continuous integration and registries.

pub(super) mod artifactory;
pub(super) mod azure_devops;
pub(super) mod bitbucket_cloud;
pub(super) mod bitbucket_server;
pub(super) mod circleci;
mod comments;
pub(super) mod docker_hub;
mod evident;
pub(super) mod facts;
pub(super) mod forgejo;
pub(super) mod gitea;
mod gitea_family;
pub(super) mod github;
pub(super) mod gitlab;
mod gitlab_facts;
pub(super) mod gogs;
pub(super) mod harbor;
pub(super) mod images;
pub(super) mod nexus;
mod on_commits;
pub(super) mod quay;
pub(super) mod scalr;
pub(super) mod terraform_cloud;
pub(super) mod travis_ci;
mod words;
