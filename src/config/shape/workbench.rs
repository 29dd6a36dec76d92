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
    /// Its address, without a path: `https://` and a host, with a port where it is not the usual.
    #[schemars(example = &"https://cdsw.example.com")]
    pub(in crate::config) url: Required<At<String>>,
    /// Path under which its job API is found.
    #[serde(default = "default_prefix")]
    pub(in crate::config) api_prefix: At<String>,
    /// A file of certificate authorities, in PEM form, to trust beside those of the system. A
    /// relative path starts at the directory of this file.
    #[schemars(example = &"/etc/ssl/corp-ca.pem")]
    pub(in crate::config) ca_file: Option<At<String>>,
    /// Allow `http://` to a host that is not this machine. The key then travels in clear.
    #[serde(default)]
    pub(in crate::config) allow_http: bool,
    /// Address of an HTTP proxy to reach it through. Proxy settings of the environment are not
    /// looked at.
    #[schemars(example = &"http://proxy.example.com:3128")]
    pub(in crate::config) proxy: Option<At<String>>,
    /// Time to connect to it.
    #[serde(default = "default_connect_timeout")]
    pub(in crate::config) connect_timeout: At<Period>,
    /// Time for a whole request. When it runs out, nobody knows whether the job was started.
    #[serde(default = "default_timeout")]
    pub(in crate::config) timeout: At<Period>,
    /// When starts on the workbench stop because they keep failing.
    #[serde(default)]
    pub(in crate::config) circuit_breaker: BreakerShape,
    /// API keys, by name; jobs choose one of them by its name.
    #[serde(default)]
    #[schemars(extend("propertyNames" = super::names()))]
    pub(in crate::config) api_keys: Section<SecretShape>,
}

/// When the circuit breaker opens because starts on the workbench keep failing. Deliveries are still
/// accepted and kept; then it is half-open, and one start at a time is sent until one succeeds.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a section of keys and values")]
#[schemars(rename = "CircuitBreaker")]
pub(in crate::config) struct BreakerShape {
    /// Attempts of this time are looked at.
    pub(in crate::config) window: At<Period>,
    /// With fewer attempts than this nothing is concluded.
    pub(in crate::config) least: At<u32>,
    /// It opens when this many of a hundred failed: not connected, no answer in time, 5xx. What a
    /// job's own request met, such as 404, is not counted against the workbench.
    pub(in crate::config) percent: At<u32>,
    /// How long it is open at first; twice as long each time that the start after it fails.
    #[serde(alias = "rest")]
    pub(in crate::config) open_for: At<Period>,
    /// The longest time that it is open.
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
