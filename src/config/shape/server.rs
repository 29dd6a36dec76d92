//! `server:` and `retention:`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, SecretShape, Section, Size, Texts};
use crate::config::yaml::At;

/// The address of the admin listener unless the configuration has another.
pub(in crate::config) const DEFAULT_ADMIN: &str = "127.0.0.1:8081";

/// The addresses that the gateway listens on, and its limits. Changes take effect at the next
/// start. Changes of `admin_tokens`, `admin_hosts`, `ingest_tokens`, `body_limit`, `body_timeout`,
/// `trusted_proxies`, `proxy_header` and `hold_alert` take effect at once.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a section of keys and values")]
#[schemars(rename = "Server")]
pub(in crate::config) struct ServerShape {
    /// Where webhooks are received, and nothing else: an address and a port; `unix:PATH`, a Unix socket
    /// for a proxy on this machine; or `systemd:NAME`, the socket of a `.socket` unit with that
    /// `FileDescriptorName` (or `fd:3` for the first one). On a Unix socket whoever may connect is taken
    /// for the proxy in front, so `proxy_header` is believed.
    #[schemars(example = &"0.0.0.0:8080")]
    pub(in crate::config) listen: At<String>,
    /// Who may connect to the Unix socket of `listen`. Its permissions are `0660` unless given.
    pub(in crate::config) listen_socket: Option<At<SocketShape>>,
    /// A path in front of `/hooks/`, such as `/gateway`, that a proxy does not take off. Webhooks are
    /// then accepted at `/gateway/hooks/SOURCE` and, as before, at `/hooks/SOURCE`. Default: none.
    #[schemars(example = &"/gateway")]
    pub(in crate::config) path_prefix: Option<At<String>>,
    /// Where the admin API, metrics and health are, written as `listen` is. Keep it inside your network.
    #[schemars(example = &"127.0.0.1:8081")]
    pub(in crate::config) admin: At<String>,
    /// Who may connect to the Unix socket of `admin`. Its permissions are `0600` unless given: the
    /// gateway's own user, and root.
    pub(in crate::config) admin_socket: Option<At<SocketShape>>,
    /// Where a listener for health alone is, written as `listen` is, so that the admin API need not be opened to
    /// kubelets and monitoring. It serves `/livez` and `/readyz` under any host name, takes no token, and
    /// shows no names of what is configured. Every role has it. Default: none.
    #[schemars(example = &"0.0.0.0:8082")]
    pub(in crate::config) health: Option<At<String>>,
    /// Who may connect to the Unix socket of `health`. Its permissions are `0660` unless given.
    pub(in crate::config) health_socket: Option<At<SocketShape>>,
    /// Whether the health listener serves `/metrics` too. They name sources, routes, jobs and
    /// workbenches.
    pub(in crate::config) health_metrics: At<bool>,
    /// Tokens that the admin API accepts, each under the name of the person who holds it. The name
    /// is recorded with everything that the person does. Without any token, the admin API refuses
    /// every request.
    #[schemars(extend("propertyNames" = super::names()))]
    pub(in crate::config) admin_tokens: Section<SecretShape>,
    /// Host names by which the admin listener is reached, such as `gateway.example.com`. A request with
    /// another name in its `Host` header, and without a token, is refused: a web page could have sent it
    /// through DNS rebinding. IP addresses, `localhost`, names without a dot, and names that end in
    /// `.svc`, `.cluster.local`, `.internal` or `.localhost` are always accepted.
    #[schemars(example = ["gateway.example.com"])]
    pub(in crate::config) admin_hosts: Option<At<Texts>>,
    /// Tokens that a process of role `ingest` accepts for the little that it serves, instead of
    /// `admin_tokens`, which it does not read. Each is under the name of the person who holds it.
    #[schemars(extend("propertyNames" = super::names()))]
    pub(in crate::config) ingest_tokens: Section<SecretShape>,
    /// Addresses and networks of the proxies in front of the gateway. If a request comes from one
    /// of them, its client address is the last address in `proxy_header` that is not a trusted
    /// proxy. The header is ignored in requests from any other address. Default: none, so the
    /// client address is that of the connection.
    #[schemars(example = ["10.0.0.0/8", "2001:db8::/32"])]
    pub(in crate::config) trusted_proxies: Option<At<Texts>>,
    /// The header in which the trusted proxies write the client address. The other header is
    /// ignored, because most proxies forward it unchanged from the client.
    pub(in crate::config) proxy_header: ProxyHeader,
    /// Largest body of a webhook. GitHub sends up to 25 MiB. A source may set its own limit.
    pub(in crate::config) body_limit: At<Size>,
    /// Bytes of bodies that may be in memory at once. It must not be less than `body_limit`. Above
    /// it, senders are told to try again later.
    pub(in crate::config) bytes_in_flight: At<Size>,
    /// Requests whose body has arrived and that may be worked on at once. Above it, senders are told to
    /// try again later. Four connections may be open for each of them.
    pub(in crate::config) requests_in_flight: At<u32>,
    /// How many percent of the connections, of `requests_in_flight` and of `bytes_in_flight` one client
    /// may hold. A client is an IPv4 address or an IPv6 network of 64 bits; behind a trusted proxy, it is
    /// the client that the proxy names. A body of `body_limit` always fits.
    pub(in crate::config) client_share: At<u32>,
    /// How many percent of the processors' time requests may take together that are refused, of clients of which
    /// nothing was proved since the start. Beyond it such a client waits for its turn, and one that has cost the least
    /// has it first. A client that has had a delivery accepted never waits. Each listener has a share of its own.
    pub(in crate::config) strangers_share: At<u32>,
    /// Time for the headers of a request to arrive, counted from their first byte.
    pub(in crate::config) header_timeout: At<Period>,
    /// How long a connection is kept open after an answer while nothing arrives on it. It must be longer
    /// than a proxy or balancer in front keeps its connections, which is 60 seconds for most: otherwise
    /// the proxy now and then sends a delivery into a connection that is being closed. Where connections
    /// run out, those that were idle the longest are closed earlier.
    pub(in crate::config) idle_timeout: At<Period>,
    /// Time for the body of a request to arrive.
    pub(in crate::config) body_timeout: At<Period>,
    /// Bytes a second that a body must bring while the gateway waits for it, measured over ten seconds.
    pub(in crate::config) body_min_rate: At<Size>,
    /// Time for a client to read a part of an answer that waits for it. A client that reads less than
    /// 1 KiB a second over that time is disconnected.
    pub(in crate::config) write_timeout: At<Period>,
    /// How long work in progress may take to finish after the gateway was told to stop.
    pub(in crate::config) shutdown_grace: Period,
    /// How long deliveries are still taken after the gateway was told to stop, while `/readyz` says that
    /// it stops. Many senders do not try again, and a proxy or a Kubernetes Service still sends for
    /// some seconds. No job is started meanwhile. Default: `0s`, which fits where nothing in front looks
    /// at `/readyz`.
    pub(in crate::config) drain: Period,
    /// A run that has been held for longer than this is counted in a metric and reported by
    /// `/api/status`.
    pub(in crate::config) hold_alert: Period,
}

