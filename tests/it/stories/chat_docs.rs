//! The page on chat is true: its configuration runs, and its examples are answered as it says.

use cdsw_gateway::providers;

use super::chat::{request, sources};
use super::common::{Site, World, simulator};
use super::{edit, text};

const PAGE: &str = include_str!("../../../docs/chat.md");

/// The lines of the page's configuration from this key on, up to the next.
fn part(key: &str) -> String {
    let yaml = PAGE.split("```").nth(1).expect("a configuration");
    let from = yaml.split_once(&format!("\n{key}:\n")).expect("a key of this name").1;
    from.lines()
        .take_while(|line| line.is_empty() || line.starts_with(' '))
        .fold(String::new(), |all, line| all + line + "\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_example_of_the_page_on_chat_starts_the_job_and_is_answered_so() {
    assert!(PAGE.contains("    retrain-by-chat starts job retrain, run RUN\n"));
    for (source, provider, answer) in [
        ("slack", "slack", "/text"),
        ("mattermost", "mattermost", "/text"),
        ("teams", "ms-teams-outgoing", "/text"),
        ("discord", "discord", "/data/content"),
    ] {
        let simulator = simulator().await;
        let site = Site::new(&simulator.api_url(), &part("routes"));
        sources(&site);
        edit(&site, "  open-ci:\n", &format!("{}  open-ci:\n", part("sources")));
        let world = World::on(site, simulator).await;
        let sample = providers::find(provider).and_then(|known| known.sample("command"));
        let (status, said) = world.send(request(&world, source, sample.expect("a sample"))).await;
        assert_eq!(status, 200, "{said}");
        let (words, run) = text(&said, answer).rsplit_once(' ').expect("words");
        assert_eq!(words, "retrain-by-chat starts job retrain, run");
        run.parse::<cdsw_gateway::model::RunId>().expect("a run's id");
        world.simulator.wait_for_requests(1).await;
        let seen = world.simulator.requests().remove(0).environment;
        for (name, value) in
            [("START_DATE", "2017-01-01"), ("END_DATE", "2017 01 31"), ("MODE", "fast")]
        {
            assert_eq!(seen.get(name).map(ToString::to_string).as_deref(), Some(value), "{source}");
        }
    }
}
