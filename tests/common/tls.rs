//! Certificates of a private authority, made anew for each test, and a front that ends TLS before
//! a server that knows only plain HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What a server shows, and the authority that it was signed by.
pub struct Shown {
    pub config: ServerConfig,
    /// The authority's certificate, as PEM.
    pub root: Vec<u8>,
    /// The server's certificate and its key, as PEM.
    pub certificate: String,
    pub key: String,
}

/// A certificate for these hosts.
pub fn valid(hosts: &[&str]) -> Shown {
    signed(params(hosts))
}

/// A certificate for these hosts that ended in 2001.
pub fn expired(hosts: &[&str]) -> Shown {
    let mut leaf = params(hosts);
    (leaf.not_before, leaf.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1));
    signed(leaf)
}

fn params(hosts: &[&str]) -> CertificateParams {
    let names: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    CertificateParams::new(names).expect("parameters")
}

fn signed(leaf: CertificateParams) -> Shown {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let root_key = KeyPair::generate().expect("a key");
    let mut root = CertificateParams::new(Vec::new()).expect("parameters");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_pem = root.self_signed(&root_key).expect("a certificate").pem().into_bytes();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate().expect("a key");
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
    let (certificate, key_pem) = (leaf.pem(), key.serialize_pem());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("a configuration");
    Shown { config, root: root_pem, certificate, key: key_pem }
}

/// Ends TLS on a port of its own and hands everything on to `behind`.
pub async fn front(config: ServerConfig, behind: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not like the certificate goes away here.
                let Ok(mut environs) = acceptor.accept(stream).await else { return };
                let Ok(mut inside) = TcpStream::connect(behind).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut environs, &mut inside).await;
            });
        }
    });
    address
}
