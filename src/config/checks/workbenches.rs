//! `workbenches:`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::address::{host_address, is_loopback, web_address};
use super::checker::Checker;
use super::server::not_zero;
use crate::config::plan::WorkbenchPlan;
use crate::config::shape::{BreakerShape, Section, WorkbenchShape};
use crate::config::strength::Use;
use crate::config::yaml::{At, Id};
use crate::model::{BreakerPolicy, Target};

pub(super) fn workbenches(
    checker: Checker<'_>,
    section: Section<WorkbenchShape>,
) -> BTreeMap<Arc<str>, Arc<WorkbenchPlan>> {
    let mut plans = BTreeMap::new();
    for (name, entry) in section {
        checker.name(entry.id);
        let name: Arc<str> = name.into();
        let plan = entry.value.and_then(|shape| workbench(checker, &name, entry.id, shape));
        if let Some(plan) = plan {
            plans.insert(name, Arc::new(plan));
        }
    }
    plans
}

fn breaker(checker: Checker<'_>, shape: &BreakerShape) -> BreakerPolicy {
    for period in [&shape.window, &shape.open_for, &shape.open_for_at_most] {
        not_zero(checker, period);
    }
    checker.not_zero(&shape.least);
    if !(1..=100).contains(&shape.percent.value) {
        checker.fault(shape.percent.id, "this must be from 1 to 100", None);
    }
    if shape.open_for.value > shape.open_for_at_most.value {
        let id = shape.open_for.id.or(shape.open_for_at_most.id);
        checker.fault(id, "`open_for` is longer than `open_for_at_most`", None);
    }
    BreakerPolicy {
        window: shape.window.value.0,
        least: shape.least.value,
        percent: shape.percent.value,
        open_for: shape.open_for.value.0,
        longest_open: shape.open_for_at_most.value.0,
    }
}

fn workbench(
    checker: Checker<'_>,
    name: &Arc<str>,
    id: Id,
    shape: WorkbenchShape,
) -> Option<WorkbenchPlan> {
    let url = checker.need(id, "url", shape.url).and_then(|at| {
        let url = host_address(checker, &at)?;
        if url.scheme() == "http" && !is_loopback(&url) && !shape.allow_http {
            let hint = "write https://, or set `allow_http: true` if the network is trusted";
            let message = "the key would travel in clear over `http://`";
            checker.fault(at.id, message, hint.to_owned());
        }
        Some(url)
    });
    let proxy = shape.proxy.as_ref().and_then(|at| host_address(checker, at));
    let prefix = &shape.api_prefix;
    if !prefix.value.starts_with('/') || prefix.value.contains(['?', '#', ' ']) {
        checker.fault(prefix.id, "this is not a path", "write a path such as /api/v1".to_owned());
    }
    not_zero(checker, &shape.connect_timeout);
    not_zero(checker, &shape.timeout);
    let breaker = breaker(checker, &shape.circuit_breaker);
    if let Some(at) = shape.ca_file.as_ref().filter(|at| at.value.is_empty()) {
        checker.fault(at.id, "`ca_file` is empty", "name a file, or remove the key".to_owned());
    }
    let mut api_keys = BTreeMap::new();
    for (key, entry) in shape.api_keys {
        checker.name(entry.id);
        if let Some(secret) = entry.value {
            let used = |reference| Use::api_key(&key, reference);
            let reference = checker.secret(entry.id, secret, used);
            api_keys.insert(key.as_str().into(), reference);
        }
    }
    Some(WorkbenchPlan {
        name: Arc::clone(name),
        url: url?,
        api_prefix: prefix.value.clone(),
        ca_file: shape.ca_file.map(|at| checker.path(&at.value)),
        proxy,
        connect_timeout: shape.connect_timeout.value.0,
        timeout: shape.timeout.value.0,
        breaker,
        api_keys,
    })
}

/// The job that the address of a job's page refers to.
pub(super) fn page(
    checker: Checker<'_>,
    at: &At<String>,
    workbench: Option<&WorkbenchPlan>,
) -> Option<Target> {
    let url = web_address(checker, at)?;
    if let Some(workbench) = workbench
        && url.origin() != workbench.url.origin()
    {
        let message = format!("this page is not on workbench `{}`", workbench.name);
        checker.fault(at.id, message, format!("its address is {}", workbench.url));
        return None;
    }
    let parts: Vec<&str> = url.path_segments()?.collect();
    let [owner, project, "jobs", number, ..] = parts[..] else {
        return page_fault(checker, at);
    };
    match number.parse() {
        Ok(number) if is_segment(owner) && is_segment(project) && number > 0 => {
            Some(Target::V1 { owner: owner.to_owned(), project: project.to_owned(), number })
        }
        _ => page_fault(checker, at),
    }
}

fn page_fault<T>(checker: Checker<'_>, at: &At<String>) -> Option<T> {
    let hint = "copy it from the browser: https://host/owner/project/jobs/208".to_owned();
    checker.fault(at.id, "this is not the address of a job's page", hint);
    None
}

/// Whether a text can be one segment of a path without changing the meaning of the path.
pub(super) fn is_segment(text: &str) -> bool {
    !text.is_empty()
        && !matches!(text, "." | "..")
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+'))
}
