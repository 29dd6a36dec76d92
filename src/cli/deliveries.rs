//! `deliveries`: what was received, and why it did or did not start something.

use clap::{Args, Subcommand};

use super::client::Remote;
use super::failure::Failure;
use super::replay::Replay;
use super::runs::show_run;
use super::screen::{Screen, Tone, raw};
use super::table::Cell;
use super::tones::{ids, state_tone, time, time_and_when, when};
use crate::admin::views;
use crate::admin::views::{ExplanationView, RunSummary};
use crate::model::{IdPrefix, RunState, counted};

/// Look at kept deliveries of a running gateway, and erase them.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway deliveries list --source github\n  \
    cdsw-gateway deliveries show 0193a6f2-2097          why did this push not start my job?\n  \
    cdsw-gateway deliveries show 0193a6f2-2097 --body > payload.json\n  \
    cdsw-gateway deliveries erase 0193a6f2-2097 --yes --note \"asked for by its author\"\n  \
    cdsw-gateway deliveries refused github           what was not let in, and why")]
pub(super) struct Deliveries {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Newest first
    #[command(after_help = "Examples:\n  \
        cdsw-gateway deliveries list --source github -n 5\n  \
        cdsw-gateway deliveries list --before 0193a6f2-2097")]
    List {
        /// Of this source only
        #[arg(long)]
        source: Option<String>,
        /// Older than this delivery
        #[arg(long, value_name = "ID")]
        before: Option<IdPrefix>,
        /// How many, 1000 at most
        #[arg(long, short = 'n', default_value_t = 20)]
        limit: usize,
    },
    /// One delivery: verdict of every route, runs, attempts
    #[command(after_help = "Examples:\n  \
        cdsw-gateway deliveries show 0193a6f2-2097\n  \
        cdsw-gateway deliveries show 0193a6f2-2097 --body > payload.json")]
    Show {
        /// The delivery's id, or its beginning
        id: IdPrefix,
        /// Write its body, byte for byte, and nothing else
        #[arg(long)]
        body: bool,
        /// Write the body without its Content-Encoding and in UTF-8, as expressions read it
        #[arg(long, requires = "body")]
        plain: bool,
    },
    /// Put kept deliveries through today's routes again
    Replay(Replay),
    /// Erase the content of deliveries for good: body, headers, variables, replies
    #[command(after_help = "Examples:\n  \
        cdsw-gateway deliveries erase 0193a6f2-2097          what would be erased?\n  \
        cdsw-gateway deliveries erase 0193a6f2-2097 --yes --note \"asked for by its author\"")]
    Erase {
        /// The deliveries' ids, or their beginnings
        #[arg(required = true, value_name = "ID")]
        ids: Vec<IdPrefix>,
        /// Do it; without this, only what would be erased is shown
        #[arg(long)]
        yes: bool,
        /// Why, kept with the act
        #[arg(long)]
        note: Option<String>,
    },
    /// The last requests that were refused: of a source, or of all
    #[command(after_help = "Examples:\n  \
        cdsw-gateway deliveries refused\n  \
        cdsw-gateway deliveries refused github\n  \
        cdsw-gateway deliveries refused --unknown            to addresses that are no source's")]
    Refused {
        /// The source; all of them where it is left out
        source: Option<String>,
        /// Only requests to addresses that are no source's
        #[arg(long, conflicts_with = "source")]
        unknown: bool,
    },
}

impl Deliveries {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        if let What::Replay(replay) = self.what {
            return replay.run(screen).await;
        }
        let api = self.remote.api()?;
        match self.what {
            What::Replay(_) => {}
            What::List { source, before, limit } => {
                let mut query = vec![("limit", limit.to_string())];
                query.extend(source.map(|source| ("source", source)));
                query.extend(before.map(|before| ("before", before.to_string())));
                list(screen, &api.get(&["deliveries"], &query).await?);
            }
            What::Show { id, body: true, plain } => {
                let query: &[_] = if plain { &[("plain", "true")] } else { &[] };
                let body = api.bytes(&["deliveries", &id.to_string(), "body"], query).await?;
                raw(&body).map_err(|error| Failure::Failed(error.to_string()))?;
            }
            What::Show { id, body: false, .. } => {
                show(screen, &api.get(&["deliveries", &id.to_string()], &[]).await?);
            }
            What::Erase { ids, yes: false, .. } => {
                for id in ids {
                    would_erase(screen, &api.get(&["deliveries", &id.to_string()], &[]).await?);
                }
                return Err(Failure::Usage("nothing was erased; add --yes to erase it".to_owned()));
            }
            What::Erase { ids, yes: true, note } => {
                for id in ids {
                    let ask = views::NoteAsk { note: note.clone() };
                    erased(
                        screen,
                        &api.post(&["deliveries", &id.to_string(), "erase"], &ask).await?,
                    );
                }
            }
            What::Refused { source: Some(source), .. } => {
                refused(screen, &api.get(&["refusals", &source], &[]).await?)
            }
            What::Refused { source: None, unknown } => {
                let query = if unknown { vec![("unknown", "true".to_owned())] } else { Vec::new() };
                refused(screen, &api.get(&["refusals"], &query).await?)
            }
        }
        Ok(())
    }
}

