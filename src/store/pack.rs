//! Compresses the large fields of a delivery: body, headers and explanation become LZ4 blocks.
//!
//! LZ4 takes microseconds at the size of a webhook. Each block begins with its uncompressed size, so that a
//! damaged block is found when it is unpacked.

use std::cell::RefCell;

use bytes::Bytes;
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use tokio::sync::Semaphore;

use crate::store::NewDelivery;
use crate::store::StoreFault;

/// Deliveries larger than this many bytes are compressed on a blocking thread, not on an async worker.
const LARGE: usize = 256 * 1024;

/// Large deliveries that are compressed at once. Each needs about its own size in memory again.
const AT_ONCE: usize = 4;

/// Bytes that the size in front of a block takes.
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
        /// The compressor's hash table. Made once per thread, since making it costs as much as compressing a
        /// kilobyte. Each use clears it, so that no block depends on an earlier one.
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
        // It waits in the writer's queue with others, so the spare memory is given back.
        packed.shrink_to_fit();
    }
    Ok(packed)
}

/// The bytes that were packed; empty for content that was removed by retention.
pub(in crate::store) fn unpack(packed: &[u8]) -> Result<Bytes, StoreFault> {
    if packed.is_empty() {
        return Ok(Bytes::new());
    }
    lz4_flex::decompress_size_prepended(packed)
        .map(Bytes::from)
        .map_err(|error| StoreFault::Unusable(format!("a kept body is damaged: {error}")))
}
