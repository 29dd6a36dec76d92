//! Holds a run against the configuration: whether its route could have asked for it. Pure.
//!
//! The row of a run was written by whoever took its delivery, which may be a process that faces the internet.
//! Everything in it is tested here before its attempt begins: the names that choose what is started, and the
//! variables that the job is given. No reason quotes a value.
//!
//! Always: the route exists and leads to this job, the names are among the route's, none is reserved, and the
//! sizes hold. Where a process of role `ingest` may have written the row, its values are tested too: fixed text,
//! `matches`, and that none is missing. Elsewhere the values are those that the route gave when the delivery came,
//! and a route that was changed since holds nothing back because of them.

use std::sync::Arc;

use crate::config::{JobPlan, Plan, RoutePlan};
use crate::mapping::{Variable, valid_name};
use crate::model::{Environment, Role, is_own, is_reserved};
use crate::store::{Asks, Lease, NotAsked};

/// Who may have written the rows of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Processes that start jobs themselves, and so are trusted with all that a row can say.
    Trusted,
    /// Also a process of role `ingest`, which faces the internet and is not trusted.
    Ingest,
}

impl Writer {
    /// Who writes the runs that a process of this role starts.
    pub fn beside(role: Role) -> Self {
        match role {
            Role::All => Self::Trusted,
            Role::Dispatch | Role::Ingest => Self::Ingest,
        }
    }
}

/// A configuration that is asked for runs of this writer.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) plan: Arc<Plan>,
    pub(super) writer: Writer,
}

impl Asks for Asking {
    fn asks_for(&self, lease: &Lease) -> Result<(), NotAsked> {
        asked(&self.plan, self.writer, &lease.route, &lease.job, &lease.environment)
    }
}

/// Whether the plan has a route that asks for a run of this job with these variables.
///
/// # Errors
/// [`NotAsked`] with the first test that failed.
pub fn asked(
    plan: &Plan,
    writer: Writer,
    route: &str,
    job: &str,
    environment: &Environment,
) -> Result<(), NotAsked> {
    names(environment)?;
    let Some(route) = plan.route(route) else { return Err(without(plan, route)) };
    if *route.job.name != *job {
        return Err(NotAsked::here(format!("its route starts job {}", route.job.name)));
    }
    known(route, environment)?;
    for variable in &route.mapping.variables {
        value(variable, writer, environment)?;
    }
    let (size, limit) = (environment.size(), route.mapping.max_total);
    if size > limit {
        return Err(NotAsked::here(format!(
            "its variables together are {size} bytes long, and {limit} are allowed"
        )));
    }
    Ok(())
}

/// Why there is no route of this name.
fn without(plan: &Plan, route: &str) -> NotAsked {
    let held_back = &plan.held_back;
    if held_back.routes.contains(route) {
        return NotAsked::held_back("several files claim the name of its route");
    }
    match held_back.files.first() {
        Some(file) => NotAsked::held_back(format!(
            "no route of its name is in force, and {file} is held back for its faults"
        )),
        None => NotAsked::here("there is no route of its name"),
    }
}

/// Names that no configuration can give a variable.
fn names(environment: &Environment) -> Result<(), NotAsked> {
    for (name, _) in environment.iter() {
        if !valid_name(name) {
            return Err(NotAsked::anywhere("one of its variables has a name that none can have"));
        }
        if is_own(name) {
            let reason = format!("only the gateway itself sets {name}");
            return Err(NotAsked::anywhere(reason));
        }
    }
    Ok(())
}

/// Each name is one of the route's, and the job allows it.
fn known(route: &RoutePlan, environment: &Environment) -> Result<(), NotAsked> {
    for (name, _) in environment.iter() {
        if !allows(&route.job, name) {
            return Err(NotAsked::here(format!(
                "its variable {name} is reserved, and its job does not allow it"
            )));
        }
        if !route.mapping.variables.iter().any(|variable| *variable.name == *name) {
            return Err(NotAsked::here(format!("its route sets no variable {name}")));
        }
    }
    Ok(())
}

fn allows(job: &JobPlan, name: &str) -> bool {
    let is_allowed = |allowed: &String| allowed.eq_ignore_ascii_case(name);
    is_reserved(name).is_none() || job.allow_reserved.iter().any(is_allowed)
}

