//! The way to the workbench, and what can be wrong with it before a request is written.

use serde::Deserialize;

use super::common::{Site, World, simulator, tls};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// Plain HTTP on loopback.
    #[default]
    Plain,
    /// Nobody listens.
    Refused,
    /// The name leads nowhere.
    NoSuchName,
    /// TLS, with a certificate of the authority that `ca_file` names.
    KnownAuthority,
    /// TLS, with a certificate of an authority that nobody named.
    UnknownAuthority,
    /// TLS, with a certificate that has ended.
    Expired,
    /// TLS, with a certificate for another host.
    OtherHost,
    /// `https://` for a port that speaks plain HTTP.
    NoTls,
}

impl Way {
    /// A gateway whose workbench is at the end of this way; `bench` are lines under the workbench.
    pub(crate) async fn world(self, routes: &str, bench: &str) -> World {
        let simulator = simulator().await;
        let (shown, named) = match self {
            Self::KnownAuthority => (Some(tls::valid(&["localhost"])), true),
            Self::UnknownAuthority => (Some(tls::valid(&["localhost"])), false),
            Self::Expired => (Some(tls::expired(&["localhost"])), true),
            Self::OtherHost => (Some(tls::valid(&["cdsw.example.com"])), true),
            Self::Plain | Self::Refused | Self::NoSuchName | Self::NoTls => (None, false),
        };
        let mut bench = bench.to_owned();
        if named {
            bench.push_str("\n    ca_file: ca.pem");
        }
        if self == Self::NoSuchName {
            bench.push_str("\n    allow_http: true");
        }
        let (url, root) = match (self, shown) {
            (_, Some(shown)) => {
                let front = tls::front(shown.config, simulator.api_addr()).await;
                (format!("https://localhost:{}", front.port()), shown.root)
            }
            (Self::NoSuchName, None) => ("http://cdsw.invalid".to_owned(), Vec::new()),
            (Self::NoTls, None) => {
                (format!("https://localhost:{}", simulator.api_addr().port()), Vec::new())
            }
            (_, None) => (simulator.api_url(), Vec::new()),
        };
        let site = Site::with(&url, routes, "", &bench);
        if named {
            std::fs::write(site.path("ca.pem"), root).expect("written");
        }
        if self == Self::Refused {
            simulator.stop_listening().await;
        }
        World::on(site, simulator).await
    }

    /// Puts it in order, where that can be done from here; says whether it could.
    pub(crate) async fn mend(self, world: &World) -> bool {
        if self == Self::Refused {
            world.simulator.listen_again().await;
        }
        matches!(self, Self::Plain | Self::Refused)
    }
}
