//! `send`: signs a payload as the sender would, and sends it to a configured source or, with
//! `--provider`, to any address.
//!
//! A secret is never given on the command line, where every user of the machine could read it.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use reqwest::Url;

use super::ConfigFile;
use super::client::{self, Anywhere, Api, Remote, Trust};
use super::explain::{find_source, parse_header, read};
use super::failure::Failure;
use super::providers;
use super::runs::{show_run, wait};
use super::screen::{Screen, Tone, aside};
use super::signer;
use super::signing::{Sent, Signing, deliver, hook, new_id};
use crate::config::{Live, SecretRef, SecretResolver, SourcePlan, documented_source};
use crate::model::{RunState, Secret};

/// Where a gateway usually listens for webhooks.
const USUAL: &str = "http://127.0.0.1:8080";

/// Sign a sample as a provider would, and send it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway send github                                 a sample push\n  \
    cdsw-gateway send github --wait                          and wait for what becomes of it\n  \
    cdsw-gateway send github --payload push.json --event push\n  \
    cdsw-gateway send github --id 72d3162e-cc78-11e3-81ab-4c9367dc0958   a repeat, when sent twice\n  \
    cdsw-gateway send github --to http://127.0.0.1:8080 --wrong-secret\n  \
    cdsw-gateway send --list                                 which providers and samples there are\n  \
    cdsw-gateway send --provider gitlab --secret-env GITLAB_SECRET \\\n      \
      --to https://hooks.example.com/hooks/gitlab --ca-file corp-ca.pem\n  \
    cdsw-gateway send --provider hmac --set header=X-Hub-Signature --secret-file secret.txt\n\n\
    With a source, signs with the first secret that the configuration gives it. Where that is a public\n\
    key, only its sender can sign: put the provider's sample key beside it to try things out. Sources\n\
    whose keys are fetched (aws-sns, google-chat, jwt with jwks_url) believe nobody but their sender.\n\
    With --provider no\n\
    configuration is read: the settings are those of the provider's documentation unless --set says\n\
    otherwise, and without a secret the provider's sample secret is used, which proves nothing. Exit\n\
    status 1 when the gateway does not answer with a 2xx.")]
pub(super) struct Send {
    #[command(flatten)]
    file: ConfigFile,
    /// The source to send to
    #[arg(required_unless_present_any = ["provider", "list"])]
    source: Option<String>,
    /// Sign as this provider does, without a configuration
    #[arg(long, value_name = "NAME", conflicts_with = "source")]
    provider: Option<String>,
    /// List the providers with the events that there are samples of, and send nothing
    #[arg(long)]
    list: bool,
    /// Environment variable that holds the secret
    #[arg(long, value_name = "NAME", requires = "provider", conflicts_with = "secret_file")]
    secret_env: Option<String>,
    /// File that holds the secret
    #[arg(long, value_name = "FILE", requires = "provider")]
    secret_file: Option<PathBuf>,
    /// A setting of the source, with its value as a configuration has it; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "provider")]
    settings: Vec<String>,
    /// The payload; `-` reads standard input; without it a sample of the provider
    #[arg(long, short)]
    payload: Option<PathBuf>,
    /// The kind of event, in the sender's words; the provider's usual one unless given
    #[arg(long, short)]
    event: Option<String>,
    /// What names the delivery; a new one each time unless given
    #[arg(long)]
    id: Option<String>,
    /// Where the gateway listens for webhooks, `server.listen` of the configuration unless given;
    /// with --provider the whole address of the source
    #[arg(long, value_name = "URL", value_parser = client::address)]
    to: Option<Url>,
    /// Another header; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    #[command(flatten)]
    trust: Trust,
    /// Wait until its runs are started, or need a person; asks the gateway at --url with an admin token
    #[arg(long)]
    wait: bool,
    /// Sign with a secret that the gateway does not know
    #[arg(long, conflicts_with = "provider")]
    wrong_secret: bool,
}

/// Where the request goes, and what it is signed with.
struct Target {
    source: Arc<SourcePlan>,
    secret: Secret,
    access_token: Option<Secret>,
    /// Where it is sent, and where the request says that it goes: two things on a Unix socket.
    place: Url,
    url: Url,
}

impl Send {
    pub(super) async fn run(self, screen: Screen, anywhere: &Anywhere) -> Result<(), Failure> {
        if self.list {
            providers::list(screen);
            return Ok(());
        }
        let target = match (&self.provider, &self.source) {
            (Some(name), _) => self.without_configuration(screen, name).await?,
            (None, Some(name)) => self.of_configuration(screen, name).await?,
            // The argument parser asks for one of the two.
            (None, None) => return Err(Failure::Usage("name a source".to_owned())),
        };
        let Target { source, secret, access_token, place, url } = target;
        let event = self.event.as_deref().unwrap_or_else(|| source.provider.sample_kind());
        let id = self.id.clone().unwrap_or_else(new_id);
        let body = self.body(&source, event, &id)?;
        let signing = Signing { source: &source, secret, access_token, event, id: &id };
        let unfit = |failure| signer::explain(&source, failure);
        let mut request = signing.request(url, body).map_err(unfit)?;
        for header in &self.headers {
            let (name, value) = parse_header(header)?;
            request.headers_mut().insert(name, value);
        }
        // A command that is to wait fails before it sends, where it could not ask.
        let api = if self.wait {
            let remote = anywhere.remote()?;
            Some(Remote { trust: self.trust.clone(), ..remote }.api()?)
        } else {
            None
        };
        let sent = deliver(request, id, &place, &self.trust).await?;
        show(screen, &sent, api.is_some())?;
        match api {
            Some(api) => follow(screen, &api, &sent).await,
            None => Ok(()),
        }
    }

