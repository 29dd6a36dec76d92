//! Deliveries: the accepted webhook requests.

use bytes::Bytes;

use super::Row;
use crate::model::{ContentDigest, DeliveryId};
use crate::store::pack::{MOST_EXPLANATION, MOST_HEADERS, longest, unpack};
use crate::store::rules::claims::Held;
use crate::store::{Delivery, DeliverySummary, Erased, Reading, Run, StoreFault};

/// The columns of a delivery as a list shows it. Texts are cut where no program of ours makes them longer,
/// since other processes may write rows too.
pub(in crate::store) const SUMMARY: &str = "id, substr(source, 1, 300) AS source, \
    substr(provider, 1, 300) AS provider, substr(kind, 1, 4000) AS kind, substr(name, 1, 4000) AS name, \
    substr(delivery_key, 1, 4000) AS delivery_key, handshake, received_at, \
    substr(remote, 1, 300) AS remote, size, repeats, repeated_at, same_id_as, stripped, erased_at, \
    substr(erased_by, 1, 300) AS erased_by";

/// Most bytes of a query string or of a token's claims.
const MOST_TEXT: u64 = 1 << 20;

/// The columns of a delivery's content, as far as it is asked for. What is longer than it can be is not
/// fetched, and is null.
pub(in crate::store) fn content(reading: Reading) -> String {
    let bounded = |column: &str, most: u64| {
        format!("CASE WHEN octet_length({column}) <= {most} THEN {column} END AS {column}")
    };
    let body = match reading {
        Reading::WithoutBody => "substr(body, 1, 0) AS body".to_owned(),
        Reading::Whole { most_body } => bounded("body", longest(most_body)),
    };
    [
        bounded("headers", longest(MOST_HEADERS)),
        bounded("explanation", longest(MOST_EXPLANATION)),
        bounded("query", MOST_TEXT),
        bounded("claims", MOST_TEXT),
        body,
    ]
    .join(", ")
}

/// A delivery as a list shows it, read from the columns of [`SUMMARY`]; without its runs.
pub(in crate::store) fn summary(row: &impl Row) -> Result<DeliverySummary, StoreFault> {
    Ok(DeliverySummary {
        id: DeliveryId::from_bytes(row.id("id")?),
        source: row.text("source")?,
        provider: row.text("provider")?,
        kind: row.text("kind")?,
        name: row.maybe_text("name")?,
        key: row.text("delivery_key")?,
        handshake: row.flag("handshake")?,
        received_at: row.moment("received_at")?,
        remote: row.maybe_text("remote")?,
        size: row.count("size")?,
        repeats: row.count("repeats")?,
        repeated_at: row.maybe_moment("repeated_at")?,
        same_id_as: row.maybe_id("same_id_as")?.map(DeliveryId::from_bytes),
        stripped: row.flag("stripped")?,
        erased: erased(row)?,
        runs: Vec::new(),
    })
}

fn erased(row: &impl Row) -> Result<Option<Erased>, StoreFault> {
    let by = row.maybe_text("erased_by")?.unwrap_or_default();
    Ok(row.maybe_moment("erased_at")?.map(|at| Erased { at, by }))
}

/// The columns of a claim that is in force, with the delivery that has it.
pub(in crate::store) const HELD: &str = "deliveries.id, deliveries.digest";

/// The delivery that has a claim, read from the columns of [`HELD`].
pub(in crate::store) fn held(row: &impl Row) -> Result<Held, StoreFault> {
    let digest = row.maybe_bytes("digest")?.map(<[u8; ContentDigest::SIZE]>::try_from).transpose();
    let digest = digest.map_err(|_| super::unreadable("digest", "its length is another"))?;
    Ok(Held {
        delivery: DeliveryId::from_bytes(row.id("id")?),
        digest: digest.map(ContentDigest::from_bytes),
    })
}

/// What erasing sets in a delivery, beside its packed columns. The id at its sender stays, so that a repeat of
/// it is still recognized.
pub(in crate::store) const ERASED_DELIVERY: &str = "claims = NULL, query = '', remote = NULL";

/// What erasing sets in the runs of a delivery. Texts that may quote the content go, and so does the link of a
/// run to the one that took its place.
pub(in crate::store) const ERASED_RUN: &str = "\
    environment = CASE WHEN environment IS NOT NULL THEN '{}' END, \
    reason = CASE WHEN reason IS NULL OR state = 'cancelled' THEN reason ELSE 'erased' END, \
    latest_per = NULL, burst = CASE WHEN state <> 'superseded' THEN burst END, \
    burst_at = CASE WHEN state <> 'superseded' THEN burst_at END";

/// What erasing sets in the attempts of those runs.
pub(in crate::store) const ERASED_ATTEMPT: &str = "reason = NULL, reply = NULL";

/// A delivery with its content, read from the columns of [`SUMMARY`] and [`content`].
pub(in crate::store) fn whole(
    row: &impl Row,
    runs: Vec<Run>,
    reading: Reading,
) -> Result<Delivery, StoreFault> {
    let mut summary = summary(row)?;
    summary.runs = runs.iter().map(|run| run.brief.clone()).collect();
    let packed = |column: &str| {
        let long =
            || StoreFault::Unusable(format!("the {column} of a delivery is longer than any"));
        row.maybe_bytes(column)?.ok_or_else(long)
    };
    let headers = unpack("headers", &packed("headers")?, MOST_HEADERS)?;
    let explanation = unpack("explanation", &packed("explanation")?, MOST_EXPLANATION)?;
    let body = match reading {
        Reading::WithoutBody => Bytes::new(),
        Reading::Whole { most_body } => {
            unpack("body", &packed("body")?, most_body.min(summary.size))?
        }
    };
    Ok(Delivery {
        headers: if headers.is_empty() {
            Vec::new()
        } else {
            serde_json::from_slice(&headers).map_err(|error| super::unreadable("headers", error))?
        },
        query: row.text("query")?,
        body,
        explanation: explanation.to_vec(),
        claims: row.maybe_text("claims")?,
        runs,
        summary,
    })
}
