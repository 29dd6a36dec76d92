//! How many starts of a job are on the wire at once.

use cdsw_gateway::model::RunState;
use cdsw_gateway::simulator::{Fault, FaultRule};

use super::common::{PUSH, Site, World, simulator};
use super::{ROUTES, a_look_at_the_queue, report};

const JOB: &str = "alice/risk-analysis/208";

fn seen(world: &World) -> usize {
    let requests = world.simulator.requests();
    requests.iter().filter(|entry| entry.path.contains("/jobs/208/")).count()
}

async fn never_more_than(limit: usize, lines: &str) {
    let simulator = simulator().await;
    let site = Site::with(&simulator.api_url(), ROUTES, "", "    timeout: 60s");
    let text = std::fs::read_to_string(site.config()).expect("read");
    site.write_config(&text.replace("    job: 208\n", &format!("    job: 208\n{lines}")));
    let world = World::on(site, simulator).await;
    let hold = FaultRule { job: Some(JOB.to_owned()), ..FaultRule::always(Fault::HoldAnswer) };
    world.simulator.add_fault(hold);
    let wanted = 3 * limit;
    let mut runs = Vec::new();
    for number in 0..wanted {
        runs.push(world.push(&format!("many-{number}")).await);
    }
    let mut others = 0;
    for round in 1..=3 {
        world.simulator.wait_for_requests((round * limit + others) as u64).await;
        a_look_at_the_queue(&world, &format!("look-{round}")).await;
        others += 1;
        assert_eq!(
            seen(&world),
            round * limit,
            "starts that nobody has answered are over the limit"
        );
        world.simulator.release_held();
    }
    for id in runs {
        world.run_in(id, RunState::Started).await;
    }
    assert_eq!(seen(&world), wanted);
    assert_eq!(world.simulator.runs().len(), wanted + others);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_at_once_are_never_more_than_the_job_allows() {
    never_more_than(2, "    starts_at_once: 2\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_may_ask_for_one_start_at_a_time() {
    never_more_than(1, "    starts_at_once: 1\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_word_four_starts_may_be_on_their_way() {
    never_more_than(4, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbench_that_hangs_holds_back_no_start_on_another() {
    let (hangs, well) = (simulator().await, simulator().await);
    hangs.add_fault(FaultRule::always(Fault::NeverAnswer));
    // Three jobs with a long backlog on the one, `report` on the other.
    let mut routes = ROUTES.to_owned();
    let mut jobs = String::new();
    for name in ["one", "two", "three"] {
        routes.push_str(&format!(
            "  {name}: {{ on: {{ source: github, event: push }}, job: {name} }}\n"
        ));
        jobs.push_str(&format!(
            "  {name}: {{ workbench: hangs, project: alice/risk-analysis, job: 208, \
             api_key: alice, starts_at_once: 128 }}\n"
        ));
    }
    let site = Site::new(&well.api_url(), &routes);
    let text = std::fs::read_to_string(site.config()).expect("read");
    let second = format!(
        "  hangs:\n    url: {}\n    timeout: 60s\n    \
         api_keys: {{ alice: {{ file: secrets/api-key }} }}\njobs:\n{jobs}",
        hangs.api_url()
    );
    site.write_config(&text.replace("jobs:\n", &second));
    let world = World::on(site, well).await;
    for number in 0..100 {
        let push = world.github("push", &format!("many-{number}"), PUSH);
        assert_eq!(world.send(push).await.0, 202);
    }
    // All but what is kept for the four of `report` and of `retrain`.
    hangs.wait_for_requests(248).await;
    let id = report(&world, "elsewhere").await;
    world.run_in(id, RunState::Started).await;
    assert_eq!(hangs.requests().len(), 248);
    hangs.release_held();
}
