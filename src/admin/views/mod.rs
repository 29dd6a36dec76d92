//! The API's own types: the JSON that it reads and writes, which the command line uses too. They are
//! separate from the store's records, so that a change in the store does not change what tools read.
//!
//! A member is never removed and never changes its meaning. A renamed member keeps its old name beside
//! the new one for one version.

mod audit;
mod deliveries;
mod doctor;
mod inventory;
mod pauses;
mod problem;
mod replay;
mod runs;
mod sources;
mod status;

pub use audit::{AuditEntry, AuditView, NoteAsk, ReloadView};
pub use deliveries::{
    Deliveries, DeliverySummary, DeliveryView, EraseView, ErasedView, ExplanationView, GitView,
    RouteView,
};
pub use doctor::DoctorView;
pub use inventory::{
    JobView, JobsView, KeyView, KeysView, LastRefusal, LastRun, LatelyView, RouteInForce,
    RoutesView, SourceView, SourcesView, WorkbenchView, WorkbenchesView,
};
pub use pauses::{
    BreakerState, BreakerView, Pausable, PauseAsk, PauseView, PausesView, RestingView, ResumeAsk,
    Resumed,
};
pub use problem::ProblemView;
pub use replay::{ExplainView, KeptRun, ReplayAsk, ReplayView, ReplayedView, WouldRun};
pub use runs::{ActView, AttemptView, ReleaseAsk, ReleaseWord, RunSummary, RunView, Runs};
pub use sources::{RefusalView, RefusalsView, SecretView, SecretsView, TokenView};
pub use status::{JobStatus, Readiness, Ready, Status};
