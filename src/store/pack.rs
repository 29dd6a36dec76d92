//! What is large is kept compressed: bodies, headers and explanations as LZ4 blocks.
//!
//! LZ4 since it costs microseconds at the size of a webhook; the size in front is checked against
//! what was written, so a damaged block is an error and never an allocation.

use std::cell::RefCell;

use bytes::Bytes;
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use tokio::sync::Semaphore;

use crate::store::NewDelivery;
use crate::store::StoreFault;

/// Above this, compressing would hold up a worker that others share.
const LARGE: usize = 256 * 1024;

/// Large deliveries that are compressed at once: each takes its own size again meanwhile.
const AT_ONCE: usize = 4;

/// Bytes of the size in front of a block.
const SIZE: usize = 4;

/// A delivery whose large fields are compressed.
pub(in crate::store) struct Packed {
    pub(in crate::store) delivery: NewDelivery,
    pub(in crate::store) size: usize,
    pub(in crate::store) headers: Vec<u8>,
    pub(in crate::store) explanation: Vec<u8>,
    pub(in crate::store) body: Vec<u8>,
}

/// Compresses deliveries for one store.
pub(in crate::store) struct Packer(Semaphore);

impl Default for Packer {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Packer {
    /// Compresses what is large, outside the thread that commits.
    pub(in crate::store) async fn pack(&self, delivery: NewDelivery) -> Result<Packed, StoreFault> {
        if delivery.body.len() + delivery.explanation.len() <= LARGE {
            return pack(delivery);
        }
        let Ok(_place) = self.0.acquire().await else { return pack(delivery) };
        tokio::task::spawn_blocking(move || pack(delivery))
            .await
            .unwrap_or_else(|stopped| Err(StoreFault::Unavailable(stopped.to_string())))
    }
}

fn pack(mut delivery: NewDelivery) -> Result<Packed, StoreFault> {
    let headers = std::mem::take(&mut delivery.headers);
    let body = std::mem::take(&mut delivery.body);
    let explanation = std::mem::take(&mut delivery.explanation);
    Ok(Packed {
        size: body.len(),
        headers: compress(headers.json())?,
        explanation: compress(&explanation)?,
        body: compress(&body)?,
        delivery,
    })
}

/// An LZ4 block with its size in front.
fn compress(bytes: &[u8]) -> Result<Vec<u8>, StoreFault> {
    thread_local! {
        /// What the compressor knows of what it has seen. Made once a thread, since making it costs as
        /// much as compressing a kilobyte; each use clears it, so that nothing goes from one to the next.
        static TABLE: RefCell<CompressTable> = RefCell::new(CompressTable::small());
    }
    let unfit = || StoreFault::Unavailable("a delivery is too large to be kept".to_owned());
    let size = u32::try_from(bytes.len()).map_err(|_| unfit())?;
    let mut packed = vec![0; SIZE + get_maximum_output_size(bytes.len())];
    packed[..SIZE].copy_from_slice(&size.to_le_bytes());
    let written = TABLE
        .with_borrow_mut(|table| compress_into_with_table(bytes, &mut packed[SIZE..], table))
        .map_err(|_| unfit())?;
    packed.truncate(SIZE + written);
    if packed.capacity() > LARGE {
        // It waits for its turn beside others.
        packed.shrink_to_fit();
    }
    Ok(packed)
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
