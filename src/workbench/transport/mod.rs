//! The HTTP transport to a workbench: TLS, proxy, time-outs, addresses, and what it proves about a request
//! that got no reply. Shared by the job APIs.
//!
//! It follows no redirect, retries nothing, and uses each connection for one request.

mod address;
mod proof;

use reqwest::header::HeaderName;
use reqwest::{Certificate, Client, Proxy, Request, RequestBuilder, Response, Url};

use super::ClientFault;
use crate::authorities;
use crate::config::WorkbenchPlan;
use crate::error_chain::with_causes;
use crate::regular_file::{self, MOST_OF_CERTIFICATES};

pub(super) use address::address;
pub(super) use proof::NoReply;

/// The `User-Agent` of the requests.
const USER_AGENT: &str = concat!("cdsw-gateway/", env!("CARGO_PKG_VERSION"));

/// Most bytes of a reply's body that are read.
const MOST_OF_A_REPLY: usize = 64 * 1024;

/// A client for one workbench.
#[derive(Clone, Debug)]
pub(super) struct Transport(Client);

impl Transport {
    /// Makes a client that trusts the system's certificate authorities and the configured one, and uses the
    /// configured proxy or none.
    pub(super) fn new(plan: &WorkbenchPlan) -> Result<Self, ClientFault> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // A new connection for every start: the workbench may close an idle one just as it is used again,
            // and then nobody could say whether the job was started.
            .pool_max_idle_per_host(0)
            .http1_only()
            .connect_timeout(plan.connect_timeout)
            .timeout(plan.timeout);
        if let Some(certificates) = authorities(plan)? {
            builder = builder.tls_certs_merge(certificates);
        }
        let addresses = std::iter::once(&plan.url).chain(&plan.proxy);
        builder = authorities::only_where_needed(builder, addresses);
        if let Some(address) = &plan.proxy {
            let proxy = Proxy::all(address.clone()).map_err(|error| {
                ClientFault(format!("proxy of workbench {}: {error}", plan.name))
            })?;
            builder = builder.proxy(proxy);
        }
        builder.build().map(Self).map_err(|error| {
            let why = authorities::explained(with_causes(&error));
            ClientFault(format!("workbench {}: {why}", plan.name))
        })
    }

    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.0.get(url)
    }

    pub(super) fn post(&self, url: Url) -> RequestBuilder {
        self.0.post(url)
    }

    /// Sends a request once, without retries.
    pub(super) async fn send(&self, request: Request) -> Result<Response, NoReply> {
        self.0.execute(request).await.map_err(NoReply::of)
    }
}

/// The configured certificate authorities, which are trusted in addition to those of the system.
fn authorities(plan: &WorkbenchPlan) -> Result<Option<Vec<Certificate>>, ClientFault> {
    let Some(path) = &plan.ca_file else { return Ok(None) };
    let fault = |why: String| {
        ClientFault(format!("ca_file {} of workbench {}: {why}", path.display(), plan.name))
    };
    let pem =
        regular_file::read(path, MOST_OF_CERTIFICATES).map_err(|error| fault(error.to_string()))?;
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|error| fault(error.to_string()))?;
    if certificates.is_empty() {
        return Err(fault("it holds no certificate in PEM form".to_owned()));
    }
    Ok(Some(certificates))
}

/// The value of a reply's header; `None` where it is missing or not text.
pub(super) fn header(response: &Response, name: HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Appends the reply's body to `body`, up to the limit. Where reading fails, `body` has what came before.
pub(super) async fn read(mut response: Response, body: &mut Vec<u8>) -> Result<(), String> {
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = MOST_OF_A_REPLY - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if body.len() == MOST_OF_A_REPLY {
                    return Ok(());
                }
            }
            Ok(None) => return Ok(()),
            Err(error) => return Err(with_causes(&error.without_url())),
        }
    }
}