fn list(screen: Screen, view: &views::Deliveries) {
    if screen.json() {
        return screen.value(view);
    }
    if view.deliveries.is_empty() {
        return screen.line("no deliveries");
    }
    let ids = ids(screen, view.deliveries.iter().map(|delivery| delivery.id));
    let rows: Vec<Vec<Cell>> = view
        .deliveries
        .iter()
        .zip(ids)
        .map(|(delivery, id)| {
            vec![
                id,
                Cell::whole(when(screen, delivery.received_at)),
                delivery.source.clone().into(),
                delivery.kind.clone().into(),
                repeats(screen, delivery).into(),
                outcome(&delivery.runs, delivery.handshake),
            ]
        })
        .collect();
    screen.table(&["DELIVERY", "RECEIVED", "SOURCE", "EVENT", "REPEATS", "RUNS"], &rows);
    screen.more(view.deliveries.len(), view.next);
}

/// How many requests were taken for repeats of a delivery, and when the last of them came.
fn repeats(screen: Screen, delivery: &views::DeliverySummary) -> String {
    match (delivery.repeats, delivery.repeated_at) {
        (0, _) => "none".to_owned(),
        (repeats, None) => repeats.to_string(),
        (repeats, Some(last)) => format!("{repeats}, last {}", when(screen, last)),
    }
}

/// Its runs with their states, in the tone of the one that needs most attention.
fn outcome(runs: &[RunSummary], handshake: bool) -> Cell {
    let tones = runs.iter().map(|run| state_tone(run.state));
    let tone = tones.max_by_key(|tone| match tone {
        Tone::Bad => 3,
        Tone::Warn => 2,
        Tone::Good => 1,
        Tone::Dim | Tone::Strong => 0,
    });
    let Some(tone) = tone else {
        return Cell::from(if handshake { "handshake" } else { "none matched" }).tone(Tone::Dim);
    };
    let runs: Vec<String> = runs.iter().map(|run| format!("{} {}", run.route, run.state)).collect();
    Cell::from(runs.join(", ")).tone(tone)
}

fn show(screen: Screen, view: &views::DeliveryView) {
    if screen.json() {
        return screen.value(view);
    }
    let summary = &view.summary;
    let title = format!("delivery {}", summary.id);
    screen.line(screen.paint(Tone::Strong, title));
    let name = summary
        .name
        .as_ref()
        .filter(|name| **name != summary.kind)
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    screen.line(format!("  source    {} ({})", summary.source, summary.provider));
    screen.line(format!("  event     {}{name}", summary.kind));
    screen.line(format!(
        "  received  {} from {}",
        time_and_when(screen, summary.received_at),
        summary.remote.as_deref().unwrap_or("?")
    ));
    screen.line(format!("  key       {}", summary.key));
    if let Some(first) = summary.same_id_as {
        screen.words(
            12,
            format!(
                "  same id   as delivery {first}, with other content: the sender gave both this id"
            ),
        );
    }
    if summary.repeats > 0 {
        screen.line(format!("  repeats   {}", repeats(screen, summary)));
    }
    screen.line(format!("  body      {} bytes", summary.size));
    match &summary.erased {
        Some(erased) => screen.line(format!("  erased    by {} at {}", erased.by, time(erased.at))),
        None if summary.stripped => {
            screen.line("  removed   its content, to keep the store's size bound");
        }
        None => {}
    }
    if view.removed_secrets > 0 {
        let places = counted(view.removed_secrets as u64, "place");
        screen.words(12, format!("  secrets   removed in {places}: `[redacted]` stands there"));
    }
    for facts in &view.git {
        screen.words(12, format!("  git       {facts}"));
    }
    show_explanation(screen, &view.explanation);
    if let Some(why) = &view.values_withheld {
        screen.words(4, format!("  {why}"));
    }
    for run in &view.details {
        screen.line("");
        show_run(screen, run);
    }
}

