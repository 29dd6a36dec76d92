//! `secrets`: which secrets of a running gateway's sources still prove deliveries, and which tokens are used.

use clap::Args;

use super::client::Remote;
use super::failure::Failure;
use super::screen::{Screen, Tone};
use super::tones::{time, when};
use crate::admin::views::SecretsView;

/// See which secrets still prove deliveries, to drop the old one of a rotation.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    cdsw-gateway secrets\n\n\
    To replace a webhook's secret: put the new one beside the old one in `secrets:`, change it at the\n\
    sender, and drop the old one when it no longer proves anything. Shows where each secret is kept,\n\
    never the secret. Admin tokens follow: when each was last used, and when its value changed. Counted in\n\
    memory, since the gateway started.")]
pub(super) struct Secrets {
    #[command(flatten)]
    remote: Remote,
}

impl Secrets {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let view: SecretsView = self.remote.api()?.get(&["secrets"], &[]).await?;
        show(screen, &view);
        Ok(())
    }
}

fn show(screen: Screen, view: &SecretsView) {
    if screen.json() {
        return screen.value(view);
    }
    let row = |secret: &crate::admin::views::SecretView| {
        vec![
            secret.source.clone(),
            match &*secret.key {
                "secrets" => secret.place.to_string(),
                key => format!("{key} {}", secret.place),
            },
            secret.reference.clone(),
            secret.deliveries.to_string(),
            secret.last.map_or_else(|| "never".to_owned(), |last| when(screen, last)),
        ]
    };
    let rows: Vec<Vec<String>> = view.secrets.iter().map(row).collect();
    screen.table(&["SOURCE", "PLACE", "SECRET IN", "DELIVERIES", "LAST"], &rows);
    for secret in view.secrets.iter().filter(|secret| secret.leaks > 0) {
        let said = format!(
            "the sender of {} puts the secret in {} into its requests ({} deliveries); it was removed, but let \
             the sender not send it",
            secret.source, secret.reference, secret.leaks
        );
        screen.line(screen.paint(Tone::Warn, said));
    }
    if !view.tokens.is_empty() {
        let told = |at: Option<jiff::Timestamp>, none: &str| {
            at.map_or_else(|| none.to_owned(), |at| when(screen, at))
        };
        let row = |token: &crate::admin::views::TokenView| {
            vec![
                token.name.clone(),
                token.reference.clone(),
                token.uses.to_string(),
                told(token.last, "never"),
                told(token.changed, "no"),
            ]
        };
        let rows: Vec<Vec<String>> = view.tokens.iter().map(row).collect();
        screen.line(String::new());
        screen.table(&["TOKEN", "SECRET IN", "USES", "LAST", "CHANGED"], &rows);
    }
    screen.line(screen.paint(Tone::Dim, format!("counted since {}", time(view.since))));
}
