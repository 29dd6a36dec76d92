//! When a token is good: `exp` must be there, `nbf` and `iat` may be (RFC 7519).

use std::time::Duration;

use jiff::Timestamp;

use crate::authenticate::Refusal;
use crate::model::Value;

/// Refuses a token that has expired or is not good yet, with `tolerance` for clocks that differ.
pub(super) fn check(claims: &Value, tolerance: Duration, now: Timestamp) -> Result<(), Refusal> {
    let Some(expires) = time(claims, "exp")? else {
        return Err(Refusal::unfit_claim("exp"));
    };
    let off = now.duration_since(expires).unsigned_abs();
    if now >= expires && off >= tolerance {
        return Err(Refusal::Expired { off, tolerance });
    }
    for name in ["nbf", "iat"] {
        let Some(begins) = time(claims, name)? else { continue };
        let off = begins.duration_since(now).unsigned_abs();
        if begins > now && off > tolerance {
            return Err(Refusal::Future { off, tolerance });
        }
    }
    Ok(())
}

/// A time in seconds since 1970, maybe with a fraction; none where the claim is not there.
fn time(claims: &Value, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(claim) = claims.get(name) else { return Ok(None) };
    let seconds = match claim {
        Value::Int(seconds) => Some(*seconds),
        Value::Double(number) if number.value().is_finite() => Some(number.value().floor() as i64),
        _ => None,
    };
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map(Some).ok_or_else(|| Refusal::unfit_claim(name))
}
