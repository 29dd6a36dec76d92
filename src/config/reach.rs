//! Which secrets of the dispatch side lie within reach of a process that faces the internet. It does not read them.

use std::fs::File;

use super::plan::Plan;
use super::report::Fault;
use super::secrets::SecretRef;
use crate::model::Role;

/// Warnings about secrets that this process could read and, in this role, must not be able to.
pub(super) fn out_of_place(plan: &Plan, role: Role, file: &str) -> Vec<Fault> {
    if role != Role::Ingest {
        return Vec::new();
    }
    let mut found = Vec::new();
    for workbench in plan.workbenches.values() {
        for (name, reference) in &workbench.api_keys {
            let what = format!("the API key {}/{name}", workbench.name);
            found.extend(warning(&what, reference, file));
        }
    }
    for (name, reference) in &plan.server.admin_tokens {
        found.extend(warning(&format!("the admin token {name}"), reference, file));
    }
    for (name, reference) in &plan.server.ingest_tokens {
        if plan.server.admin_tokens.values().any(|token| token == reference) {
            let message = format!("the ingest token {name} is also an admin token ({reference})");
            let hint = "give ingest processes a token of their own, or none";
            found.push(Fault::of_file(file, message).hint(hint));
        }
    }
    found
}

fn warning(what: &str, reference: &SecretRef, file: &str) -> Option<Fault> {
    let hint = match reference {
        SecretRef::File(path) => {
            File::open(path).ok()?;
            "do not place this file where an ingest process runs, or take the right to read it away"
        }
        SecretRef::Env(name) => {
            std::env::var_os(name)?;
            "do not set this variable for an ingest process"
        }
        SecretRef::Command(_) => "see that this command gives an ingest process no secret",
    };
    let message = format!(
        "a process of role `ingest` does not need {what}, and {reference} is within its reach"
    );
    Some(Fault::of_file(file, message).hint(hint))
}
