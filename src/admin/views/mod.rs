//! The API's own types: what it takes and says, as JSON, and what the command line reads. No record of
//! the store is shown as it is, so that a change of what is kept changes nothing that tools read.
//!
//! A member is never removed or given another meaning. One that is renamed stays beside its new name
//! for one version.

mod audit;
mod deliveries;
mod pauses;
mod problem;
mod replay;
mod runs;
mod sources;
mod status;

pub use audit::{AuditEntry, AuditView, NoteAsk, ReloadView};
pub use deliveries::{Deliveries, DeliverySummary, DeliveryView, ExplanationView, RouteView};
pub use pauses::{
    BreakerState, BreakerView, Pausable, PauseAsk, PauseView, PausesView, RestingView, ResumeAsk,
    Resumed,
};
pub use problem::ProblemView;
pub use replay::{ExplainView, KeptRun, ReplayAsk, ReplayView, ReplayedView, WouldRun};
pub use runs::{ActView, AttemptView, ReleaseAsk, ReleaseWord, RunSummary, RunView, Runs};
pub use sources::{RefusalView, RefusalsView, SecretView, SecretsView};
pub use status::{Readiness, Ready, Status};
