//! The table of every provider: one line each.

use super::{Provider, chat, data, forges, generic, saas};

/// Every provider, sorted by name.
pub(super) static ALL: &[&dyn Provider] = &[
    &data::airtable::AIRTABLE,
    &data::alertmanager::ALERTMANAGER,
    &saas::anthropic::ANTHROPIC,
    &forges::artifactory::ARTIFACTORY,
    &saas::asana::ASANA,
    &saas::aws_sns::AwsSns,
    &forges::azure_devops::AZURE_DEVOPS,
    &saas::azure_event_grid::AZURE_EVENT_GRID,
    &generic::basic::Basic,
    &forges::bitbucket_cloud::BitbucketCloud,
    &forges::bitbucket_server::BITBUCKET_SERVER,
    &forges::circleci::CIRCLECI,
    &saas::convoy::CONVOY,
    &data::databricks::DATABRICKS,
    &data::dbt_cloud::DBT_CLOUD,
    &chat::discord::DISCORD,
    &forges::docker_hub::DOCKER_HUB,
    &saas::dropbox::DROPBOX,
    &data::elevenlabs::ELEVENLABS,
    &data::fivetran::FIVETRAN,
    &forges::forgejo::FORGEJO,
    &forges::gitea::GITEA,
    &forges::github::GitHub,
    &forges::gitlab::GitLab,
    &forges::gogs::GOGS,
    &chat::google_chat::GoogleChat,
    &data::grafana::GRAFANA,
    &forges::harbor::HARBOR,
    &generic::hmac::Hmac,
    &saas::hook0::HOOK0,
    &saas::hubspot::HUBSPOT,
    &data::huggingface::HUGGINGFACE,
    &saas::intercom::INTERCOM,
    &saas::jira::JIRA,
    &generic::jwt::Jwt,
    &saas::linear::LINEAR,
    &chat::mattermost::MATTERMOST,
    &data::mlflow::MLFLOW,
    &chat::ms_teams::MS_TEAMS_OUTGOING,
    &forges::nexus::NEXUS,
    &saas::notion::NOTION,
    &saas::okta::OKTA,
    &saas::openai::OPENAI,
    &saas::pagerduty::PAGERDUTY,
    &forges::quay::QUAY,
    &data::replicate::REPLICATE,
    &forges::scalr::SCALR,
    &data::segment::SEGMENT,
    &saas::sentry::SENTRY,
    &saas::shopify::SHOPIFY,
    &chat::slack::SLACK,
    &saas::standard_webhooks::StandardWebhooks,
    &saas::stripe::STRIPE,
    &saas::svix::SVIX,
    &forges::terraform_cloud::TERRAFORM_CLOUD,
    &generic::token::Token,
    &forges::travis_ci::TravisCi,
    &saas::twilio::TWILIO,
    &data::typeform::TYPEFORM,
    &data::wandb::WANDB,
    &saas::x_twitter::X_TWITTER,
    &saas::zendesk::ZENDESK,
    &saas::zoom::ZOOM,
];

/// The provider of this name.
pub fn find(name: &str) -> Option<&'static dyn Provider> {
    ALL.binary_search_by_key(&name, |provider| provider.name()).ok().map(|index| ALL[index])
}

/// The names of all providers, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|provider| provider.name())
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, COOKIE};

    use super::super::{Options, SecretUse, options};
    use super::*;
    use crate::model::Secret;

    #[test]
    fn the_table_is_sorted_and_every_provider_is_found_by_its_name() {
        let all: Vec<_> = names().collect();
        assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
        for name in all {
            assert_eq!(find(name).map(Provider::name), Some(name));
        }
        assert!(find("nobody").is_none());
    }

    fn takes_secrets(provider: &dyn Provider) -> bool {
        provider.secret_use(&Options::default()) != SecretUse::None
    }

    #[test]
    fn no_provider_takes_an_empty_secret() {
        for provider in ALL.iter().filter(|provider| takes_secrets(**provider)) {
            let refused = provider.check_secret(&Secret::new(""), &Options::default());
            assert!(refused.is_err(), "{}", provider.name());
        }
    }

    #[test]
    fn the_sample_secret_has_the_right_shape() {
        for provider in ALL.iter().filter(|provider| takes_secrets(**provider)) {
            let checked = provider.check_secret(&provider.sample_secret(), &Options::default());
            assert_eq!(checked, Ok(()), "{}", provider.name());
        }
    }

    #[test]
    fn every_option_that_a_provider_takes_exists() {
        for provider in ALL {
            for option in provider.takes() {
                assert!(options::NAMES.contains(option), "{}: {option}", provider.name());
            }
        }
    }

    #[test]
    fn credentials_and_cookies_are_secret_for_every_provider() {
        for provider in ALL {
            let headers = provider.secret_headers(&Options::default());
            assert!(headers.contains(&AUTHORIZATION) && headers.contains(&COOKIE));
        }
    }
}
