//! Talks to the running gateway's API, with a token. The command line never opens the store of a running
//! gateway.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser};
use reqwest::header::LOCATION;
use reqwest::{Certificate, Client, Method, RequestBuilder, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::refused::{NOT_ADMIN, failure};
use crate::admin::views::ProblemView;
use crate::authorities;
use crate::error_chain::with_causes;
use crate::model::{Listen, Secret, printable};
use crate::regular_file::{self, MOST_OF_CERTIFICATES};

/// How long the gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the running gateway is, and who asks.
#[derive(Args, Clone, Debug)]
pub(super) struct Remote {
    /// Address of the running gateway's admin listener, such as http://127.0.0.1:8081 or unix:/run/gateway/admin.sock
    #[arg(long, env = "CDSW_GATEWAY_URL", default_value = "http://127.0.0.1:8081", global = true, value_parser = address)]
    pub(super) url: Url,
    /// File that holds an admin token; without it the variable CDSW_GATEWAY_TOKEN is used
    #[arg(long, value_name = "FILE", env = "CDSW_GATEWAY_TOKEN_FILE", global = true)]
    pub(super) token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) trust: Trust,
}

/// Which certificates are trusted, besides those of the system.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Trust {
    /// File with certificates (PEM) of authorities to trust besides the system's, such as a company's own
    #[arg(long, value_name = "FILE", env = "CDSW_GATEWAY_CA_FILE", global = true)]
    ca_file: Option<PathBuf>,
}

impl Trust {
    /// A client for this address that trusts them, and waits so long for an answer. It follows no redirects.
    pub(super) fn client(&self, url: &Url, patience: Duration) -> Result<Client, Failure> {
        let none = reqwest::redirect::Policy::none();
        let builder = Client::builder().no_proxy().redirect(none).timeout(patience);
        let mut builder = authorities::only_where_needed(builder, [url]);
        if let Some(path) = socket_of(url) {
            builder = builder.unix_socket(path);
        }
        if let Some(path) = &self.ca_file {
            let unusable = |why: &dyn std::fmt::Display| {
                Failure::Usage(format!("the CA file {} cannot be used: {why}", path.display()))
            };
            let pem =
                regular_file::read(path, MOST_OF_CERTIFICATES).map_err(|why| unusable(&why))?;
            let found = Certificate::from_pem_bundle(&pem).map_err(|why| unusable(&why))?;
            if found.is_empty() {
                return Err(unusable(&"it holds no certificate in PEM form"));
            }
            builder = found.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        builder
            .build()
            .map_err(|error| Failure::Unreachable(authorities::explained(with_causes(&error))))
    }
}

/// Why there was no answer, and what to do where the cause is known.
pub(super) fn no_answer(error: reqwest::Error) -> String {
    let error = error.without_url();
    let words = with_causes(&error);
    match words.contains("invalid peer certificate") {
        true => format!(
            "{words}; its certificate is not trusted here: give the certificate of the authority that issued \
             it with --ca-file FILE"
        ),
        false => words,
    }
}

/// The same arguments in front of the command. Each command that asks a gateway has them as its own, with their help.
#[derive(Args, Clone, Debug)]
pub(super) struct Anywhere {
    #[arg(long = "url", id = "url", global = true, hide = true, value_parser = address)]
    url: Option<Url>,
    #[arg(long = "token-file", id = "token_file", global = true, hide = true)]
    token_file: Option<PathBuf>,
}

/// What [`Remote`] is, for a command that asks a gateway only now and then.
#[derive(Parser)]
struct Only {
    #[command(flatten)]
    remote: Remote,
}

impl Anywhere {
    /// Where the gateway is and who asks, completed from the environment.
    pub(super) fn remote(&self) -> Result<Remote, Failure> {
        let mut arguments = vec!["cdsw-gateway".into()];
        if let Some(url) = &self.url {
            arguments.extend(["--url".into(), url.to_string().into()]);
        }
        if let Some(path) = &self.token_file {
            arguments.extend([std::ffi::OsString::from("--token-file"), path.clone().into()]);
        }
        let parsed = Only::try_parse_from(arguments);
        parsed.map(|only| only.remote).map_err(|fault| Failure::Usage(fault.to_string()))
    }
}

/// A connection to a gateway's API.
pub(super) struct Api {
    client: Client,
    /// Where it is, for people.
    shown: Url,
    /// Where it is, by HTTP.
    url: Url,
    token: Secret,
}

impl Remote {
    /// Reads the token and makes a client. An error where there is no token.
    pub(super) fn api(&self) -> Result<Api, Failure> {
        let token = match &self.token_file {
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                Failure::Unreachable(format!(
                    "cannot read the token in {}: {error}",
                    path.display()
                ))
            })?,
            None => std::env::var("CDSW_GATEWAY_TOKEN").unwrap_or_default(),
        };
        let token = token.trim();
        if token.is_empty() {
            return Err(Failure::Unreachable(
                "no admin token: set CDSW_GATEWAY_TOKEN, or give --token-file FILE".to_owned(),
            ));
        }
        Ok(Api {
            client: self.trust.client(&self.url, PATIENCE)?,
            url: over_http(&self.url),
            shown: self.url.clone(),
            token: Secret::new(token),
        })
    }
}

impl Api {
    /// A client for the gateway at this address.
    pub(super) fn new(url: Url, token: Secret) -> Result<Self, Failure> {
        let client = Trust::default().client(&url, PATIENCE)?;
        Ok(Self { client, url: over_http(&url), shown: url, token })
    }

