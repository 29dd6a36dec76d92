//! What is never stored or shown of a request, by its name: headers and fields of the query string that carry
//! credentials. Proxies and tools add some of them to the requests of any sender.

use http::{HeaderMap, HeaderName};

use super::{Options, Provider, form};

/// Headers that may carry a secret for every provider, in lower case and sorted. Among them are those of every
/// provider of the table, since a sender may be set up to send to a source of another provider.
pub(super) const HEADERS: [&str; 39] = [
    "api-key",
    "apikey",
    "authorization",
    "cf-access-client-secret",
    "cf-access-jwt-assertion",
    "cookie",
    "deploy-token",
    "job-token",
    "ocp-apim-subscription-key",
    "private-token",
    "proxy-authorization",
    "set-cookie",
    "token",
    "x-access-token",
    "x-amz-security-token",
    "x-amzn-oidc-accesstoken",
    "x-amzn-oidc-data",
    "x-api-key",
    "x-api-token",
    "x-apikey",
    "x-auth-key",
    "x-auth-request-access-token",
    "x-auth-token",
    "x-authorization",
    "x-consul-token",
    "x-forwarded-access-token",
    "x-forwarded-authorization",
    "x-functions-key",
    "x-gitlab-token",
    "x-goog-iap-jwt-assertion",
    "x-hook-secret",
    "x-jfrog-event-auth",
    "x-ms-token-aad-access-token",
    "x-ms-token-aad-id-token",
    "x-secret",
    "x-token",
    "x-vault-token",
    "x-webhook-secret",
    "x-webhook-token",
];

/// Of each letter, the lengths of those of [`HEADERS`] that begin with it, as bits. Most names of headers are told
/// by it, and there are a dozen in each request.
const LENGTHS: [u64; 256] = {
    let mut lengths = [0; 256];
    let mut index = 0;
    while index < HEADERS.len() {
        let name = HEADERS[index].as_bytes();
        lengths[name[0] as usize] |= 1 << name.len();
        index += 1;
    }
    lengths
};

/// Fields of the query string that may carry a secret for every provider, in lower case.
const FIELDS: [&str; 16] = [
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "auth_token",
    "client_secret",
    "id_token",
    "jwt",
    "password",
    "private_token",
    "refresh_token",
    "secret",
    "secret_token",
    "sig",
    "token",
    "webhook_secret",
];

/// The headers of a source's requests that are never stored or shown.
#[derive(Debug)]
pub struct HiddenHeaders(Vec<HeaderName>);

impl HiddenHeaders {
    /// Those of a source with this provider and these options.
    pub fn of(provider: &dyn Provider, options: &Options) -> Self {
        Self(provider.own_secret_headers(options))
    }

    /// Whether the header is one of them.
    pub fn contains(&self, name: &HeaderName) -> bool {
        let text = name.as_str();
        let may_be = text.len() < 64
            && text
                .bytes()
                .next()
                .is_some_and(|first| LENGTHS[usize::from(first)] & (1 << text.len()) != 0);
        may_be && HEADERS.binary_search(&text).is_ok() || self.0.contains(name)
    }

    /// The headers that may be stored and shown.
    pub fn without(&self, headers: &HeaderMap) -> HeaderMap {
        let visible = headers.iter().filter(|(name, _)| !self.contains(name));
        visible.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// The query string without the fields that carry a secret.
pub fn visible_query(provider: &dyn Provider, options: &Options, query: &str) -> String {
    if query.is_empty() {
        return String::new();
    }
    let own = provider.secret_fields(options);
    form::without_fields(query, |name| {
        own.iter().any(|field| field.as_bytes() == name)
            || FIELDS.iter().any(|field| field.as_bytes().eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{find, names};
    use super::*;

    #[test]
    fn the_names_are_sorted() {
        assert!(HEADERS.is_sorted());
        assert!(FIELDS.is_sorted());
    }

    #[test]
    fn every_header_of_the_list_is_found_in_it_and_others_are_not() {
        let hidden = HiddenHeaders(Vec::new());
        for name in HEADERS {
            assert!(hidden.contains(&HeaderName::from_static(name)), "{name}");
        }
        for name in ["x", "accept", "x-github-event", "x-gitlab-tokem", "cookie2"] {
            assert!(!hidden.contains(&HeaderName::from_static(name)), "{name}");
        }
    }

    #[test]
    fn a_header_that_carries_one_providers_secret_is_hidden_for_all() {
        let hidden = HiddenHeaders(Vec::new());
        for provider in names().filter_map(find) {
            for name in provider.own_secret_headers(&Options::default()) {
                assert!(hidden.contains(&name), "{}: {name}", provider.name());
            }
        }
    }

    #[test]
    fn fields_with_secrets_are_left_out_of_the_query_and_others_stay() {
        let github = find("github").expect("a provider");
        let visible = |query| visible_query(github, &Options::default(), query);
        assert_eq!(visible("a=1&secret_token=x&Token=y&b=2&sig=z&access%5Ftoken=q"), "a=1&b=2");
        assert_eq!(visible("tokens=1"), "tokens=1");
        assert_eq!(visible(""), "");
    }
}
