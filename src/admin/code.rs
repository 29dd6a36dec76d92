//! The codes of the API's problems, by which tools decide. They are part of the contract: a code never
//! changes its meaning, and `docs/api.md` lists every one.

use std::fmt;
use std::str::FromStr;

use http::StatusCode;

/// One row per code: its meaning (also shown in `docs/api.md`), its variant, its text in answers, its
/// HTTP status.
macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident $word:literal $status:ident,)+) => {
        /// Why the API did not do what a request asked. Codes are stable; the English text beside them
        /// may change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Self::$name),+];

            /// The code as it appears in an answer.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The HTTP status of every answer with this code.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// What it means, for the documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// An id, a note or a combination of members is not valid; the detail says which.
    BadRequest "bad-request" BAD_REQUEST,
    /// The query string has an unknown name, or a value that cannot be read.
    UnreadableQuery "unreadable-query" BAD_REQUEST,
    /// The body is not JSON.
    UnreadableJson "unreadable-json" BAD_REQUEST,
    /// The request carries no configured admin token.
    Unauthorized "unauthorized" UNAUTHORIZED,
    /// The API is closed: no usable admin token is configured.
    NoAdminTokens "no-admin-tokens" UNAUTHORIZED,
    /// Too many wrong tokens came from this address; `Retry-After` says when one is answered with 401 again.
    TooManyWrongTokens "too-many-wrong-tokens" TOO_MANY_REQUESTS,
    /// The request names a host that is neither an address nor configured; add the name to `server.admin_hosts`.
    UnknownHost "unknown-host" MISDIRECTED_REQUEST,
    /// This process only receives (role `ingest`); ask one that dispatches.
    ForbiddenRole "forbidden-role" FORBIDDEN,
    /// There is no such delivery, run, source, job, route or API key.
    NotFound "not-found" NOT_FOUND,
    /// The beginning of an id belongs to several; the detail lists them.
    AmbiguousId "ambiguous-id" BAD_REQUEST,
    /// The API has no such path.
    NoSuchPath "no-such-path" NOT_FOUND,
    /// The path does not take this method.
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED,
    /// The state of the run does not allow it.
    StateConflict "state-conflict" CONFLICT,
    /// The route that was asked for does not match the delivery, or its source has no such route.
    NotMatched "not-matched" CONFLICT,
    /// The configuration does not ask for the run, so it would be held again; the detail says why, and what helps.
    NotAsked "not-asked" CONFLICT,
    /// The delivery cannot be judged again: a handshake, content that is no longer kept, a source that is no longer configured.
    NotReplayable "not-replayable" CONFLICT,
    /// The job of the run is no longer configured.
    JobNotConfigured "job-not-configured" CONFLICT,
    /// The configuration files are faulty; what was in force stays in force.
    ConfigFaulty "config-faulty" CONFLICT,
    /// The delivery is known, and its content is no longer kept.
    ContentRemoved "content-removed" GONE,
    /// The body is larger than any request needs.
    TooLarge "too-large" PAYLOAD_TOO_LARGE,
    /// The body is not announced as `application/json`.
    UnsupportedMediaType "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE,
    /// The body is JSON, and not what this path takes.
    UnexpectedJson "unexpected-json" UNPROCESSABLE_ENTITY,
    /// The gateway failed at something that should not fail; its log says more.
    Internal "internal" INTERNAL_SERVER_ERROR,
    /// The store cannot take or give it now; it may later.
    StoreUnavailable "store-unavailable" SERVICE_UNAVAILABLE,
    /// The store holds something that this program cannot use; a person must look.
    StoreUnusable "store-unusable" SERVICE_UNAVAILABLE,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not a code of this version.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownCode;

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or(UnknownCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_lists_every_code_with_its_status_and_meaning() {
        let page = include_str!("../../docs/api.md");
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = Code::ALL
            .iter()
            .map(|code| format!("| `{code}` | {} | {} |", code.status().as_u16(), code.meaning()))
            .collect();
        let start = rows.iter().position(|row| *row == expected[0]).expect("the table of codes");
        assert_eq!(rows[start..], expected, "docs/api.md should have:\n{}", expected.join("\n"));
    }

    #[test]
    fn a_code_reads_back_from_its_word() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
        assert_eq!("not found".parse::<Code>(), Err(UnknownCode));
    }
}
