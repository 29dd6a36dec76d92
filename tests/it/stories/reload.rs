//! The configuration changes while the gateway runs.

use cdsw_gateway::config::Live;
use reqwest::Method;
use serde_json::json;

use super::common::{ADMIN_TOKEN, ON_PUSH, PUSH, Site, World, simulator};
use super::{edit, text};

/// The routes that a push would be for now.
async fn matched(world: &World, id: &str) -> Vec<String> {
    let (_, answer) = world.send(world.github("push", id, PUSH)).await;
    let runs = answer["runs"].as_array().expect("runs");
    let mut routes: Vec<String> = runs.iter().map(|run| text(run, "/route").to_owned()).collect();
    routes.sort();
    routes
}

async fn notes(world: &World) -> String {
    let request = world.client.get(world.admin("/readyz")).bearer_auth(ADMIN_TOKEN);
    let (status, ready) = world.send(request).await;
    assert_eq!(status, 200, "{ready}");
    ready["notes"].to_string()
}

fn route(name: &str) -> String {
    format!("routes:\n  {name}:\n    on: {{ source: github, event: push }}\n    job: retrain\n")
}

fn team(site: &Site, file: &str, text: &str) {
    std::fs::create_dir_all(site.path("routes.d")).expect("a directory");
    std::fs::write(site.path("routes.d").join(file), text).expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_faulty_file_changes_nothing_until_it_is_mended() {
    let world = World::start(ON_PUSH).await;
    let good = std::fs::read_to_string(world.site.config()).expect("read");
    let before = world.live.plan().version.clone();
    for (name, from, to) in [
        ("job", "job: retrain\n    env", "job: retrian\n    env"),
        ("expression", "git.sha", "git.shaa"),
        ("syntax", "routes:\n", "routes: [\n"),
        ("provider", "provider: github,", "provider: githbu,"),
    ] {
        edit(&world.site, from, to);
        let report = world.live.reload().expect_err("it is faulty").render(false);
        assert!(report.contains("gateway.yaml:"), "the place is named: {report}");
        assert_eq!(world.live.plan().version, before);
        assert_eq!(matched(&world, name).await, ["on-push"], "{name}");
        assert!(notes(&world).await.contains("the configuration files have"), "{name}");
        world.site.write_config(&good);
    }
    edit(&world.site, "  on-push:", "  renamed:");
    let change = world.live.reload().expect("it is mended");
    assert_ne!(change.from, change.to);
    assert_eq!(matched(&world, "mended").await, ["renamed"]);
    assert_eq!(notes(&world).await, "[]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_teams_broken_file_holds_back_its_own_routes_alone() {
    let simulator = simulator().await;
    let site = Site::new(&simulator.api_url(), ON_PUSH);
    team(&site, "credit.yaml", &route("credit"));
    team(&site, "fraud.yaml", &route("fraud"));
    let world = World::on(site, simulator).await;
    assert_eq!(matched(&world, "first").await, ["credit", "fraud", "on-push"]);

    team(&world.site, "fraud.yaml", "routes:\n  fraud: [\n");
    team(&world.site, "credit.yaml", &route("credit-2"));
    let change = world.live.reload().expect("the main file is good");
    assert_eq!(change.held_back.len(), 1);
    assert!(change.held_back[0].ends_with("fraud.yaml"), "{change}");
    // The last good version of the broken file stays; the other team's change is in force.
    assert_eq!(matched(&world, "second").await, ["credit-2", "fraud", "on-push"]);
    assert!(
        notes(&world)
            .await
            .contains("the configuration files have 1 fault and are not all in force")
    );

    team(&world.site, "fraud.yaml", &route("fraud-2"));
    let change = world.live.reload().expect("all is good");
    assert_eq!(change.held_back, [""; 0]);
    assert_eq!(matched(&world, "third").await, ["credit-2", "fraud-2", "on-push"]);
    assert_eq!(notes(&world).await, "[]");
}

#[tokio::test]
async fn a_start_with_a_teams_broken_file_has_everybody_elses_routes() {
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    team(&site, "credit.yaml", &route("credit"));
    team(&site, "fraud.yaml", "routes:\n  fraud: { on: { source: nowhere }, job: retrain }\n");
    let live = Live::start(&site.config()).expect("one team's slip keeps nothing from starting");
    let plan = live.plan();
    let routes: Vec<&str> = plan.routes.iter().map(|route| &*route.name).collect();
    assert_eq!(routes, ["credit", "on-push"]);
    assert!(live.faults() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_teams_file_may_hold_routes_and_nothing_else() {
    let world = World::start(ON_PUSH).await;
    let stolen = format!(
        "{}jobs:\n  mine: {{ workbench: main, project: bob/other, job: 1, api_key: alice }}\n",
        route("mine")
    );
    team(&world.site, "mine.yaml", &stolen);
    let change = world.live.reload().expect("the main file is good");
    assert_eq!(change.held_back.len(), 1, "{change}");
    assert_eq!(matched(&world, "push").await, ["on-push"]);
    assert!(!world.live.plan().jobs.contains_key("mine"));
    let report = world.live.last_report().render(false);
    assert!(report.contains("mine.yaml") && report.contains("jobs"), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_route_is_removed_is_held_and_not_sent() {
    let world = World::start(ON_PUSH).await;
    world.simulator.add_fault(cdsw_gateway::simulator::FaultRule::once(
        cdsw_gateway::simulator::Fault::busy_503(),
    ));
    let id = world.push("queued").await;
    let run = world.run_after(id, 1).await;
    edit(
        &world.site,
        "  on-push:\n    on: { source: github, event: push }",
        "  other:\n    on: { source: github, event: release }",
    );
    world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    world.advance_to(run.brief.due_at);
    // For a minute its route may come back.
    world.advance_to(cdsw_gateway::clock::later(
        run.brief.due_at,
        std::time::Duration::from_secs(90),
    ));
    let held = world.run_in(id, cdsw_gateway::model::RunState::Held).await;
    let reason = held.brief.reason.expect("a reason");
    assert!(reason.contains("there is no route of its name"), "{reason}");
    assert_eq!(held.brief.attempts, 1, "no attempt was begun");
    assert_eq!(world.simulator.runs().len(), 0);
    let (status, problem) = super::replay(
        &world,
        &run.brief.delivery.to_string(),
        json!({ "route": "on-push", "again": true }),
    )
    .await;
    assert_eq!(status, 409, "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reload_that_a_person_asks_for_is_in_the_book_with_what_it_came_to() {
    let world = World::start(ON_PUSH).await;
    let first = world.live.plan().version.to_string();
    let reload = async |note: Option<&str>| {
        world.api(Method::POST, "/api/reload", Some(json!({ "note": note }))).await
    };
    let newest = async || {
        let (status, view) = world.api(Method::GET, "/api/audit", None).await;
        assert_eq!(status, 200, "{view}");
        let act = &view["acts"][0];
        assert_eq!((text(act, "/who"), text(act, "/act")), ("ops", "reload"), "{view}");
        (text(act, "/name").to_owned(), text(act, "/note").to_owned())
    };
    assert_eq!(reload(None).await.0, 200);
    assert_eq!(newest().await, (first.clone(), "nothing changed".to_owned()));

    edit(&world.site, "provider: github,", "provider: githbu,");
    assert_eq!(reload(Some("month-end")).await.0, 409);
    let (version, note) = newest().await;
    assert_eq!(version, first, "it stays in force");
    assert!(note.starts_with("refused: ") && note.ends_with("; month-end"), "{note}");

    edit(&world.site, "provider: githbu,", "provider: github,");
    edit(&world.site, "  on-push:", "  renamed:");
    assert_eq!(reload(None).await.0, 200);
    let second = world.live.plan().version.to_string();
    assert_eq!(newest().await, (second.clone(), format!("{first}..{second}")));
}
