//! Which certificate authorities an HTTP client needs. A client that never speaks TLS needs none, so it works where the
//! system has none, such as in an image without them.

use reqwest::{ClientBuilder, Url};

/// What the verifier of the platform says where the system has no authorities (rustls-platform-verifier 0.7).
const NONE: &str = "No CA certificates were loaded";

/// Lets a client do without authorities where it asks these addresses alone (its server's, its proxy's) and none of
/// them is `https`; `unix` is plain HTTP on a socket of this machine. The client must not follow redirects.
pub(crate) fn only_where_needed<'a>(
    builder: ClientBuilder,
    addresses: impl IntoIterator<Item = &'a Url>,
) -> ClientBuilder {
    match addresses.into_iter().all(|address| matches!(address.scheme(), "http" | "unix")) {
        true => builder.tls_certs_only([]),
        false => builder,
    }
}

/// An error of making a client, with what to do where the system has no authorities.
pub(crate) fn explained(words: String) -> String {
    match words.contains(NONE) {
        true => format!(
            "{words}: install the system's (ca-certificates), mount a file with them and name it in SSL_CERT_FILE, \
             or name those of your company in `ca_file`"
        ),
        false => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_authorities_is_said_what_to_mount() {
        let words =
            "builder error: unexpected error: No CA certificates were loaded from the system";
        assert!(explained(words.to_owned()).contains("SSL_CERT_FILE"));
        assert_eq!(explained("builder error: other".to_owned()), "builder error: other");
    }
}
