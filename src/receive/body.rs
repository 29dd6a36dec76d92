//! Reads a body unchanged, within the source's size limit, the budget of bytes in flight and a time limit.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use super::answer::Answer;
use super::limits::Admitted;

/// The most bytes that are read and dropped of a body that is over its limit.
const DISCARDED: usize = 64 << 20;

/// Reads the body to its end. It takes more of the budget when the body grows beyond its announced length.
///
/// # Errors
/// The answer, where the body is too large, too slow or cut off, or the budget is used up.
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
    // After a timeout the answer is what is known by then: `TooSlow`, unless the body was found too large.
    let _ = tokio::time::timeout(time, reading).await;
    read
}

/// Reads the body and drops it, up to a number of bytes and a time. A sender that is still writing then
/// receives the answer that its body is too large, instead of a reset connection.
pub(super) async fn discard(body: Body, time: Duration) {
    // A sender that is slow as well does not get that courtesy: its connection is cut.
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
    // The budget for the announced length was taken on admission.
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
        // A small body arrives in one piece, which is used without a copy.
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
