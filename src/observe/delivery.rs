//! What is observed of a request: it was kept as a delivery, or refused.

use std::time::Duration;

use crate::model::DeliveryId;

/// What became of a request, as logs and metrics say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Kept, with at least one run.
    Accepted,
    /// Kept, without a run.
    Unmatched,
    /// A repeat of a kept delivery.
    Repeat,
    /// A handshake, which starts nothing.
    Handshake,
    /// Not authentic, or from an address that may not send.
    Refused,
    /// It cannot be read, or is not a request for a webhook.
    Unreadable,
    /// To an address that is no source's.
    UnknownAddress,
    /// Over its source's rate.
    Limited,
    /// Refused, because too much is in flight.
    Overloaded,
    /// The gateway could not keep it.
    NotKept,
}

impl Verdict {
    /// What can become of a request to a configured source.
    pub const OF_SOURCES: [Self; 9] = [
        Self::Accepted,
        Self::Unmatched,
        Self::Repeat,
        Self::Handshake,
        Self::Refused,
        Self::Unreadable,
        Self::Limited,
        Self::Overloaded,
        Self::NotKept,
    ];

    /// The word used in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Unmatched => "unmatched",
            Self::Repeat => "repeat",
            Self::Handshake => "handshake",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
            Self::UnknownAddress => "unknown_address",
            Self::Limited => "limited",
            Self::Overloaded => "overloaded",
            Self::NotKept => "not_kept",
        }
    }
}

/// A request that was kept, or recognized as a repeat of one.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryKept<'a> {
    /// The delivery's id; of a repeat, that of the first one.
    pub delivery: DeliveryId,
    /// Its source.
    pub source: &'a str,
    /// Its kind of event.
    pub kind: &'a str,
    /// What identifies it at the sender.
    pub key: &'a str,
    /// What became of it.
    pub verdict: Verdict,
    /// How many runs it has.
    pub runs: usize,
    /// Bytes of its body.
    pub size: usize,
    /// Address that it came from.
    pub remote: &'a str,
    /// Which secret of its source verified it, counted from 0; none where none was needed.
    pub secret: Option<usize>,
    /// Time from its first byte to the answer.
    pub took: Duration,
}

/// A request that was not kept.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryRefused<'a> {
    /// The configured source; `unknown` where there is none of that name.
    pub source: &'a str,
    /// Address that it came from.
    pub remote: &'a str,
    /// HTTP status that it was answered with.
    pub status: u16,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, as a label.
    pub reason: &'static str,
    /// Why, in words.
    pub words: &'a str,
    /// The path that it asked for, shortened and without what may be a secret, where there is no source.
    pub path: Option<&'a str>,
    /// The sender's id of the delivery, where the request names one. Not verified.
    pub named_id: Option<&'a str>,
    /// The repository, where the request names one. Not verified.
    pub named_repository: Option<&'a str>,
    /// How many log lines were left out before this one; none where this one is left out too.
    pub to_log: Option<u64>,
}
