//! The types of the configuration files. Reading, the JSON Schema and the page of documentation are
//! all derived from them. Users read the comments on the fields here.

mod job;
mod postgres;
mod rate;
mod repeats;
mod route;
mod secret;
mod server;
mod source;
mod text;
mod texts;
mod workbench;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::yaml::{At, Lenient};
pub(super) use job::JobShape;
pub(super) use job::OnResume;
pub use job::{OnUnknown, Probe};
pub(super) use postgres::{Pooler, PostgresShape, UserShape};
pub use rate::Rate;
pub(super) use repeats::RepeatsShape;
pub(super) use route::{
    ForkShape, FullVariable, OnShape, OnShapes, PullRequestShape, RouteShape, UnknownPathsShape,
    VariableShape,
};
pub(super) use secret::{SecretShape, SecretShapes};
pub use server::ProxyHeader;
pub(super) use server::{DEFAULT_ADMIN, RetentionShape, ServerShape, SocketShape};
pub(super) use source::{EachShape, IdShape, PlaceShape, SourceShape};
pub(super) use text::{Header, Period, Size};
pub(super) use texts::{Numbers, Texts};
pub(super) use workbench::{BreakerShape, WorkbenchShape};

/// A section of named entries. A broken entry is left out, and the other entries are still read.
pub(super) type Section<T> = BTreeMap<String, Lenient<T>>;

/// The pattern that the name of a workbench, job, source, route or key must match.
const NAME: &str = "^[a-z0-9][a-z0-9_-]{0,63}$";

/// The configuration of cdsw-gateway: who may send webhooks, which events matter, and which jobs
/// they start.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of keys and values")]
#[schemars(title = "gateway.yaml", extend("patternProperties" = serde_json::json!({ "^x-": true })))]
pub(super) struct GatewayShape {
    /// The addresses that the gateway listens on, and its limits.
    #[serde(default)]
    pub(super) server: ServerShape,
    /// Where deliveries and runs are stored. Write `sqlite:` and a file for a single process, or
    /// the address of a PostgreSQL database for any number of processes. A relative path is
    /// relative to the directory of this file. It is read once, when the gateway starts.
    #[serde(default = "default_store")]
    #[schemars(
        example = &"sqlite:/var/lib/cdsw-gateway/gateway.db",
        example = &"postgres://gateway@db.example.com/gateway"
    )]
    pub(super) store: At<String>,
    /// How to connect to the database of `store: postgres://…`.
    #[serde(default)]
    pub(super) postgres: PostgresShape,
    /// How long deliveries and their runs are kept.
    #[serde(default)]
    pub(super) retention: RetentionShape,
    /// The workbenches that jobs run on, by name.
    #[serde(default)]
    #[schemars(extend("propertyNames" = names()))]
    pub(super) workbenches: Section<WorkbenchShape>,
    /// The jobs that routes may start, by name. The gateway never starts a job that is not declared
    /// here.
    #[serde(default)]
    #[schemars(extend("propertyNames" = names()))]
    pub(super) jobs: Section<JobShape>,
    /// Who may send webhooks, by name. A source named `github` receives them at `/hooks/github`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = names()))]
    pub(super) sources: Section<SourceShape>,
    /// Which events start which job, by name. Files in `routes.d/` beside this file may hold more
    /// routes.
    #[serde(default)]
    #[schemars(extend("propertyNames" = names()))]
    pub(super) routes: Section<RouteShape>,
}

/// The content of a file in `routes.d/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section that holds `routes`")]
pub(super) struct RoutesShape {
    #[serde(default)]
    pub(super) routes: Section<RouteShape>,
}

fn default_store() -> At<String> {
    At::default_of("sqlite:gateway.db".to_owned())
}

/// The rule for names, as JSON Schema, so that editors can check it.
fn names() -> serde_json::Value {
    serde_json::json!({ "pattern": NAME })
}
