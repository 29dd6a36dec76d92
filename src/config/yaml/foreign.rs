//! What people write who know another program's files, or put a key in the wrong place, and what to write here.

/// Where a key stands: the keys above it, from the innermost. `routes` of a route named `a` in it is
/// `["a", "routes"]`.
pub(super) type Above<'a> = [&'a str];

/// Words that other programs use as keys for events.
const EVENTS: [&str; 17] = [
    "push",
    "pull_request",
    "pull_request_target",
    "pull_request_review",
    "merge_request",
    "release",
    "create",
    "delete",
    "workflow_run",
    "workflow_dispatch",
    "repository_dispatch",
    "issue_comment",
    "deployment",
    "deployment_status",
    "check_run",
    "status",
    "tag_push",
];
/// Fields of `on.pull_request`.
const OF_REQUEST: [&str; 8] =
    ["merged", "number", "base", "head", "draft", "fork", "labels", "merge_sha"];
/// Fields of `on`.
const OF_ON: [&str; 17] = [
    "source",
    "event",
    "action",
    "repository",
    "branch",
    "tag",
    "ref",
    "sha",
    "author",
    "path",
    "pull_request",
    "default_branch",
    "deleted",
    "forced",
    "command",
    "user",
    "channel",
];

/// What to do about a key that does not belong where it stands. None where nothing better is known than the list
/// of keys that do.
pub(super) fn key(above: &Above<'_>, key: &str) -> Option<String> {
    match above {
        ["on", ..] => below_on(key),
        [] => match key {
            "jobs" | "sources" | "workbenches" | "server" | "store" => {
                Some(format!("`{key}` stands in gateway.yaml, which the admin keeps"))
            }
            _ => None,
        },
        [_, "routes"] => below_route(key),
        [_, "sources"] => match key {
            "secret" => Some("write `secrets: [{ file: … }]`".to_owned()),
            "type" | "kind" => Some("write `provider:`".to_owned()),
            _ => None,
        },
        [_, "jobs"] => match key {
            "id" | "job_id" => Some("write `job:`".to_owned()),
            "key" => {
                Some("write `api_key:`, with the name of one of the workbench's keys".to_owned())
            }
            _ => None,
        },
        _ => None,
    }
}

fn below_on(key: &str) -> Option<String> {
    let hint = match key {
        "pull_request_target" => "write `event: pull_request`".to_owned(),
        "merge_request" => {
            "write `event: pull_request`: it means the same on every forge".to_owned()
        }
        "tag_push" => "write `event: push` with `tag:`".to_owned(),
        "schedule" | "cron" => {
            "the gateway is no clock: let a scheduler send a request to a source".to_owned()
        }
        event if EVENTS.contains(&event) => {
            format!("write `event: {event}`, and `branch:`, `action:` or `path:` beside it")
        }
        "types" => "write `action:`".to_owned(),
        "branches-ignore" => "write `branch: [\"**\", \"!…\"]`".to_owned(),
        "tags-ignore" => "write `tag: [\"**\", \"!…\"]`".to_owned(),
        "paths-ignore" => "write `path: [\"**\", \"!…\"]`".to_owned(),
        field if OF_REQUEST.contains(&field) => format!("put `{field}` below `pull_request:`"),
        "if" | "job" | "env" | "latest_per" | "wait" | "description" => {
            format!("`{key}` stands beside `on:`, not below it: indent it less")
        }
        _ => return None,
    };
    Some(hint)
}

fn below_route(key: &str) -> Option<String> {
    let hint = match key {
        "name" => "the route's name is the key that it stands under".to_owned(),
        "when" | "condition" => "write `if:`".to_owned(),
        "environment" | "variables" | "with" => "write `env:`".to_owned(),
        "triggers" | "trigger" => "write `on:`".to_owned(),
        field if OF_ON.contains(&field) => format!("put `{field}` below `on:`"),
        _ => return None,
    };
    Some(hint)
}

/// What to do about a value of the wrong form.
pub(super) fn form(above: &Above<'_>, key: Option<&str>) -> Option<&'static str> {
    match (above, key) {
        (_, Some("on")) => Some("write `on: { source: NAME, event: push }`"),
        ([], Some("routes")) => {
            Some("write each route under its name: `routes: { NAME: { on: …, job: … } }`")
        }
        ([], Some("jobs" | "sources" | "workbenches")) => Some("write each one under its name"),
        (_, Some("env")) => Some("write `env: { NAME: value }`"),
        (_, Some("pull_request")) => Some("write `pull_request: { action: opened }`"),
        _ => None,
    }
}

/// Whether this is a key of the things in a section, so that it was indented too little where it stands beside
/// them.
pub(super) fn is_of_one(section: &str, key: &str) -> bool {
    match section {
        "routes" => {
            matches!(
                key,
                "on" | "if" | "job" | "env" | "latest_per" | "wait" | "description" | "mode"
            )
        }
        "jobs" => matches!(key, "workbench" | "project" | "job" | "page" | "api_key"),
        "sources" => matches!(key, "provider" | "secrets" | "rate"),
        "workbenches" => matches!(key, "url" | "api_keys" | "ca_file"),
        _ => false,
    }
}