/// Who may connect to a Unix socket: whoever may write its file. Its directory must let them in too.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a section of keys and values")]
#[schemars(rename = "Socket")]
pub(in crate::config) struct SocketShape {
    /// Permissions of the file, in octal.
    #[schemars(example = &"0660")]
    pub(in crate::config) mode: Option<At<String>>,
    /// The group of the file: a name in `/etc/group`, or a number. The gateway's user must belong to it.
    /// Default: the gateway's own group.
    #[schemars(example = &"www-data")]
    pub(in crate::config) group: Option<At<String>>,
}

/// The header in which proxies write the client address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "ProxyHeader")]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, which nearly every proxy writes.
    #[default]
    XForwardedFor,
    /// `Forwarded`, as defined in RFC 7239.
    Forwarded,
}

/// How long deliveries and their runs are kept.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a section of keys and values")]
#[schemars(rename = "Retention")]
pub(in crate::config) struct RetentionShape {
    /// Age after which a delivery may be deleted, at least `7d`. A repeat of a delivery is
    /// recognized for that long. A delivery is kept while one of its runs is waiting or held.
    pub(in crate::config) keep: At<Period>,
    /// Bytes that the store may take up. Above it, the oldest deliveries are deleted first.
    pub(in crate::config) max_size: At<Size>,
}

impl Default for ServerShape {
    fn default() -> Self {
        Self {
            listen: At::default_of("127.0.0.1:8080".to_owned()),
            listen_socket: None,
            path_prefix: None,
            admin: At::default_of(DEFAULT_ADMIN.to_owned()),
            admin_socket: None,
            health: None,
            health_socket: None,
            health_metrics: At::default_of(false),
            admin_tokens: Section::new(),
            admin_hosts: None,
            ingest_tokens: Section::new(),
            trusted_proxies: None,
            proxy_header: ProxyHeader::default(),
            body_limit: At::default_of(Size::mebibytes(25)),
            bytes_in_flight: At::default_of(Size::mebibytes(256)),
            requests_in_flight: At::default_of(1024),
            client_share: At::default_of(50),
            strangers_share: At::default_of(5),
            header_timeout: At::default_of(Period::seconds(10)),
            idle_timeout: At::default_of(Period::seconds(75)),
            body_timeout: At::default_of(Period::seconds(30)),
            body_min_rate: At::default_of(Size(1024)),
            write_timeout: At::default_of(Period::seconds(10)),
            shutdown_grace: Period::seconds(30),
            drain: Period::seconds(0),
            hold_alert: Period::seconds(60 * 60),
        }
    }
}

impl Default for RetentionShape {
    fn default() -> Self {
        Self {
            keep: At::default_of(Period::days(30)),
            max_size: At::default_of(Size::mebibytes(20 * 1024)),
        }
    }
}