/// Says what erasing a delivery would remove.
fn would_erase(screen: Screen, view: &views::DeliveryView) {
    if screen.json() {
        return screen.value(&view.summary);
    }
    let summary = &view.summary;
    let waits = summary
        .runs
        .iter()
        .filter(|run| matches!(run.state, RunState::Waiting | RunState::Queued | RunState::Held));
    let waits = match waits.count() {
        0 => String::new(),
        runs => format!(", and cancel {runs} of its runs that are not sent yet"),
    };
    screen.line(format!(
        "would erase the content of delivery {} ({} of source {}, {} bytes){waits}",
        summary.id, summary.kind, summary.source, summary.size
    ));
}

fn erased(screen: Screen, view: &views::EraseView) {
    if screen.json() {
        return screen.value(view);
    }
    screen.line(format!("delivery {}: its content is erased", view.delivery));
    for run in &view.cancelled {
        screen.line(format!("  cancelled run {run}, which was not sent yet"));
    }
    if let Some(left) = &view.left {
        screen.line(format!("  bytes of it may still be in {left}"));
    }
}

/// Shows which routes matched a delivery, and why.
pub(super) fn show_explanation(screen: Screen, explanation: &ExplanationView) {
    if let Some(note) = &explanation.note {
        screen.words(6, format!("note  {note}"));
    }
    screen.line(screen.paint(Tone::Strong, "routes"));
    if let Some(nothing) = &explanation.nothing {
        let asked =
            if explanation.routes.is_empty() { "none asked" } else { "not asked of every event" };
        screen.words(4, format!("  {asked}: {nothing}"));
    } else if explanation.routes.is_empty() {
        screen.line("  none listens to this source for such an event");
    }
    for route in &explanation.routes {
        let part =
            if route.part == 0 { String::new() } else { format!(" (event {})", route.part + 1) };
        let words = route.words.as_deref().unwrap_or_default();
        if route.matched {
            let words = if words.is_empty() { String::new() } else { format!("  {words}") };
            let mark = screen.paint(Tone::Good, "matched    ");
            screen.words(15, format!("  {mark}  {}{part}{words}", route.route));
        } else {
            let mark = screen.paint(Tone::Dim, "not matched");
            let test = route.test.as_deref().unwrap_or("?");
            screen.words(15, format!("  {mark}  {}{part}  {test}: {words}", route.route));
            for compared in &route.values {
                screen.words(17, format!("               {} is {}", compared.what, compared.value));
            }
        }
    }
    if explanation.ruled_out > 0 {
        let more = explanation.ruled_out;
        screen
            .words(4, format!("  and {more} more routes that ask for another event or repository"));
    }
}

fn refused(screen: Screen, view: &views::RefusalsView) {
    if screen.json() {
        return screen.value(view);
    }
    if view.refusals.is_empty() {
        return screen.line("nothing was refused since the gateway started");
    }
    let rows: Vec<Vec<String>> = view
        .refusals
        .iter()
        .map(|refused| {
            vec![
                when(screen, refused.at),
                refused.source.as_ref().or(refused.path.as_ref()).cloned().unwrap_or_default(),
                refused.remote.clone(),
                refused.status.to_string(),
                refused.reason.clone(),
                refused.unverified_delivery_id.clone().unwrap_or_default(),
                refused.unverified_repository.clone().unwrap_or_default(),
                refused.words.clone(),
            ]
        })
        .collect();
    screen.table(&["TIME", "TO", "FROM", "STATUS", "REASON", "ID?", "REPOSITORY?", "WHY"], &rows);
    let names = |view: &views::RefusalView| {
        view.unverified_delivery_id.is_some() || view.unverified_repository.is_some()
    };
    if view.refusals.iter().any(names) {
        screen.line("ID? and REPOSITORY? are what the requests say of themselves, not verified");
    }
}
