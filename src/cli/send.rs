//! `send`: signs a sample as a provider would, and sends it to a source.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::Method;
use reqwest::Url;
use serde::Serialize;

use super::ConfigFile;
use super::explain::{find_source, parse_header, read};
use super::failure::Failure;
use super::screen::{Screen, Tone, printable};
use crate::chance::{Chance, SystemChance};
use crate::clock::{Clock, SystemClock};
use crate::config::{Live, SourcePlan};
use crate::model::Secret;
use crate::providers::Outgoing;
use crate::workbench::words;

/// Sign a sample as a provider would, and send it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway send github                                 a sample push\n  \
    cdsw-gateway send github --payload push.json --event push\n  \
    cdsw-gateway send github --id 72d3162e-cc78-11e3-81ab-4c9367dc0958   a repeat, when sent twice\n  \
    cdsw-gateway send github --to http://127.0.0.1:8080 --wrong-secret\n\n\
    Signs with the first secret that the configuration gives the source. Exit status 1 when the\n\
    gateway does not answer with a 2xx.")]
pub(super) struct Send {
    #[command(flatten)]
    file: ConfigFile,
    /// The source to send to
    source: String,
    /// The payload; `-` reads standard input; without it a sample of the provider
    #[arg(long, short)]
    payload: Option<PathBuf>,
    /// The kind of event, in the sender's words
    #[arg(long, short, default_value = "push")]
    event: String,
    /// What names the delivery; a new one each time unless given
    #[arg(long)]
    id: Option<String>,
    /// Where the gateway listens for webhooks; `server.listen` of the configuration unless given
    #[arg(long, value_name = "URL")]
    to: Option<Url>,
    /// Another header; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Sign with a secret that the gateway does not know
    #[arg(long)]
    wrong_secret: bool,
}

#[derive(Serialize)]
struct Sent {
    id: String,
    status: u16,
    answer: serde_json::Value,
}

impl Send {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let live = Live::start(&self.file.config)
            .map_err(|report| Failure::Config(report.render(screen.color())))?;
        let plan = live.plan();
        let source = find_source(&plan, &self.source)?;
        let body = match &self.payload {
            Some(path) => read(path)?,
            None => source.provider.sample(&self.event).map(|sample| sample.into()).ok_or_else(
                || {
                    Failure::Missing(format!(
                        "there is no sample of `{}` for {}; give --payload FILE",
                        self.event,
                        source.provider.name()
                    ))
                },
            )?,
        };
        let secret = if self.wrong_secret {
            source.provider.sample_signer()
        } else {
            live.source_secrets(source)
                .map_err(|fault| Failure::Failed(fault.to_string()))?
                .into_iter()
                .next()
                .unwrap_or_else(|| source.provider.sample_signer())
        };
        let base = match &self.to {
            Some(url) => url.clone(),
            None => format!("http://{}", plan.server.listen)
                .parse()
                .map_err(|_| Failure::Failed("server.listen is not an address".to_owned()))?,
        };
        let id = self.id.clone().unwrap_or_else(new_id);
        let signed = Signing { source, secret, event: &self.event, id: &id };
        let mut request = signed.request(&base, body)?;
        for header in &self.headers {
            let (name, value) = parse_header(header)?;
            request.headers_mut().insert(name, value);
        }
        let sent = deliver(request, id).await?;
        let good = (200..300).contains(&sent.status);
        if screen.json() {
            screen.value(&sent);
        } else {
            let tone = if good { Tone::Good } else { Tone::Bad };
            screen.line(format!("{}  {}", screen.paint(tone, sent.status), printable(&sent.id)));
            screen.line(serde_json::to_string_pretty(&sent.answer).unwrap_or_default());
        }
        if good { Ok(()) } else { Err(Failure::Found) }
    }
}

/// What is needed to make a request that a source believes.
pub(super) struct Signing<'a> {
    pub(super) source: &'a SourcePlan,
    pub(super) secret: Secret,
    pub(super) event: &'a str,
    pub(super) id: &'a str,
}

impl Signing<'_> {
    /// The request as the sender would make it.
    pub(super) fn request(&self, base: &Url, body: Vec<u8>) -> Result<reqwest::Request, Failure> {
        let mut url = base.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::Failed(format!("`{base}` is not a usable address")))?
            .pop_if_empty()
            .extend(["hooks", &*self.source.name]);
        let path = url.path().to_owned();
        let outgoing =
            Outgoing { method: &Method::POST, path: &path, event: self.event, body: &body };
        let signed = self
            .source
            .provider
            .sign(&outgoing, &self.secret, &self.source.options, self.id, SystemClock.now())
            .map_err(|fault| Failure::Failed(fault.to_string()))?;
        url.set_query(Some(signed.query.as_str()).filter(|query| !query.is_empty()));
        let mut request = reqwest::Request::new(Method::POST, url);
        request.headers_mut().extend(signed.headers);
        *request.body_mut() = Some(signed.body.unwrap_or(body).into());
        Ok(request)
    }
}

/// A delivery id that nobody has used.
pub(super) fn new_id() -> String {
    uuid::Uuid::from_u128(SystemChance.bits()).hyphenated().to_string()
}

async fn deliver(request: reqwest::Request, id: String) -> Result<Sent, Failure> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build()
        .map_err(|error| Failure::Unreachable(words(&error)))?;
    let to = request.url().clone();
    let answer = client.execute(request).await.map_err(|error| {
        Failure::Unreachable(format!("cannot reach {to}: {}", words(&error.without_url())))
    })?;
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap_or_default();
    let answer = serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
    Ok(Sent { id, status, answer })
}
