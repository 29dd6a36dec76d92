//! Checks what the types cannot express: whether names are declared, addresses usable and
//! expressions valid. Every check reports what it finds and continues. Values that pass become part
//! of the plan.

mod address;
mod changed;
mod checker;
mod claims;
mod doubts;
mod exposure;
mod impossible;
mod jobs;
mod listeners;
mod names;
mod networks;
mod options;
mod parsed;
mod patterns;
mod platforms;
mod request;
mod routes;
mod server;
mod sink;
mod sources;
mod store;
mod tokens;
mod unused;
mod variables;
mod vocabulary;
mod workbenches;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::files::Files;
use super::plan::{HeldBack, Plan, RoutePlan};
use super::report::{Fault, Report};
use super::shape::{GatewayShape, RouteShape, RoutesShape, Section};
use super::strength::WrittenUse;
use crate::matching::Index;
use checker::Checker;
use names::Names;
use parsed::{Form, Parsed};
use sink::Sink;

pub(super) use platforms::words as platform_words;

/// The result of checking a configuration.
#[derive(Debug)]
pub(super) struct Checked {
    /// All faults and warnings.
    pub(super) report: Report,
    /// The plan. `None` if a fault holds back a file.
    pub(super) plan: Option<Plan>,
    /// The names of routes that several files claim.
    pub(super) claimed: BTreeSet<String>,
    /// Every use of a secret, also of those in parts that have faults.
    pub(super) secrets: Vec<WrittenUse>,
}

/// Checks all files together. Routes of the `barred` names are checked, but do not become part of the plan.
pub(super) fn check(files: &Files, barred: &BTreeSet<String>) -> Checked {
    let sink = Sink::default();
    sink.faults.borrow_mut().extend(files.listing.iter().map(|fault| (**fault).clone()));
    let (main, gateway) = parsed::parse::<GatewayShape>(&files.main, Form::MAIN, &sink);
    let others: Vec<(Option<Parsed>, Option<RoutesShape>)> = files
        .routes
        .iter()
        .map(|file| parsed::parse(file, Form::routes(main.as_ref()), &sink))
        .collect();
    let names = Names::of(main.as_ref());
    let checker = |file| Checker { file, sink: &sink, names: &names, directory: &files.directory };

    let mut written = Vec::new();
    let mut plan = None;
    let claimed;
    match (&main, gateway) {
        (Some(main), Some(mut gateway)) => {
            written.push((checker(main), std::mem::take(&mut gateway.routes)));
            written.extend(of_routes_d(&others, checker));
            claimed = claims::of_several(&written);
            let routes = Written { files: written, claimed: &claimed, barred };
            plan = build(checker(main), gateway, routes, files.digest(barred));
        }
        _ => {
            written.extend(of_routes_d(&others, checker));
            claimed = claims::of_several(&written);
            let routes = Written { files: written, claimed: &claimed, barred };
            routes::check(routes, &BTreeMap::new(), &BTreeMap::new(), &BTreeMap::new());
        }
    }
    for file in main.iter().chain(others.iter().filter_map(|(file, _)| file.as_ref())) {
        changed::tell(checker(file));
    }
    let warned = files.passed_over.iter().map(|path| {
        let message =
            "this is not read: files of routes end with `.yaml` or `.yml`, in `routes.d/` itself";
        Fault::of_file(path, message).hint("rename or move it; or give it an end such as `.bak`")
    });
    sink.warnings.borrow_mut().extend(warned);
    let notes = notes(files);
    let (faults, warnings) = (once(sink.faults.take()), once(sink.warnings.take()));
    let changes = sink.changes.take();
    let mut report = Report { faults, warnings, changes, notes, ..Report::default() };
    report.apply_retention();
    let plan = plan.filter(|_| report.is_usable());
    let claimed = claimed.into_keys().collect();
    Checked { report, plan, claimed, secrets: sink.secrets.take() }
}

/// Each fault once. What an alias repeats is checked in each place, and a fault of it has one place.
fn once(faults: Vec<Fault>) -> Vec<Fault> {
    let mut seen = HashSet::new();
    let key = |fault: &Fault| {
        let Fault { file, line, column, message, .. } = fault;
        (file.clone(), *line, *column, message.clone())
    };
    faults.into_iter().filter(|fault| seen.insert(key(fault))).collect()
}

/// Several files mostly have several owners, who may take the directory for a boundary between them.
fn notes(files: &Files) -> Vec<String> {
    let note = "routes.d/ is no security boundary: each of its files may start every job, from every source";
    Vec::from_iter((files.routes.len() > 1).then(|| note.to_owned()))
}

/// The routes of one file, and what is needed to check them.
type OfFile<'a> = (Checker<'a>, Section<RouteShape>);

/// The routes of all files.
struct Written<'a> {
    files: Vec<OfFile<'a>>,
    /// The places of each name that several files claim.
    claimed: &'a claims::Claimed,
    /// Names that are left out of the plan.
    barred: &'a BTreeSet<String>,
}

fn of_routes_d<'a>(
    others: &'a [(Option<Parsed>, Option<RoutesShape>)],
    checker: impl Fn(&'a Parsed) -> Checker<'a>,
) -> Vec<OfFile<'a>> {
    others
        .iter()
        .filter_map(|(file, shape)| Some((checker(file.as_ref()?), shape.as_ref()?.routes.clone())))
        .collect()
}

fn build(
    checker: Checker<'_>,
    gateway: GatewayShape,
    written: Written<'_>,
    version: String,
) -> Option<Plan> {
    let server = server::server(checker, gateway.server);
    let store = store::store(checker, &gateway.store, gateway.postgres);
    let retention = server::retention(checker, &gateway.retention);
    let workbenches = workbenches::workbenches(checker, gateway.workbenches);
    let (jobs, allowed) = jobs::jobs(checker, gateway.jobs, &workbenches);
    let sources = sources::sources(checker, gateway.sources, server.as_ref(), retention);
    let routes = routes::check(written, &jobs, &allowed, &sources);
    unused::warn(checker, &routes);
    let is_empty = workbenches.is_empty() && jobs.is_empty() && sources.is_empty();
    if is_empty && routes.is_empty() && checker.sink.faults.borrow().is_empty() {
        let hint = "config/ has examples to start from, and `cdsw-gateway demo` shows one at work";
        let fault = Fault::of_file(checker.file.source.name(), "nothing is configured");
        checker.sink.warnings.borrow_mut().push(fault.hint(hint));
    }
    let routes: Vec<Arc<RoutePlan>> = routes.into_values().collect();
    Some(Plan {
        version: version.into(),
        server: server?,
        store: store?,
        retention: retention?,
        workbenches,
        jobs,
        sources,
        index: Index::new(&routes),
        routes,
        held_back: HeldBack::default(),
    })
}
