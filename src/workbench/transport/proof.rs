//! What the transport proves about a request that got no reply. Shared by the job APIs. Pure.

use crate::error_chain::{cause_of_type, innermost, with_causes};
use crate::model::Outcome;
use crate::workbench::known::Known;

/// How a request ended without a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::workbench) enum NoReply {
    /// The client could not build the request.
    NotMade(String),
    /// No connection could be made, so nothing was sent.
    NotConnected(String),
    /// The workbench's certificate was not accepted, so nothing was sent.
    CertificateRefused(String),
    /// No answer came in time.
    TimedOut,
    /// The connection ended before an answer came.
    Broken(String),
}

impl NoReply {
    /// Classifies the client's error. The URL is left out, since people see it elsewhere.
    pub(super) fn of(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_builder() {
            return Self::NotMade(with_causes(&error));
        }
        if error.is_connect() {
            return match cause_of_type(&error, is_about_the_certificate) {
                Some(refusal) => Self::CertificateRefused(refusal.to_string()),
                None => Self::NotConnected(innermost(&error)),
            };
        }
        if error.is_timeout() { Self::TimedOut } else { Self::Broken(innermost(&error)) }
    }

    /// The outcome that it proves. A request that was not sent started nothing; after any other the outcome
    /// is unknown.
    pub(in crate::workbench) fn known(self) -> Known {
        use Outcome::{NotStartedForGood, NotStartedForNow, Unknown};
        match self {
            Self::NotMade(why) => Known::new(NotStartedForGood, why),
            Self::NotConnected(why) => {
                Known::new(NotStartedForNow, format!("could not connect: {why}"))
            }
            Self::CertificateRefused(why) => Known::new(
                NotStartedForGood,
                format!(
                    "the workbench's certificate was not accepted: {why}; check the url and ca_file"
                ),
            ),
            Self::TimedOut => Known::new(Unknown, "no answer within the time-out"),
            Self::Broken(why) => {
                Known::new(Unknown, format!("the connection ended without an answer: {why}"))
            }
        }
    }
}

fn is_about_the_certificate(error: &rustls::Error) -> bool {
    use rustls::Error::{InvalidCertificate, NoCertificatesPresented};
    matches!(error, InvalidCertificate(_) | NoCertificatesPresented)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;
    use crate::workbench::tests::choose_cryptography;

    fn outcome(of: NoReply) -> Outcome {
        of.known().outcome
    }

    #[test]
    fn only_what_was_never_sent_proves_that_nothing_was_started() {
        let why = || "why".to_owned();
        assert_eq!(outcome(NoReply::NotConnected(why())), Outcome::NotStartedForNow);
        assert_eq!(outcome(NoReply::CertificateRefused(why())), Outcome::NotStartedForGood);
        assert_eq!(outcome(NoReply::NotMade(why())), Outcome::NotStartedForGood);
        assert_eq!(outcome(NoReply::TimedOut), Outcome::Unknown);
        assert_eq!(outcome(NoReply::Broken(why())), Outcome::Unknown);
    }

    #[test]
    fn no_reply_refuses_a_key_or_names_an_engine() {
        let known = NoReply::Broken("reset".to_owned()).known();
        assert_eq!((known.key_refused, known.engine_id), (false, None));
        assert_eq!(known.reason, "the connection ended without an answer: reset");
    }

    async fn ask(url: &str) -> NoReply {
        choose_cryptography();
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(200));
        let client = client.build().expect("a client");
        NoReply::of(client.post(url).body("{}").send().await.expect_err("no reply"))
    }

    async fn listener() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        (listener, url)
    }

    #[tokio::test]
    async fn a_closed_port_is_no_connection() {
        let (listener, url) = listener().await;
        drop(listener);
        let ended = ask(&url).await;
        assert!(
            matches!(&ended, NoReply::NotConnected(why) if why.contains("refused")),
            "{ended:?}"
        );
    }

    #[tokio::test]
    async fn a_connection_that_is_closed_without_an_answer_is_broken() {
        let (listener, url) = listener().await;
        let close = async {
            drop(listener.accept().await.expect("a connection"));
        };
        let (ended, ()) = tokio::join!(ask(&url), close);
        assert!(matches!(ended, NoReply::Broken(_)), "{ended:?}");
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_in_time_is_timed_out() {
        // The system accepts the connection for the listener, and nobody answers.
        let (_listener, url) = listener().await;
        assert_eq!(ask(&url).await, NoReply::TimedOut);
    }

    #[tokio::test]
    async fn an_address_of_no_known_scheme_is_no_request() {
        let ended = ask("ftp://127.0.0.1/").await;
        assert!(matches!(ended, NoReply::NotMade(_)), "{ended:?}");
    }
}
