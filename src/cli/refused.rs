//! How a command fails when the gateway refuses it. The problem's code decides, never its text.

use http::StatusCode;

use super::failure::Failure;
use crate::admin::Code;

/// A hint for when no API answers.
pub(super) const NOT_ADMIN: &str = "is --url its admin listener?";

/// The failure for a refusal. A gateway of the version before gives no code, and a later one may give a
/// code that is not known here. Then the HTTP status decides.
pub(super) fn failure(code: Option<&str>, status: StatusCode, why: String) -> Failure {
    match code.and_then(|code| code.parse().ok()) {
        Some(code) => by_code(code, why),
        None => by_status(status, why),
    }
}

fn by_code(code: Code, why: String) -> Failure {
    match code {
        Code::AmbiguousId
        | Code::BadRequest
        | Code::UnreadableQuery
        | Code::UnreadableJson
        | Code::UnexpectedJson => Failure::Usage(why),
        Code::Unauthorized => not_accepted(),
        Code::NoAdminTokens | Code::TooManyWrongTokens | Code::UnknownHost => {
            Failure::Unreachable(why)
        }
        Code::NoSuchPath | Code::MethodNotAllowed => Failure::Unreachable(format!(
            "the gateway has no such API ({why}); {NOT_ADMIN} Is the gateway of this version?"
        )),
        Code::NotFound | Code::ContentRemoved => Failure::Missing(why),
        Code::StateConflict
        | Code::NotMatched
        | Code::NotAsked
        | Code::NotReplayable
        | Code::JobNotConfigured
        | Code::ConfigFaulty => Failure::Conflict(why),
        Code::ForbiddenRole
        | Code::TooLarge
        | Code::UnsupportedMediaType
        | Code::Internal
        | Code::StoreUnavailable
        | Code::StoreUnusable => Failure::Failed(why),
    }
}

fn by_status(status: StatusCode, why: String) -> Failure {
    match status.as_u16() {
        400 | 422 => Failure::Usage(why),
        401 => not_accepted(),
        421 | 429 => Failure::Unreachable(why),
        404 | 410 => Failure::Missing(why),
        409 => Failure::Conflict(why),
        _ => Failure::Failed(why),
    }
}

fn not_accepted() -> Failure {
    Failure::Unreachable(
        "the gateway does not accept the admin token; set CDSW_GATEWAY_TOKEN to one of its \
         `admin_tokens:`, or CDSW_GATEWAY_TOKEN_FILE to the file that holds one (where both are set, the \
         file counts)"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_and_the_status_that_goes_with_it_end_a_command_alike_but_for_what_only_a_code_can_tell()
     {
        for code in Code::ALL {
            let by_code = failure(Some(code.as_str()), code.status(), String::new()).status();
            let by_status = failure(None, code.status(), String::new()).status();
            // The status 404 does not tell a missing path from a missing thing.
            let told_apart = matches!(code, Code::NoSuchPath | Code::MethodNotAllowed);
            assert!(told_apart || by_code == by_status, "{code}: {by_code}, {by_status}");
        }
    }

    #[test]
    fn a_code_of_a_later_version_ends_as_its_status_says() {
        let ended = failure(Some("quota-used-up"), StatusCode::CONFLICT, "why".to_owned());
        assert_eq!((ended.status(), ended.to_string()), (6, "why".to_owned()));
    }
}
