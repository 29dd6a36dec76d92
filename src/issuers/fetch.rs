//! One GET over TLS, or over plain HTTP to this machine. It follows no redirect, uses no proxy but the
//! configured one, and is bounded in time and in bytes.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Certificate, Client, Proxy, StatusCode, Url};

use super::cache::host;
use super::{Found, Issuers};
use crate::authorities;
use crate::error_chain::with_causes;
use crate::observe::Observation;
use crate::providers::{KeyPlace, Published};
use crate::regular_file::{self, MOST_OF_CERTIFICATES};

/// The `User-Agent` of every fetch.
const USER_AGENT: &str = concat!("cdsw-gateway/", env!("CARGO_PKG_VERSION"));
/// The most bytes that are read of an answer. Key sets have some 10 kB.
const MOST: usize = 512 * 1024;

/// How connections are made.
#[derive(Clone, Debug)]
pub struct Transport {
    /// The longest time for connecting.
    pub connect_timeout: Duration,
    /// The longest time for a whole fetch.
    pub timeout: Duration,
    /// Hosts with fixed addresses, so that a test can serve any host from this machine.
    pub resolve: Vec<(String, SocketAddr)>,
    /// Certificate authorities to trust besides those of the system, in PEM form.
    pub roots: Vec<Vec<u8>>,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(4),
            resolve: Vec::new(),
            roots: Vec::new(),
        }
    }
}

/// Why a fetch failed.
#[derive(Debug)]
pub(super) enum FetchFault {
    /// The request could not be prepared: the address, a CA file or the proxy cannot be used.
    Setup(String),
    /// No answer, or not all of it in time.
    Unreachable(String),
    /// An answer other than 200. Redirects are not followed.
    Status(StatusCode),
    /// The answer has too many bytes.
    TooLarge,
    /// The answer does not hold usable keys.
    Unreadable(String),
}

impl FetchFault {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Setup(_) => "setup",
            Self::Unreachable(_) => "unreachable",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// Whether the same request would probably fail again.
    fn is_final(&self) -> bool {
        match self {
            Self::Status(status) => status.is_client_error() || status.is_redirection(),
            Self::TooLarge | Self::Unreadable(_) => true,
            Self::Setup(_) | Self::Unreachable(_) => false,
        }
    }
}

impl fmt::Display for FetchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup(why) => write!(f, "it could not be asked: {why}"),
            Self::Unreachable(why) => write!(f, "it did not answer: {why}"),
            Self::Status(status) => write!(f, "it answered {status}; redirects are not followed"),
            Self::TooLarge => write!(f, "its answer has more than {MOST} bytes"),
            Self::Unreadable(why) => write!(f, "its answer cannot be used: {why}"),
        }
    }
}

/// What is fetched, and the network path to it.
pub(super) struct Way {
    pub(super) url: Arc<str>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) proxy: Option<Arc<str>>,
}

impl Issuers {
    pub(super) async fn fetch(&self, place: &KeyPlace) -> Result<Published, FetchFault> {
        let KeyPlace { url, ca_file, proxy, .. } = place.clone();
        let bytes = self.transport.get(Way { url: Arc::clone(&url), ca_file, proxy }).await?;
        let keys = place.form.read(&bytes);
        let keys = keys.map_err(|fault| FetchFault::Unreadable(fault.to_string()))?;
        Ok(Published { url, keys })
    }

    /// Fetches the keys of an address without caching them, and returns how many there are.
    ///
    /// # Errors
    /// A sentence that says why there are none.
    pub async fn look(&self, place: &KeyPlace) -> Result<usize, String> {
        let fetched = self.fetch(place).await;
        fetched
            .map(|published| published.keys.len())
            .map_err(|fault| format!("{} does not publish keys: {fault}", place.url))
    }

    /// Caches the result of a fetch, and logs it.
    pub(super) fn land(&self, place: &KeyPlace, result: Result<Published, FetchFault>) -> Found {
        let now = self.clock.now();
        let host = host(&place.url);
        match result {
            Ok(published) => {
                let keys = published.keys.len();
                let published = Arc::new(published);
                self.lock().land(place, Some(Arc::clone(&published)), now);
                let url = &*place.url;
                self.observer.tell(Observation::KeysFetched { url, host, keys, at: now });
                Found::Keys(published)
            }
            Err(fault) => {
                let since: Option<Timestamp> = self.lock().land(place, None, now);
                self.observer.tell(Observation::KeysNotFetched {
                    url: &place.url,
                    host,
                    reason: fault.reason(),
                    words: &fault.to_string(),
                    since,
                });
                match place.chosen_by_request && fault.is_final() {
                    true => Found::Nothing,
                    false => Found::NotNow,
                }
            }
        }
    }
}

impl Transport {
    /// Sends the request and returns the body of the answer.
    ///
    /// # Errors
    /// Where there is no answer of status 200 within the limits.
    pub(super) async fn get(&self, way: Way) -> Result<Vec<u8>, FetchFault> {
        let url = Url::parse(&way.url)
            .ok()
            .filter(is_safe)
            .ok_or_else(|| FetchFault::Setup("its address is not https".to_owned()))?;
        let transport = self.clone();
        // On a thread for blocking work, since making a client reads files.
        let made = tokio::task::spawn_blocking(move || transport.client(&way)).await;
        let client = made.map_err(|error| FetchFault::Setup(error.to_string()))??;
        let unreachable =
            |error: reqwest::Error| FetchFault::Unreachable(with_causes(&error.without_url()));
        let mut answer = client.get(url).send().await.map_err(unreachable)?;
        if answer.status() != StatusCode::OK {
            return Err(FetchFault::Status(answer.status()));
        }
        if answer.content_length().is_some_and(|length| length > MOST as u64) {
            return Err(FetchFault::TooLarge);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MOST {
                return Err(FetchFault::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn client(&self, way: &Way) -> Result<Client, FetchFault> {
        let fault = |why: &dyn fmt::Display| FetchFault::Setup(why.to_string());
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_gzip()
            .http1_only()
            .pool_max_idle_per_host(0)
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout);
        let mut roots = self.roots.clone();
        if let Some(path) = &way.ca_file {
            let pem = regular_file::read(path, MOST_OF_CERTIFICATES);
            roots.push(pem.map_err(|error| fault(&format!("{}: {error}", path.display())))?);
        }
        for pem in &roots {
            let certificates = Certificate::from_pem_bundle(pem).map_err(|error| fault(&error))?;
            if certificates.is_empty() {
                return Err(fault(&"the CA file holds no certificate in PEM form"));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        if let Some(address) = &way.proxy {
            let proxy = Proxy::all(&**address).map_err(|error| fault(&with_causes(&error)))?;
            builder = builder.proxy(proxy);
        }
        for (host, address) in &self.resolve {
            builder = builder.resolve(host, *address);
        }
        builder.build().map_err(|error| fault(&authorities::explained(with_causes(&error))))
    }
}

/// Whether the address uses TLS, or plain HTTP to this machine.
fn is_safe(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_loopback = ip.map_or(host == "localhost", |ip| ip.is_loopback());
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}
