//! The table of all providers, with one line for each. Providers, their `SIGNATURE`s and their `ABOUT`s
//! are constants. They are `static` since sources borrow them for as long as the program runs.

use super::{Group, Provider, chat, data, forges, generic, saas};

/// Every provider, sorted by name.
pub(super) static ALL: &[&dyn Provider] = &[
    &data::airbyte::AIRBYTE,
    &data::airtable::AIRTABLE,
    &data::alertmanager::ALERTMANAGER,
    &saas::anthropic::ANTHROPIC,
    &forges::artifactory::ARTIFACTORY,
    &saas::asana::ASANA,
    &saas::aws_eventbridge::AWS_EVENTBRIDGE,
    &saas::aws_sns::AwsSns,
    &forges::azure_devops::AZURE_DEVOPS,
    &saas::azure_event_grid::AZURE_EVENT_GRID,
    &generic::basic::Basic,
    &forges::bitbucket_cloud::BitbucketCloud,
    &forges::bitbucket_server::BITBUCKET_SERVER,
    &forges::circleci::CIRCLECI,
    &generic::cloudevents::CLOUDEVENTS,
    &saas::convoy::CONVOY,
    &data::cvat::CVAT,
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
    &data::label_studio::LABEL_STUDIO,
    &data::labelbox::LABELBOX,
    &data::lakefs::LAKEFS,
    &saas::linear::LINEAR,
    &chat::mattermost::MATTERMOST,
    &saas::microsoft_graph::MICROSOFT_GRAPH,
    &data::minio::MINIO,
    &data::mlflow::MLFLOW,
    &chat::ms_teams::MS_TEAMS_OUTGOING,
    &forges::nexus::NEXUS,
    &saas::notion::NOTION,
    &saas::okta::OKTA,
    &saas::openai::OPENAI,
    &data::openmetadata::OPENMETADATA,
    &saas::pagerduty::PAGERDUTY,
    &saas::pubsub::PubSub,
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

/// The provider that has this name.
pub fn find(name: &str) -> Option<&'static dyn Provider> {
    ALL.binary_search_by_key(&name, |provider| provider.name()).ok().map(|index| ALL[index])
}

/// Words that do not tell one sender from another.
const EMPTY_WORDS: [&str; 12] = [
    "any", "app", "apps", "bot", "cloud", "command", "commands", "hook", "hooks", "server",
    "webhook", "webhooks",
];
/// Shortest word that is compared, in bytes. Shorter ones do not tell one sender from another either.
const SHORTEST_WORD: usize = 3;

/// The names of providers that resemble this text, as suggestions to someone who wrote an unknown name
/// such as `teams`, `bitbucket` or `prometheus`. A provider resembles the text where a word of the text
/// begins a word of its name or title, or the reverse.
pub fn akin(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let wanted: Vec<&str> = words(&text).collect();
    let is_akin = |provider: &&&dyn Provider| {
        // The title of a generic provider describes how it signs and no particular sender.
        let title = match provider.about().group {
            Group::Generic => String::new(),
            _ => provider.title().to_lowercase(),
        };
        let known: Vec<&str> = words(provider.name()).chain(words(&title)).collect();
        wanted.iter().any(|word| known.iter().any(|known| known.starts_with(word)))
            || known.iter().any(|known| wanted.iter().any(|word| word.starts_with(known)))
    };
    ALL.iter().filter(is_akin).map(|provider| provider.name()).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| word.len() >= SHORTEST_WORD && !EMPTY_WORDS.contains(word))
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
