//! What is large is kept compressed: bodies, headers and explanations as LZ4 blocks.
//!
//! LZ4 since it costs microseconds at the size of a webhook; the size in front is checked against
//! what was written, so a damaged block is an error and never an allocation.

use bytes::Bytes;

use crate::store::NewDelivery;
use crate::store::StoreFault;

/// Above this, compressing would hold up a worker that others share.
const LARGE: usize = 256 * 1024;

/// A delivery whose large fields are compressed.
pub(in crate::store) struct Packed {
    pub(in crate::store) delivery: NewDelivery,
    pub(in crate::store) size: usize,
    pub(in crate::store) headers: Vec<u8>,
    pub(in crate::store) explanation: Vec<u8>,
    pub(in crate::store) body: Vec<u8>,
}

/// Compresses what is large, outside the thread that commits.
pub(in crate::store) async fn delivery(delivery: NewDelivery) -> Result<Packed, StoreFault> {
    if delivery.body.len() + delivery.explanation.len() <= LARGE {
        return pack(delivery);
    }
    tokio::task::spawn_blocking(move || pack(delivery))
        .await
        .unwrap_or_else(|stopped| Err(StoreFault::Unavailable(stopped.to_string())))
}

fn pack(mut delivery: NewDelivery) -> Result<Packed, StoreFault> {
    let headers = serde_json::to_vec(&delivery.headers)
        .map_err(|error| StoreFault::Unavailable(format!("headers cannot be written: {error}")))?;
    let body = std::mem::take(&mut delivery.body);
    let explanation = std::mem::take(&mut delivery.explanation);
    Ok(Packed {
        size: body.len(),
        headers: lz4_flex::compress_prepend_size(&headers),
        explanation: lz4_flex::compress_prepend_size(&explanation),
        body: lz4_flex::compress_prepend_size(&body),
        delivery,
    })
}

/// The bytes that were packed; empty for content that was given up.
pub(in crate::store) fn unpack(packed: &[u8]) -> Result<Bytes, StoreFault> {
    if packed.is_empty() {
        return Ok(Bytes::new());
    }
    lz4_flex::decompress_size_prepended(packed)
        .map(Bytes::from)
        .map_err(|error| StoreFault::Unusable(format!("a kept body is damaged: {error}")))
}
