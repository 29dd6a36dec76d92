//! `workbenches:`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, SecretShape, Section};
use crate::config::yaml::{At, Required};

/// One deployment of Cloudera Data Science Workbench or Cloudera AI.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of keys and values")]
#[schemars(rename = "Workbench")]
pub(in crate::config) struct WorkbenchShape {
    /// Its address, without a path: `https://` and a host, and a port if it is not the default one.
    #[schemars(example = &"https://cdsw.example.com")]
    pub(in crate::config) url: Required<At<String>>,
    /// The path of its job API.
    #[serde(default = "default_prefix")]
    pub(in crate::config) api_prefix: At<String>,
    /// A file of certificate authorities, in PEM format, to trust in addition to those of the
    /// system. A relative path is relative to the directory of this file.
    #[schemars(example = &"/etc/ssl/corp-ca.pem")]
    pub(in crate::config) ca_file: Option<At<String>>,
    /// Allow `http://` to a host that is not this machine. The API key is then sent unencrypted.
    #[serde(default)]
    pub(in crate::config) allow_http: bool,
    /// Address of an HTTP proxy to connect through. The proxy settings of the environment are
    /// ignored.
    #[schemars(example = &"http://proxy.example.com:3128")]
    pub(in crate::config) proxy: Option<At<String>>,
    /// Time to connect to it.
    #[serde(default = "default_connect_timeout")]
    pub(in crate::config) connect_timeout: At<Period>,
    /// Time for a whole request. When it runs out, it is unknown whether the job was started.
    #[serde(default = "default_timeout")]
    pub(in crate::config) timeout: At<Period>,
    /// When to stop starting jobs on this workbench because starts keep failing.
    #[serde(default)]
    pub(in crate::config) circuit_breaker: BreakerShape,
    /// API keys, by name. A job refers to one of them by this name.
    #[serde(default)]
    #[schemars(extend("propertyNames" = super::names()))]
    pub(in crate::config) api_keys: Section<SecretShape>,
}

/// When the circuit breaker opens because starts on the workbench keep failing. While it is open,
/// deliveries are still accepted and stored. Then it is half-open: one start at a time is sent,
/// until one succeeds.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a section of keys and values")]
#[schemars(rename = "CircuitBreaker")]
pub(in crate::config) struct BreakerShape {
    /// The attempts within this time are counted.
    pub(in crate::config) window: At<Period>,
    /// The smallest number of attempts to judge by. With fewer attempts the breaker stays closed.
    pub(in crate::config) least: At<u32>,
    /// It opens when at least this percentage of attempts failed: no connection, no answer in time, or a
    /// 5xx. An error that belongs to one job's own request, such as 404, does not count as a
    /// failure.
    pub(in crate::config) percent: At<u32>,
    /// How long it is open at first. The time doubles each time that the next start fails.
    #[serde(alias = "rest")]
    pub(in crate::config) open_for: At<Period>,
    /// The longest time that it stays open.
    #[serde(alias = "longest_rest")]
    pub(in crate::config) open_for_at_most: At<Period>,
}

impl Default for BreakerShape {
    fn default() -> Self {
        Self {
            window: At::default_of(Period::seconds(60)),
            least: At::default_of(5),
            percent: At::default_of(50),
            open_for: At::default_of(Period::seconds(30)),
            open_for_at_most: At::default_of(Period::seconds(300)),
        }
    }
}

fn default_prefix() -> At<String> {
    At::default_of("/api/v1".to_owned())
}

fn default_connect_timeout() -> At<Period> {
    At::default_of(Period::seconds(10))
}

fn default_timeout() -> At<Period> {
    At::default_of(Period::seconds(60))
}
