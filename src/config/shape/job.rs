//! `jobs:`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, Size};
use crate::config::yaml::{At, Required};

/// One job that routes may start. Name it with `project` and `job`, or with `page`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of keys and values")]
#[schemars(rename = "Job")]
pub(in crate::config) struct JobShape {
    /// The workbench that it runs on, by its name under `workbenches`.
    #[schemars(example = &"main")]
    pub(in crate::config) workbench: Required<At<String>>,
    /// Its project: the account or team that owns it, a slash, and the project's short name.
    #[schemars(example = &"alice/risk-analysis")]
    pub(in crate::config) project: Option<At<String>>,
    /// Its number, which is the last part of the address of its page.
    #[schemars(example = 208)]
    pub(in crate::config) job: Option<At<u64>>,
    /// The address of its page, as copied from the browser, instead of `project` and `job`.
    #[schemars(example = &"https://cdsw.example.com/alice/risk-analysis/jobs/208")]
    pub(in crate::config) page: Option<At<String>>,
    /// The API key to start it with, by its name under the workbench's `api_keys`.
    #[schemars(example = &"alice")]
    pub(in crate::config) api_key: Required<At<String>>,
    /// How long after its delivery a run may still be started. After that the run fails.
    #[serde(default = "default_deadline")]
    pub(in crate::config) deadline: At<Period>,
    /// Start requests for this job that may be in flight at once, at most 128.
    #[serde(default = "default_starts_at_once")]
    pub(in crate::config) starts_at_once: At<u32>,
    /// The largest number of starts in any minute. Default: no limit.
    #[schemars(example = 6)]
    pub(in crate::config) starts_per_minute: Option<At<u32>>,
    /// A safety limit: the largest number of runs in any hour. Further runs are held for a person's
    /// decision. Default: no limit.
    #[schemars(example = 100)]
    pub(in crate::config) starts_per_hour: Option<At<u32>>,
    /// How long after it became due a run may still be sent, even if `deadline` leaves more time. A
    /// run that was due at two in the morning may be wrong at eleven. Default: the same as
    /// `deadline`.
    #[schemars(example = &"2h")]
    pub(in crate::config) max_age: Option<At<Period>>,
    /// What to do with the runs that waited, when the job is resumed after a pause or when the
    /// circuit breaker of its workbench closes.
    #[serde(default)]
    pub(in crate::config) on_resume: OnResume,
    /// The largest number of starts in any minute while waiting runs are sent `paced`. Default: it
    /// follows the number of waiting runs, so that they are all sent within an hour; at least 10.
    #[schemars(example = 60)]
    pub(in crate::config) resume_per_minute: Option<At<u32>>,
    /// What to do if it is unknown whether an attempt started the job.
    #[serde(default)]
    pub(in crate::config) on_unknown: OnUnknown,
    /// How to find out the result of an attempt whose outcome is unknown: `latest-run` reads the
    /// job's latest run, with a call that the vendor does not document. Only a run that names our
    /// run settles the outcome. Default: nothing is looked up.
    #[schemars(example = &"latest-run")]
    pub(in crate::config) probe: Option<Probe>,
    /// Back-off between attempts while the workbench refuses for now.
    #[serde(default)]
    pub(in crate::config) retry: RetryShape,
    /// Reserved variable names that routes may set for this job anyway. Names that start with
    /// `GATEWAY_` cannot be allowed.
    #[serde(default)]
    #[schemars(example = ["SPARK_CONF_DIR"])]
    pub(in crate::config) allow_reserved: Vec<At<String>>,
    /// The largest total size of a run's variables, names and values together.
    #[serde(default = "default_env_max")]
    pub(in crate::config) env_max: At<Size>,
    /// A description for people.
    pub(in crate::config) description: Option<String>,
}

/// What to do if it is unknown whether an attempt started the job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// Hold the run until a person decides. The gateway never starts the job a second time by
    /// itself.
    #[default]
    Hold,
    /// Try again. The job may then be started twice.
    Retry,
}

/// How to find out the result of an attempt whose outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// Read the job's latest run.
    LatestRun,
}

/// What to do with the runs that waited, when the job is resumed after a pause or when the circuit
/// breaker of its workbench closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum OnResume {
    /// Send them, at most `resume_per_minute`.
    #[default]
    Paced,
    /// Send only the newest run of each route (and of each `latest_per`).
    Latest,
    /// Hold them until a person decides.
    Review,
}

/// Back-off between attempts: the first pause, which then doubles each time up to `max`.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a section of keys and values")]
#[schemars(rename = "Retry")]
pub(in crate::config) struct RetryShape {
    /// The first pause.
    pub(in crate::config) first: At<Period>,
    /// The longest pause.
    pub(in crate::config) max: At<Period>,
}

impl Default for RetryShape {
    fn default() -> Self {
        Self {
            first: At::default_of(Period::seconds(1)),
            max: At::default_of(Period::seconds(300)),
        }
    }
}

fn default_deadline() -> At<Period> {
    At::default_of(Period::seconds(24 * 60 * 60))
}

fn default_starts_at_once() -> At<u32> {
    At::default_of(4)
}

fn default_env_max() -> At<Size> {
    At::default_of(Size(64 << 10))
}
