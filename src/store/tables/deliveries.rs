//! Deliveries: the accepted webhook requests.

use super::Row;
use crate::model::DeliveryId;
use crate::store::pack::unpack;
use crate::store::{Delivery, DeliverySummary, Run, StoreFault};

/// The columns of a delivery as a list shows it.
pub(in crate::store) const SUMMARY: &str = "id, source, provider, kind, name, delivery_key, \
    handshake, received_at, remote, size, repeats, stripped";
/// The columns of a delivery's content.
pub(in crate::store) const CONTENT: &str = "headers, query, body, explanation, claims";

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
        stripped: row.flag("stripped")?,
        runs: Vec::new(),
    })
}

/// A delivery with its content, read from the columns of [`SUMMARY`] and [`CONTENT`].
pub(in crate::store) fn whole(row: &impl Row, runs: Vec<Run>) -> Result<Delivery, StoreFault> {
    let mut summary = summary(row)?;
    summary.runs = runs.iter().map(|run| run.brief.clone()).collect();
    let headers = unpack(&row.bytes("headers")?)?;
    Ok(Delivery {
        headers: if headers.is_empty() {
            Vec::new()
        } else {
            serde_json::from_slice(&headers).map_err(|error| super::unreadable("headers", error))?
        },
        query: row.text("query")?,
        body: unpack(&row.bytes("body")?)?,
        explanation: unpack(&row.bytes("explanation")?)?.to_vec(),
        claims: row.maybe_text("claims")?,
        runs,
        summary,
    })
}
