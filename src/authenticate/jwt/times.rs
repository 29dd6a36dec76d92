//! When a token is valid: it must have `exp`, and may have `nbf` and `iat` (RFC 7519).

use std::time::Duration;

use jiff::Timestamp;

use crate::authenticate::Refusal;
use crate::model::Value;

/// Checks that a token has not expired and is already valid. Clocks may differ by `tolerance`.
///
/// # Errors
/// Where it is not, or a time is missing or unreadable.
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

/// Reads a time in seconds since 1970 and drops its fraction; none where the claim is missing.
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
