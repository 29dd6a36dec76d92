//! Reads a body unchanged, within the source's size limit, the budget of bytes in flight and a time limit.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use super::answer::Answer;
use super::limits::Admitted;
use crate::serving::{TooSlow, Turn};

/// The most bytes that are read and dropped of a body that is over its limit.
const DISCARDED: usize = 64 << 20;

/// Reads the body to its end. It takes its bytes from the budget as they arrive.
///
/// # Errors
/// The answer, where the body is too large, too slow, cut off or stopped, or the budget is used up.
pub(super) async fn read(
    mut body: Body,
    admitted: &mut Admitted,
    limit: u64,
    time: Duration,
) -> Result<Bytes, Answer> {
    let mut read = Err(Answer::TooSlow);
    let reading = async {
        read = collect(&mut body, admitted, limit).await;
        if matches!(read, Err(Answer::TooLarge { .. })) {
            admitted.give_back();
            read_on(body, admitted.turn()).await;
        }
    };
    // After a timeout the answer is what is known by then: `TooSlow`, unless the body was found too large.
    let _ = tokio::time::timeout(time, reading).await;
    read
}

/// Reads the body and drops it, up to a number of bytes and a time. A sender that is still writing then
/// receives the answer that its body is too large, instead of a reset connection.
pub(super) async fn discard(body: Body, time: Duration, turn: Option<&mut Turn>) {
    // A sender that is slow as well does not get that courtesy: its connection is cut.
    let _ = tokio::time::timeout(time, read_on(body, turn)).await;
}

async fn read_on(mut body: Body, mut turn: Option<&mut Turn>) {
    let mut left = DISCARDED;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
        if let Some(turn) = &mut turn {
            turn.has_read((DISCARDED - left) as u64);
        }
    }
}

async fn collect(body: &mut Body, admitted: &mut Admitted, limit: u64) -> Result<Bytes, Answer> {
    let announced = body.size_hint().exact().filter(|length| *length <= limit);
    let announced = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            stopped = admitted.stopped() => return Err(stopped),
        };
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|error| cut_off(&error))?.into_data() else { continue };
        let length = first.len() + rest.len() + data.len();
        if length as u64 > limit {
            return Err(Answer::TooLarge { limit });
        }
        admitted.take_up_to(length as u64)?;
        // A small body arrives in one piece, which is used without a copy.
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if length > rest.capacity() {
                let wanted = room_for(length, announced);
                rest.reserve(wanted - rest.len());
            }
            if !first.is_empty() {
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

/// How much memory to reserve for a body of which this much has arrived. A length that is only announced is
/// believed as far as four times what has arrived.
fn room_for(arrived: usize, announced: usize) -> usize {
    announced.min(arrived.saturating_mul(4)).max(arrived)
}

fn cut_off(error: &axum::Error) -> Answer {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<TooSlow>() {
            return Answer::TooSlow;
        }
        cause = error.source();
    }
    Answer::CutOff
}
