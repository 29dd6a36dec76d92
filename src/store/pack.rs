//! Compresses the large fields of a delivery: body, headers and explanation become LZ4 blocks.
//!
//! LZ4 takes microseconds at the size of a webhook. Each block begins with its uncompressed size, so that a
//! damaged block is found when it is unpacked. Unpacking believes no block: whoever can write rows could write
//! one of four megabytes that unpacks to a gigabyte.

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

/// What a thread needs to compress, made once: making the table costs as much as compressing a kilobyte, and
/// clearing new memory for each output as much again.
struct Space {
    /// The compressor's hash table. Each use clears it, so that no block depends on an earlier one.
    table: CompressTable,
    /// Where the block is written first: its length is known only afterwards.
    output: Vec<u8>,
}

/// An LZ4 block with its size in front.
fn compress(bytes: &[u8]) -> Result<Vec<u8>, StoreFault> {
    thread_local! {
        static SPACE: RefCell<Space> =
            RefCell::new(Space { table: CompressTable::small(), output: Vec::new() });
    }
    let unfit = || StoreFault::Unavailable("a delivery is too large to be kept".to_owned());
    let size = u32::try_from(bytes.len()).map_err(|_| unfit())?;
    let most = get_maximum_output_size(bytes.len());
    SPACE.with_borrow_mut(|Space { table, output }| {
        if output.len() < most {
            output.resize(most, 0);
        }
        let written = compress_into_with_table(bytes, output, table).map_err(|_| unfit())?;
        let packed = [&size.to_le_bytes(), &output[..written]].concat();
        if output.len() > LARGE {
            *output = Vec::new();
        }
        Ok(packed)
    })
}

/// Most bytes that the headers of a delivery may unpack to. A request's own are a small part of it.
pub(in crate::store) const MOST_HEADERS: u64 = 4 << 20;
/// Most bytes that the explanation of a delivery may unpack to: a thousand events and all their routes.
pub(in crate::store) const MOST_EXPLANATION: u64 = 16 << 20;

/// How many times its own length a block can unpack to at most.
const RATIO: usize = 255;

/// Most bytes that so many bytes can be packed into.
pub(in crate::store) fn longest(unpacked: u64) -> u64 {
    let most = usize::try_from(unpacked).unwrap_or(usize::MAX / 2);
    (SIZE + get_maximum_output_size(most)) as u64
}

/// The bytes that were packed; empty for content that was removed. Whoever can write rows can write a block
/// that claims any size, so no memory is taken for more than `most` bytes, nor for more than a block of its
/// length can hold.
///
/// # Errors
/// [`StoreFault::Unusable`] where the block is larger, or is no block. It names `what` it is.
pub(in crate::store) fn unpack(what: &str, packed: &[u8], most: u64) -> Result<Bytes, StoreFault> {
    if packed.is_empty() {
        return Ok(Bytes::new());
    }
    let unfit = |why: String| {
        StoreFault::Unusable(format!("the {what} of a delivery cannot be read: {why}"))
    };
    let Some((size, block)) = packed.split_first_chunk::<SIZE>() else {
        return Err(unfit("it is cut off".to_owned()));
    };
    let size = u32::from_le_bytes(*size);
    if u64::from(size) > most {
        return Err(unfit(format!("it claims to have {size} bytes, and {most} are the most")));
    }
    let size = size as usize;
    if size > block.len().saturating_mul(RATIO) {
        return Err(unfit(format!(
            "it claims to have {size} bytes, and {} are there",
            block.len()
        )));
    }
    let unpacked =
        lz4_flex::block::decompress(block, size).map_err(|error| unfit(error.to_string()))?;
    if unpacked.len() != size {
        return Err(unfit(format!("it claims to have {size} bytes, and has {}", unpacked.len())));
    }
    Ok(unpacked.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(packed: &[u8], most: u64) -> String {
        unpack("body", packed, most).expect_err("refused").to_string()
    }

    #[test]
    fn what_was_packed_is_unpacked_up_to_its_bound() {
        for bytes in [&b""[..], b"a", &[b'a'; 100_000], include_bytes!("../../Cargo.lock")] {
            let packed = compress(bytes).expect("packed");
            assert!(packed.len() as u64 <= longest(bytes.len() as u64));
            let unpacked = unpack("body", &packed, bytes.len() as u64).expect("unpacked");
            assert_eq!(unpacked, bytes);
            if bytes.len() > 1 {
                assert!(refused(&packed, bytes.len() as u64 - 1).contains("are the most"));
            }
        }
    }

    #[test]
    fn a_block_that_lies_about_its_size_is_refused() {
        let mut packed = compress(&[b'a'; 1000]).expect("packed");
        for (claimed, why) in [
            (u32::MAX, "are the most"),
            (1 << 20, "are there"),
            (1001, "and has 1000"),
            (999, "cannot be read"),
            (0, "cannot be read"),
        ] {
            packed[..SIZE].copy_from_slice(&claimed.to_le_bytes());
            let said = refused(&packed, 1 << 26);
            assert!(said.contains(why), "{claimed}: {said}");
        }
        assert!(refused(&packed[..3], 1 << 26).contains("cut off"));
        assert!(refused(b"\x05\0\0\0\xff\xff\xff\xff\xff", 1 << 26).contains("cannot be read"));
    }
}