    /// Sends a GET and parses the answer.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, Failure> {
        let mut url = self.address(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.client.request(Method::GET, url)).await
    }

    /// Sends a GET and returns the body as it is.
    pub(super) async fn bytes(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<u8>, Failure> {
        let mut url = self.address(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.client.request(Method::GET, url);
        Ok(self.answer(request).await?.bytes().await.map_err(lost)?.to_vec())
    }

    /// Sends a POST with a JSON body and parses the answer.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        ask: &impl Serialize,
    ) -> Result<T, Failure> {
        self.send(self.client.request(Method::POST, self.address(path)?).json(ask)).await
    }

    fn address(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::Unreachable(format!("`{}` is not a usable address", self.url)))?
            .pop_if_empty()
            .push("api")
            .extend(path);
        Ok(url)
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let answer = self.answer(request).await?;
        answer.json().await.map_err(|error| {
            Failure::Unreachable(format!(
                "the answer is not this program's ({}); is --url the admin listener of a gateway \
                 of this version?",
                with_causes(&error.without_url())
            ))
        })
    }

    async fn answer(&self, request: RequestBuilder) -> Result<reqwest::Response, Failure> {
        let token = String::from_utf8_lossy(self.token.expose()).into_owned();
        let answer = request.bearer_auth(token).send().await.map_err(|error| {
            let is_untrusted = with_causes(&error).contains("invalid peer certificate");
            let why = no_answer(error);
            let guess = match is_untrusted {
                true => "",
                false => "; is it running, and is --url its admin listener?",
            };
            Failure::Unreachable(format!(
                "cannot reach the gateway at {}: {why}{guess}",
                self.shown
            ))
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if status.is_redirection() {
            let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let to = printable(to.unwrap_or("another address")).into_owned();
            return Err(Failure::Unreachable(format!(
                "{} redirects to {to} ({status}), which is not followed with a token; give the address of the \
                 admin listener with --url",
                self.shown
            )));
        }
        let problem = answer.json::<ProblemView>().await.ok();
        let code = problem.as_ref().and_then(|problem| problem.code.as_deref());
        if code.is_none() && matches!(status.as_u16(), 404 | 405) && !self.is_admin().await {
            return Err(Failure::Unreachable(format!(
                "there is no API at {} (it answered {status}); {NOT_ADMIN}",
                self.shown
            )));
        }
        // One line: it may quote what is in the store.
        let why = problem.as_ref().and_then(|problem| problem.words());
        let why = why.map(|why| printable(&why).into_owned());
        let why = why.unwrap_or_else(|| format!("the gateway answered {status}"));
        Err(failure(code, status, why))
    }

    /// Whether the address is an admin listener of any version. This is asked after an error without a
    /// code, which may come from the listener for webhooks or from another program.
    async fn is_admin(&self) -> bool {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("livez");
        }
        let answer = self.client.get(url).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}

/// Parses an address given as an argument.
pub(super) fn address(text: &str) -> Result<Url, String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return on_socket(Path::new(path)).ok_or_else(|| {
            "not a socket; write its path, such as unix:/run/cdsw-gateway/admin.sock".to_owned()
        });
    }
    let good = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    text.parse().ok().filter(good).ok_or_else(|| {
        "not an address; write it with its scheme, such as http://127.0.0.1:8081, or \
         unix:/run/cdsw-gateway/admin.sock"
            .to_owned()
    })
}

/// The address of a Unix socket: `unix:` and its path, with the escapes of an address.
pub(super) fn on_socket(path: &Path) -> Option<Url> {
    let path = std::path::absolute(path).ok()?;
    let escaped = Url::from_file_path(path).ok()?;
    Url::parse(&format!("unix:{}", escaped.path())).ok().filter(|url| url.path().len() > 1)
}

/// The path of the socket that an address names; none for another address.
fn socket_of(url: &Url) -> Option<PathBuf> {
    let path = (url.scheme() == "unix").then(|| url.path())?;
    Url::parse(&format!("file://{path}")).ok()?.to_file_path().ok()
}

/// The address that requests name: on a Unix socket the name of this machine, since HTTP wants one.
pub(super) fn over_http(url: &Url) -> Url {
    let here = || Url::parse("http://localhost/").ok();
    socket_of(url).and_then(|_| here()).unwrap_or_else(|| url.clone())
}

/// The address at which this machine reaches a listener; none where only systemd knows it.
pub(super) fn place(listen: &Listen) -> Option<Url> {
    match listen.reached_here()? {
        Listen::Tcp(address) => format!("http://{address}").parse().ok(),
        Listen::Unix(socket) => on_socket(&socket.path),
        Listen::Passed(_) => None,
    }
}

fn lost(error: reqwest::Error) -> Failure {
    Failure::Unreachable(with_causes(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_an_address_whatever_its_path_is() {
        for path in ["/run/g/admin.sock", "/run/a b/%41?#/ü.sock", "/x"] {
            let url = address(&format!("unix:{path}")).expect(path);
            assert_eq!(socket_of(&url), Some(PathBuf::from(path)));
            assert_eq!(over_http(&url).as_str(), "http://localhost/");
        }
        let here = std::env::current_dir().expect("a directory");
        let url = address("unix:admin.sock").expect("a relative one");
        assert_eq!(socket_of(&url), Some(here.join("admin.sock")));
        let url = address("http://127.0.0.1:8081").expect("an address");
        assert_eq!((socket_of(&url), over_http(&url)), (None, url));
    }

    #[test]
    fn what_names_no_socket_is_refused() {
        for text in ["unix:", "unix:/", "Unix:/run/x", "/run/x", "unix"] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
