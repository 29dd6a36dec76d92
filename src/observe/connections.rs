//! Connections of a listener: how many are open, and how those ended that did not end by themselves.

use prometheus_client::metrics::gauge::Gauge;

/// How connections ended that the gateway did not take, or did not let go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// It was waited for, and was closed since a new connection needed its place.
    GaveWay,
    /// It was new, and was closed since there was no place.
    NotTaken,
    /// Its client did not read the answers.
    Stalled,
    /// The system could not accept it, for example for want of a file descriptor.
    NotAccepted,
    /// It began with a line of the PROXY protocol.
    ProxyProtocol,
    /// It began as TLS does, and the listener speaks plain HTTP.
    Tls,
    /// It began as HTTP/2 does.
    Http2,
    /// The head of a request had too many headers, or was too long.
    LargeHead,
    /// The head of a request is not one of HTTP/1.1.
    BadHead,
    /// The head of a request says in two ways, or in an unknown one, where its body ends.
    BadFraming,
}

impl ConnectionEnd {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::GaveWay,
        Self::NotTaken,
        Self::Stalled,
        Self::NotAccepted,
        Self::ProxyProtocol,
        Self::Tls,
        Self::Http2,
        Self::LargeHead,
        Self::BadHead,
        Self::BadFraming,
    ];

    /// The label for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GaveWay => "gave_way",
            Self::NotTaken => "not_taken",
            Self::Stalled => "stalled",
            Self::NotAccepted => "not_accepted",
            Self::ProxyProtocol => "proxy_protocol",
            Self::Tls => "tls",
            Self::Http2 => "http2",
            Self::LargeHead => "large_head",
            Self::BadHead => "bad_head",
            Self::BadFraming => "bad_framing",
        }
    }
}

/// An open connection. Dropping it subtracts it from the gauge.
pub struct OpenConnection(Gauge);

impl OpenConnection {
    pub(super) fn begin(open: Gauge) -> Self {
        open.inc();
        Self(open)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}
