//! Checks a request in the workbench's order: key, content type, body, and only then project and job. It
//! only decides; it starts and answers nothing.

use serde_json::{Value, json};

use super::faults::{Page, Reply};
use super::http1::{Head, unescaped};
use super::log::LogEntry;
use super::seed::{Variables, name_of};
use super::world::{Strictness, World};
use crate::model::Target;

/// What is to be done about a request.
pub(super) enum Verdict {
    /// It is a valid start of this job.
    Start(String),
    /// It gets this reply, and starts nothing.
    Answer(Reply),
}

/// Judges a request. `entry` already says whether the key is known; the variables are written to it.
pub(super) fn judge(head: &Head, body: &[u8], world: &World, entry: &mut LogEntry) -> Verdict {
    let path = head.path.split('?').next().unwrap_or_default();
    match (head.method.as_str(), path) {
        ("GET" | "HEAD", "/api/v1") => Verdict::Answer(text("Sense API v1")),
        ("GET" | "HEAD", "/internal/load-balancer/health-ping") => {
            Verdict::Answer(Reply::json(200, &json!({})))
        }
        _ if !entry.key_known => Verdict::Answer(refusal(401, "Unauthorized")),
        (method, path) => match (method, Call::of(path)) {
            ("POST", Some(Call { job, start: true })) => {
                start(head, body, job, world, entry).unwrap_or_else(Verdict::Answer)
            }
            ("GET" | "HEAD", Some(Call { job, start: false })) => {
                Verdict::Answer(describe(job, world).unwrap_or_else(not_found))
            }
            _ => Verdict::Answer(not_found()),
        },
    }
}

fn start(
    head: &Head,
    body: &[u8],
    job: Option<Target>,
    world: &World,
    entry: &mut LogEntry,
) -> Result<Verdict, Reply> {
    let content = head.header("content-type").unwrap_or_default();
    let content = content.split(';').next().unwrap_or_default().trim();
    if world.strict.content_type && !content.eq_ignore_ascii_case("application/json") {
        return Err(refusal(415, "Content-Type must be application/json"));
    }
    entry.environment = environment(body, world.strict)?;
    let job = job.ok_or_else(not_found)?;
    entry.merged = world.merged(&job, &entry.environment).ok_or_else(not_found)?;
    Ok(Verdict::Start(name_of(&job)))
}

fn describe(job: Option<Target>, world: &World) -> Option<Reply> {
    let job = job?;
    let latest = world.describe(&job)?;
    let Target::V1 { number, .. } = job else { return None };
    Some(Reply::json(200, &json!({ "id": number, "latest": latest })))
}

/// The variables that a body asks for.
fn environment(body: &[u8], strict: Strictness) -> Result<Variables, Reply> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Variables::new());
    }
    let refused = |why| if strict.json { Err(refusal(400, why)) } else { Ok(Variables::new()) };
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return refused("invalid JSON") };
    let Value::Object(mut body) = body else { return refused("the body must be an object") };
    match body.remove("environment") {
        None => Ok(Variables::new()),
        Some(Value::Object(variables)) => {
            variables.into_iter().map(|(name, value)| variable(name, value, strict)).collect()
        }
        Some(_) if strict.values => Err(refusal(400, "environment must be an object")),
        Some(_) => Ok(Variables::new()),
    }
}

fn variable(name: String, value: Value, strict: Strictness) -> Result<(String, String), Reply> {
    match value {
        Value::String(text) => Ok((name, text)),
        other if !strict.values => Ok((name, other.to_string())),
        _ => Err(refusal(400, "environment values must be strings")),
    }
}

/// What a path is about.
struct Call {
    /// The job that it names; none where the names or the number are not valid.
    job: Option<Target>,
    start: bool,
}

impl Call {
    /// `/api/v1/projects/{owner}/{project}/jobs/{id}` with or without `/start`.
    fn of(path: &str) -> Option<Self> {
        let pieces: Vec<&str> = path.split('/').collect();
        let ["", "api", "v1", "projects", owner, project, "jobs", id, ref rest @ ..] = pieces[..]
        else {
            return None;
        };
        let start = match rest {
            [] => false,
            ["start"] => true,
            _ => return None,
        };
        let names = unescaped(owner).zip(unescaped(project)).zip(id.parse().ok());
        let job = names.map(|((owner, project), number)| Target::V1 { owner, project, number });
        Some(Self { job, start })
    }
}

/// The job that the first bytes of a request ask to start, as far as they show it.
pub(super) fn job_ahead(bytes: &[u8]) -> Option<String> {
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let path = std::str::from_utf8(line).ok()?.split(' ').nth(1)?;
    Call::of(path.split('?').next()?)?.job.as_ref().map(name_of)
}

/// A refusal, as the workbench words it.
pub(super) fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "message": message }))
}

fn not_found() -> Reply {
    refusal(404, "Not found")
}

fn text(text: &str) -> Reply {
    let headers = [("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned())];
    Reply {
        status: 200,
        page: Page::Json(text.to_owned()),
        headers: headers.into(),
        started_anyway: false,
    }
}
