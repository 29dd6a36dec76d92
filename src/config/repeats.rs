//! For how long a delivery is known, so that a repeat of it is recognized.

use std::time::Duration;

use jiff::Timestamp;

use super::plan::SourcePlan;
use super::shape::Period;
use crate::providers::Identity;

/// How long a delivery is known whose sender gave it an id.
pub const NAMED_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a delivery is known whose signed bytes stand for an id. Two events may have the same bytes, so
/// it is short.
pub const UNNAMED_WINDOW: Duration = Duration::from_secs(10 * 60);

/// What a source says of repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// Each request is a delivery of its own.
    Never,
    /// A repeat is recognized within this time.
    Within(Duration),
}

impl SourcePlan {
    /// How long a delivery that is received now is known; zero where no repeat of it is recognized.
    ///
    /// Unless the source says otherwise, a delivery without an id is known for as long as the sender's
    /// proof would be believed again: signed times are believed for the tolerance before and after now, and
    /// tokens until they expire.
    pub fn repeat_window(&self, identity: &Identity, now: Timestamp) -> Duration {
        let believed = || UNNAMED_WINDOW.max(self.options.tolerance() * 2);
        match (self.repeats, identity) {
            (Some(Repeats::Never), _) => Duration::ZERO,
            (Some(Repeats::Within(window)), _) => window,
            (None, Identity::Sender(_)) => NAMED_WINDOW,
            (None, Identity::Digest(_)) => believed(),
            (None, Identity::Token { until, .. }) => {
                let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                believed().max(left).min(NAMED_WINDOW)
            }
        }
    }
}

impl SourcePlan {
    /// What is recognized as a repeat of a delivery that is received now, in words.
    pub fn repeats_in_words(&self, identity: &Identity, now: Timestamp) -> String {
        let window = self.repeat_window(identity, now);
        if window.is_zero() {
            return "never: each request is a delivery of its own".to_owned();
        }
        let window = Period(Duration::from_secs(window.as_secs()));
        match identity {
            Identity::Sender(_) => format!("known by the sender's id and the content for {window}"),
            Identity::Digest(_) | Identity::Token { .. } => {
                format!("known by what is signed for {window}, since the sender gives no id")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::later;
    use crate::config::documented_source;
    use crate::providers;

    fn window(settings: &[(&str, &str)], identity: &Identity) -> Duration {
        let provider = providers::find("hmac").expect("a provider");
        let settings: Vec<(String, String)> =
            settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let source = documented_source(provider, &settings).expect("a source");
        source.repeat_window(identity, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn an_id_is_known_for_a_week_and_signed_bytes_for_ten_minutes() {
        assert_eq!(window(&[], &Identity::Sender("a".into())), NAMED_WINDOW);
        assert_eq!(window(&[], &Identity::Digest("a".into())), UNNAMED_WINDOW);
    }

    #[test]
    fn a_source_says_otherwise() {
        for identity in [Identity::Sender("a".into()), Identity::Digest("a".into())] {
            assert_eq!(window(&[("repeats", "never")], &identity), Duration::ZERO);
            let hour = window(&[("repeats", "{ window: 1h }")], &identity);
            assert_eq!(hour, Duration::from_secs(3600));
        }
    }

    #[test]
    fn what_would_be_believed_again_is_known_for_as_long() {
        let slack = window(
            &[
                ("template", "\"{timestamp}.{body}\""),
                ("timestamp_header", "x-time"),
                ("tolerance", "1h"),
            ],
            &Identity::Digest("a".into()),
        );
        assert_eq!(slack, Duration::from_secs(2 * 3600));
        let until = |seconds| Identity::Token {
            key: "a".into(),
            until: later(Timestamp::UNIX_EPOCH, Duration::from_secs(seconds)),
        };
        assert_eq!(window(&[], &until(60)), UNNAMED_WINDOW);
        assert_eq!(window(&[], &until(3600)), Duration::from_secs(3600));
        assert_eq!(window(&[], &until(1 << 40)), NAMED_WINDOW, "bounded");
    }
}
