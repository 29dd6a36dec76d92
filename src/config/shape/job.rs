//! `jobs:`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, Size};
use crate::config::yaml::{At, Required};

/// One job that routes may start. Say which with `project` and `job`, or with `page`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of keys and values")]
#[schemars(rename = "Job")]
pub(in crate::config) struct JobShape {
    /// The workbench that it is on, by its name under `workbenches`.
    #[schemars(example = &"main")]
    pub(in crate::config) workbench: Required<At<String>>,
    /// Its project: the account or team that holds it, and the project's short name.
    #[schemars(example = &"alice/risk-analysis")]
    pub(in crate::config) project: Option<At<String>>,
    /// Its number, the last part of the address of its page.
    #[schemars(example = 208)]
    pub(in crate::config) job: Option<At<u64>>,
    /// The address of its page, as copied from the browser, instead of `project` and `job`.
    #[schemars(example = &"https://cdsw.example.com/alice/risk-analysis/jobs/208")]
    pub(in crate::config) page: Option<At<String>>,
    /// The API key to start it with, by its name under the workbench's `api_keys`.
    #[schemars(example = &"alice")]
    pub(in crate::config) api_key: Required<At<String>>,
    /// How long after its delivery a run may still be started; then it fails.
    #[serde(default = "default_deadline")]
    pub(in crate::config) deadline: At<Period>,
    /// Start requests for this job that may be on their way at once, 128 at most.
    #[serde(default = "default_starts_at_once")]
    pub(in crate::config) starts_at_once: At<u32>,
    /// Starts in any minute, at most. Default: no limit.
    #[schemars(example = 6)]
    pub(in crate::config) starts_per_minute: Option<At<u32>>,
    /// The brake: runs in any hour, at most. Further ones are held for a person. Default: no limit.
    #[schemars(example = 100)]
    pub(in crate::config) starts_per_hour: Option<At<u32>>,
    /// A run that could not be sent within this time after it fell due is not sent any more, even
    /// where `deadline` leaves time: what was due at two in the morning may be wrong at eleven.
    /// Default: as long as `deadline`.
    #[schemars(example = &"2h")]
    pub(in crate::config) max_age: Option<At<Period>>,
    /// What becomes of the runs that waited, when the job goes on after a pause, or its workbench
    /// after a rest.
    #[serde(default)]
    pub(in crate::config) on_resume: OnResume,
    /// Starts in any minute, at most, while runs that waited are sent `paced`.
    #[serde(default = "default_resume_per_minute")]
    pub(in crate::config) resume_per_minute: At<u32>,
    /// What to do when nobody knows whether an attempt started the job.
    #[serde(default)]
    pub(in crate::config) on_unknown: OnUnknown,
    /// What an unknown outcome is looked up in before it is settled: `latest-run` reads the job's
    /// latest run, a call that the vendor does not document. Only a run that names ours settles it.
    /// Default: nothing is looked up.
    #[schemars(example = &"latest-run")]
    pub(in crate::config) probe: Option<Probe>,
    /// Pauses between attempts while the workbench refuses for now.
    #[serde(default)]
    pub(in crate::config) retry: RetryShape,
    /// Reserved variable names that routes may set for this job all the same. Names that start
    /// with `GATEWAY_` cannot be allowed.
    #[serde(default)]
    #[schemars(example = ["SPARK_CONF_DIR"])]
    pub(in crate::config) allow_reserved: Vec<At<String>>,
    /// Bytes that all variables of a run may have in sum, names and values.
    #[serde(default = "default_env_max")]
    pub(in crate::config) env_max: At<Size>,
    /// What it is for, in words.
    pub(in crate::config) description: Option<String>,
}

/// What to do when nobody knows whether an attempt started the job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// Hold the run until a person has looked. The job is never started twice behind your back.
    #[default]
    Hold,
    /// Try again. The job may be started twice.
    Retry,
}

/// What an unknown outcome is looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// The job's latest run.
    LatestRun,
}

/// What becomes of the runs that waited, when the job goes on after a pause, or its workbench after
/// a rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum OnResume {
    /// They are sent, `resume_per_minute` at most.
    #[default]
    Paced,
    /// Of each route (and of each `latest_per`) only the newest is sent.
    Latest,
    /// They are held until a person has looked.
    Review,
}

/// Pauses between attempts: the first one, then twice as long each time up to `max`.
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

fn default_resume_per_minute() -> At<u32> {
    At::default_of(10)
}

fn default_starts_at_once() -> At<u32> {
    At::default_of(4)
}

fn default_env_max() -> At<Size> {
    At::default_of(Size(64 << 10))
}
