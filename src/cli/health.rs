//! `health`: asks a gateway whether it is ready, for the health check of a container.
//!
//! It ends with 0 or 1, since Docker reserves the other statuses. It never asks for a token, and it reads of the
//! configuration only where health is served.

use std::time::Duration;

use clap::Args;
use reqwest::{StatusCode, Url};

use super::ConfigFile;
use super::client::{Trust, address, no_answer, over_http, place};
use super::failure::Failure;
use super::screen::{Screen, Tone};
use crate::config;

/// How long the gateway may take to answer unless an option says otherwise, in seconds.
const PATIENCE: u64 = 5;

/// Ask a gateway whether it is ready.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway health\n  \
    cdsw-gateway health --url http://127.0.0.1:8082\n  \
    cdsw-gateway health --alive            does the process answer? The store is not looked at\n\n\
    It prints one line, and ends with status 0 where the gateway is ready, and with 1 where it is not or\n\
    does not answer. Without --url it asks the address that the configuration has: server.health, or\n\
    server.admin where there is no listener for health. The rest of the configuration may be faulty.")]
pub(super) struct Health {
    #[command(flatten)]
    file: ConfigFile,
    /// Address of the health listener or of the admin listener
    #[arg(long, env = "CDSW_GATEWAY_HEALTH", value_parser = address)]
    url: Option<Url>,
    /// Ask whether the process answers (`/livez`), and not whether it can keep a delivery (`/readyz`)
    #[arg(long)]
    alive: bool,
    /// Seconds that the answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    #[command(flatten)]
    trust: Trust,
}

impl Health {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let place = match &self.url {
            Some(url) => url.clone(),
            None => self.configured()?,
        };
        let client = self.trust.client(&place, Duration::from_secs(self.timeout));
        let client = client.map_err(|fault| Failure::Failed(fault.to_string()))?;
        let (page, url) = self.page(&place)?;
        let answer = client.get(page).send().await;
        let answer = answer.map_err(|error| {
            Failure::Failed(format!("{url} does not answer: {}", no_answer(error)))
        })?;
        let words = verdict(self.alive, answer.status())
            .map_err(|why| Failure::Failed(format!("{url} {why}")))?;
        if screen.json() {
            screen.value(&serde_json::json!({ "good": true, "url": url }));
        } else {
            screen.line(format!("{} {url} {words}", screen.paint(Tone::Good, "ok")));
        }
        Ok(())
    }

    /// The page to ask at this place, and how people are told of it: behind a socket its path stands behind a colon, as
    /// in nginx.
    fn page(&self, place: &Url) -> Result<(Url, String), Failure> {
        let mut url = over_http(place);
        let name = if self.alive { "livez" } else { "readyz" };
        url.path_segments_mut()
            .map_err(|()| Failure::Failed("--url has no path".to_owned()))?
            .pop_if_empty()
            .push(name);
        let shown = match place.scheme() {
            "unix" => format!("{place}:/{name}"),
            _ => url.to_string(),
        };
        Ok((url, shown))
    }

    fn configured(&self) -> Result<Url, Failure> {
        let found = config::health_address(&self.file.config).map_err(|why| {
            Failure::Failed(format!(
                "{why}; give the address of the listener with --url or in CDSW_GATEWAY_HEALTH"
            ))
        })?;
        place(&found).ok_or_else(|| Failure::Failed(format!("{found} is not an address")))
    }
}

/// What an answer's status says of the gateway, in words.
///
/// # Errors
/// Words too, where it is not well.
fn verdict(alive: bool, status: StatusCode) -> Result<&'static str, String> {
    match status {
        StatusCode::OK if alive => Ok("is alive"),
        StatusCode::OK => Ok("is ready"),
        StatusCode::SERVICE_UNAVAILABLE => {
            Err("is not ready; `cdsw-gateway doctor` and the log say why".to_owned())
        }
        other => Err(format!(
            "answered {other}; is it the health listener or the admin listener of a gateway?"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ok_is_well() {
        assert_eq!(verdict(false, StatusCode::OK), Ok("is ready"));
        assert_eq!(verdict(true, StatusCode::OK), Ok("is alive"));
        for status in [201, 204, 301, 401, 404, 500, 503] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert!(verdict(false, status).is_err(), "{status}");
            assert!(verdict(true, status).is_err(), "{status}");
        }
    }
}