fn value(variable: &Variable, writer: Writer, environment: &Environment) -> Result<(), NotAsked> {
    let value = environment.get(&variable.name);
    if variable.could_be(value) {
        return Ok(());
    }
    let name = &variable.name;
    Err(NotAsked::here(match (value, writer) {
        (Some(value), _) if value.len() > variable.max_bytes => format!(
            "its variable {name} is {} bytes long, and {} are allowed",
            value.len(),
            variable.max_bytes
        ),
        (None, Writer::Ingest) => format!("its variable {name} is missing"),
        (Some(value), _) if value.contains('\0') => {
            format!("its route could not have given {name} such a value")
        }
        (Some(_), Writer::Ingest) => format!("its route could not have given {name} such a value"),
        (_, Writer::Trusted) => return Ok(()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::store::Until;

    const GATEWAY: &str = r#"
workbenches:
  main:
    url: https://cdsw.example.com
    api_keys: { alice: { env: CDSW_ALICE } }
jobs:
  retrain:
    { workbench: main, project: alice/risk, job: 208, api_key: alice, env_max: 1KiB,
      allow_reserved: [SPARK_HOME] }
  payroll: { workbench: main, project: alice/pay, job: 1, api_key: alice }
sources:
  github: { provider: github, secrets: [{ env: GITHUB_SECRET }] }
routes:
  bare:
    on: { source: github, event: release }
    job: payroll
  push:
    on: { source: github, event: push }
    job: retrain
    env:
      SHA: { value: "${{ git.sha }}", matches: "^[0-9a-f]{7}$", max_bytes: 40 }
      BY: "push by ${{ git.author }} to ${{ git.branch }}."
      MODE: nightly
      TAG: { value: "v${{ git.tag }}", omit: true }
      NOTE: { value: "${{ body.note }}", default: none, matches: "^n" }
      SPARK_HOME: /opt/spark
"#;

    fn plan() -> Plan {
        let site = tempfile::tempdir().expect("a directory");
        let path = site.path().join("gateway.yaml");
        std::fs::write(&path, GATEWAY).expect("written");
        config::load(&path).expect("without a fault").plan
    }

    fn good() -> Environment {
        [
            ("SHA", "0a1b2c3"),
            ("BY", "push by ana to main."),
            ("MODE", "nightly"),
            ("NOTE", "none"),
            ("SPARK_HOME", "/opt/spark"),
        ]
        .into_iter()
        .collect()
    }

    fn with(name: &str, value: &str) -> Environment {
        let mut environment = good();
        environment.insert(name, value);
        environment
    }

    fn without(name: &str) -> Environment {
        good().iter().filter(|(other, _)| *other != name).collect::<Vec<_>>().into_iter().collect()
    }

    #[test]
    fn what_a_route_could_have_asked_for_is_asked_for() {
        let plan = plan();
        for environment in [
            good(),
            with("TAG", "v1.2"),
            with("TAG", "v"),
            with("NOTE", "new"),
            with("BY", "push by  to  to ."),
        ] {
            assert_eq!(
                asked(&plan, Writer::Ingest, "push", "retrain", &environment),
                Ok(()),
                "{environment:?}"
            );
        }
        assert_eq!(
            asked(&plan, Writer::Ingest, "bare", "payroll", &Environment::default()),
            Ok(())
        );
    }

    #[test]
    fn whatever_no_route_asks_for_is_told_with_the_test_that_failed() {
        let plan = plan();
        let long = "n".repeat(2000);
        let cases = [
            ("no-such-route", "retrain", good(), "there is no route of its name"),
            ("bare", "retrain", Environment::default(), "its route starts job payroll"),
            ("push", "payroll", good(), "its route starts job retrain"),
            ("push", "gone", good(), "its route starts job retrain"),
            ("bare", "payroll", good(), "its route sets no variable BY"),
            ("push", "retrain", with("OTHER", "1"), "its route sets no variable OTHER"),
            ("push", "retrain", with("sha", "0a1b2c3"), "its route sets no variable sha"),
            ("push", "retrain", without("SHA"), "its variable SHA is missing"),
            ("push", "retrain", without("NOTE"), "its variable NOTE is missing"),
            ("push", "retrain", without("MODE"), "its variable MODE is missing"),
            ("push", "retrain", with("SHA", "0a1b2cX"), "could not have given SHA such a value"),
            ("push", "retrain", with("SHA", &"a".repeat(41)), "SHA is 41 bytes long, and 40"),
            ("push", "retrain", with("MODE", "nightly "), "could not have given MODE such"),
            ("push", "retrain", with("MODE", ""), "could not have given MODE such"),
            ("push", "retrain", with("BY", "pull by ana to main."), "given BY such a value"),
            ("push", "retrain", with("BY", "push by ana to main"), "given BY such a value"),
            ("push", "retrain", with("BY", "push by ana into main."), "given BY such a value"),
            ("push", "retrain", with("TAG", "1.2"), "given TAG such a value"),
            ("push", "retrain", with("NOTE", "x"), "given NOTE such a value"),
            ("push", "retrain", with("NOTE", &long), "together are"),
            ("push", "retrain", with("LD_PRELOAD", "e.so"), "LD_PRELOAD is reserved"),
            ("push", "retrain", with("PATH", "e"), "PATH is reserved"),
            ("push", "retrain", with("path", "e"), "path is reserved"),
            ("push", "retrain", with("PYTHONSTARTUP", "x"), "PYTHONSTARTUP is reserved"),
            ("push", "retrain", with("CDSW_APP_PORT", "1"), "CDSW_APP_PORT is reserved"),
            ("push", "retrain", with("bad name;", "x"), "a name that none can have"),
            ("push", "retrain", with("", "x"), "a name that none can have"),
            ("push", "retrain", with("GATEWAY_RUN_ID", "x"), "only the gateway itself sets"),
            ("push", "retrain", with("gateway_x", "x"), "only the gateway itself sets"),
            ("push", "retrain", with("BY", "push by a\0 to b."), "given BY such a value"),
        ];
        for (route, job, environment, words) in cases {
            let why = asked(&plan, Writer::Ingest, route, job, &environment).expect_err(words);
            assert!(why.reason.contains(words), "{words}: {why:?}");
        }
    }

    #[test]
    fn no_reason_quotes_a_value_or_a_name_that_is_not_one() {
        let plan = plan();
        for environment in [
            with("SHA", "hunter2"),
            with("MODE", "hunter2"),
            with("BY", "hunter2"),
            with("hunter2\u{1b}[2J", "x"),
            with("OTHER", "hunter2"),
        ] {
            let why =
                asked(&plan, Writer::Ingest, "push", "retrain", &environment).expect_err("refused");
            assert!(!why.reason.contains("hunter2"), "{why:?}");
        }
        let why = asked(&plan, Writer::Ingest, "hunter2\u{1b}", "hunter2\u{1b}", &good())
            .expect_err("refused");
        assert!(!why.reason.contains("hunter2"), "{why:?}");
    }

    /// What a route gave before it was changed is sent where nobody else can have written it.
    #[test]
    fn a_changed_value_holds_nothing_back_that_a_trusted_process_wrote() {
        let plan = plan();
        for environment in [
            without("SHA"),
            without("MODE"),
            with("MODE", "hourly"),
            with("SHA", "0a1b2cX"),
            with("BY", "pull by ana"),
            with("NOTE", "x"),
        ] {
            let trusted = asked(&plan, Writer::Trusted, "push", "retrain", &environment);
            assert_eq!(trusted, Ok(()), "{environment:?}");
            assert!(asked(&plan, Writer::Ingest, "push", "retrain", &environment).is_err());
        }
    }

    #[test]
    fn names_jobs_and_sizes_are_tested_whoever_wrote_them() {
        let plan = plan();
        let long = "n".repeat(2000);
        for (route, job, environment, words) in [
            ("no-such-route", "retrain", good(), "there is no route of its name"),
            ("push", "payroll", good(), "its route starts job retrain"),
            ("push", "retrain", with("OTHER", "1"), "its route sets no variable OTHER"),
            ("push", "retrain", with("PATH", "e"), "PATH is reserved"),
            ("push", "retrain", with("GATEWAY_X", "e"), "only the gateway itself sets"),
            ("push", "retrain", with("bad name;", "x"), "a name that none can have"),
            ("push", "retrain", with("SHA", &"a".repeat(41)), "SHA is 41 bytes long, and 40"),
            ("push", "retrain", with("NOTE", &long), "together are"),
            ("push", "retrain", with("BY", "a\0b"), "given BY such a value"),
        ] {
            let why = asked(&plan, Writer::Trusted, route, job, &environment).expect_err(words);
            assert!(why.reason.contains(words), "{words}: {why:?}");
        }
    }

    #[test]
    fn a_route_that_is_held_back_is_not_taken_for_one_that_is_gone() {
        let mut plan = plan();
        let until = |plan: &Plan| {
            asked(plan, Writer::Trusted, "team", "retrain", &good()).expect_err("no route").until
        };
        assert_eq!(until(&plan), Until::Changed);
        plan.held_back.files = vec!["routes.d/team.yaml".to_owned()];
        assert_eq!(until(&plan), Until::Mended);
        plan.held_back.files.clear();
        plan.held_back.routes = ["team".to_owned()].into();
        assert_eq!(until(&plan), Until::Mended);
        plan.held_back.routes = ["other".to_owned()].into();
        assert_eq!(until(&plan), Until::Changed);
    }
}
