//! Reads a body, byte for byte, within its limit, its budget and its time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use super::answer::Answer;
use super::limits::Admitted;

/// Reads to the end, taking room from the budget as the body grows beyond what was announced.
pub(super) async fn read(
    body: Body,
    admitted: Admitted,
    limit: u64,
    time: Duration,
) -> Result<(Bytes, Admitted), Answer> {
    match tokio::time::timeout(time, collect(body, admitted, limit)).await {
        Ok(read) => read,
        Err(_) => Err(Answer::TooSlow),
    }
}

async fn collect(
    mut body: Body,
    mut admitted: Admitted,
    limit: u64,
) -> Result<(Bytes, Admitted), Answer> {
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
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    let whole = if rest.is_empty() { first } else { rest.freeze() };
    Ok((whole, admitted))
}