    async fn of_configuration(&self, screen: Screen, name: &str) -> Result<Target, Failure> {
        let live = Live::start(&self.file.config)
            .map_err(|report| Failure::Config(report.render(screen.color())))?;
        let plan = live.plan();
        let source = find_source(&plan, name)?;
        let sample = || source.provider.sample_signer();
        let (secret, access_token) = if self.wrong_secret {
            (sample(), None)
        } else {
            let secrets = live.source_secrets(source).await;
            let secrets = secrets.map_err(|fault| Failure::Failed(fault.to_string()))?;
            let access_token = secrets.held().access_tokens.first().cloned();
            (signer::of(source, &secrets)?, access_token)
        };
        let base = match &self.to {
            Some(url) => url.clone(),
            None => client::place(&plan.server.listen).ok_or_else(|| {
                Failure::Usage(format!(
                    "server.listen is {}, and only systemd knows where that listens; give its address with --to",
                    plan.server.listen
                ))
            })?,
        };
        let url = hook(&base, name)?;
        Ok(Target { source: Arc::clone(source), secret, access_token, place: base, url })
    }

    async fn without_configuration(&self, screen: Screen, name: &str) -> Result<Target, Failure> {
        let provider = providers::find(name)?;
        let settings: Result<Vec<_>, _> = self.settings.iter().map(|text| setting(text)).collect();
        let source = documented_source(provider, &settings?)
            .map_err(|report| Failure::Config(report.render(screen.color())))?;
        let reference = match (&self.secret_env, &self.secret_file) {
            (Some(name), _) => Some(SecretRef::Env(name.clone())),
            (None, Some(path)) => Some(SecretRef::File(path.clone())),
            (None, None) => None,
        };
        let secret = match reference {
            Some(reference) => SecretResolver::new()
                .resolve(&reference)
                .await
                .map_err(|fault| Failure::Missing(fault.to_string()))?,
            None => {
                aside(match signer::only_the_sender(&source) {
                    Some(why) => format!("signed with a sample key; {why}"),
                    None => format!(
                        "signed with the sample secret of {name}, which proves nothing; give \
                         --secret-env NAME or --secret-file FILE"
                    ),
                });
                provider.sample_signer()
            }
        };
        let base = self.to.clone().unwrap_or_else(|| USUAL.parse().expect("a literal address"));
        let is_bare = base.path() == "/" || base.scheme() == "unix";
        let url = if is_bare { hook(&base, name)? } else { base.clone() };
        Ok(Target { source, secret, access_token: None, place: base, url })
    }

    fn body(&self, source: &SourcePlan, event: &str, id: &str) -> Result<Vec<u8>, Failure> {
        if let Some(path) = &self.payload {
            return read(path);
        }
        let provider = source.provider;
        provider.sample_of(event, id).ok_or_else(|| {
            let there = provider.sample_kinds().join(", ");
            Failure::Missing(format!(
                "there is no sample of `{event}` for {}; give --payload FILE, or one of: {there}",
                provider.name()
            ))
        })
    }
}

/// Parses `key=value`.
fn setting(text: &str) -> Result<(String, String), Failure> {
    let fault = || Failure::Usage(format!("`{text}` is no setting; write it as `key=value`"));
    let (key, value) = text.split_once('=').ok_or_else(fault)?;
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let good = !key.is_empty() && key.bytes().all(is_key) && !value.contains(['\n', '\r']);
    if good { Ok((key.to_owned(), value.to_owned())) } else { Err(fault()) }
}

/// Shows the answer, and which command shows what became of it.
fn show(screen: Screen, sent: &Sent, waits: bool) -> Result<(), Failure> {
    let good = (200..300).contains(&sent.status);
    if screen.json() {
        if !good || !waits {
            screen.value(sent);
        }
    } else {
        let tone = if good { Tone::Good } else { Tone::Bad };
        screen.line(format!("{}  {}", screen.paint(tone, sent.status), sent.id));
        screen.value(&sent.answer);
        let runs = runs(sent);
        let next = match (&runs[..], sent.answer["delivery"].as_str()) {
            (_, _) if waits || !good => None,
            ([run, ..], _) => Some(format!("cdsw-gateway runs show {run} --wait")),
            ([], Some(delivery)) => Some(format!("cdsw-gateway deliveries show {delivery}")),
            ([], None) => None,
        };
        if let Some(next) = next {
            screen.line(screen.paint(Tone::Dim, format!("what became of it: {next}")));
        }
    }
    if good { Ok(()) } else { Err(Failure::Found) }
}

/// The ids of the runs in the answer.
fn runs(sent: &Sent) -> Vec<String> {
    let runs = sent.answer["runs"].as_array().into_iter().flatten();
    runs.filter_map(|run| run["id"].as_str().map(str::to_owned)).collect()
}

/// Waits for the runs of the answer, one after the other, and shows each.
async fn follow(screen: Screen, api: &Api, sent: &Sent) -> Result<(), Failure> {
    let mut found = Vec::new();
    for id in runs(sent) {
        found.push(wait(api, screen, id).await?);
    }
    if screen.json() {
        screen.value(&serde_json::json!({
            "id": sent.id, "status": sent.status, "answer": sent.answer, "runs": found,
        }));
    } else {
        found.iter().for_each(|run| show_run(screen, run));
    }
    let started = found.iter().all(|run| run.summary.state == RunState::Started);
    if started { Ok(()) } else { Err(Failure::Found) }
}
