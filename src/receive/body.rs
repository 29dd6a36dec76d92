//! Reads a body, byte for byte, within its limit, its budget and its time.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use super::answer::Answer;
use super::limits::Admitted;

/// Most bytes that are read of a body beyond its limit.
const DISCARDED: usize = 64 << 20;

/// Reads to the end, taking room from the budget as the body grows beyond what was announced.
pub(super) async fn read(
    mut body: Body,
    admitted: Admitted,
    limit: u64,
    time: Duration,
) -> Result<(Bytes, Admitted), Answer> {
    let mut read = Err(Answer::TooSlow);
    let reading = async {
        read = collect(&mut body, admitted, limit).await;
        if matches!(read, Err(Answer::TooLarge { .. })) {
            read_on(body).await;
        }
    };
    // What is known when the time is over is the answer.
    let _ = tokio::time::timeout(time, reading).await;
    read
}

/// Reads on without keeping anything, so that a sender that is still writing hears that its body is
/// too large instead of a broken connection. Bounded in bytes and in time.
pub(super) async fn discard(body: Body, time: Duration) {
    // A sender that is slow as well is cut off.
    let _ = tokio::time::timeout(time, read_on(body)).await;
}

async fn read_on(mut body: Body) {
    let mut left = DISCARDED;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

async fn collect(
    body: &mut Body,
    mut admitted: Admitted,
    limit: u64,
) -> Result<(Bytes, Admitted), Answer> {
    // Room for it was taken when it was announced.
    let announced = body.size_hint().exact().filter(|length| *length <= limit);
    let announced = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Answer::CutOff)?;
        let Ok(data) = frame.into_data() else { continue };
        let length = (first.len() + rest.len() + data.len()) as u64;
        if length > limit {
            return Err(Answer::TooLarge { limit });
        }
        admitted.take_up_to(length)?;
        // A small body arrives in one piece, which is then used as it is.
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.reserve(announced.max(first.len() + data.len()));
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    let whole = if rest.is_empty() { first } else { rest.freeze() };
    Ok((whole, admitted))
}
