//! Where health is served, as a configuration file says it. Nothing else of the file is looked at: a probe must not
//! fail because of a fault that the running gateway keeps out of force.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::files::main_text;
use super::report::Source;
use super::shape::DEFAULT_ADMIN;
use super::yaml::read;

/// The address at which this machine reaches the health of a gateway with this configuration: `server.health`, or
/// `server.admin` where there is no such listener. Reads no secret and no file of routes.
///
/// # Errors
/// In words, why the file does not tell: it cannot be read, is not YAML, or has something else there.
pub fn health_address(path: &Path) -> Result<SocketAddr, String> {
    let text = main_text(path).map_err(|fault| fault.message)?;
    told(&path.display().to_string(), text)
}

fn told(name: &str, text: String) -> Result<SocketAddr, String> {
    let mut source = Source::new(name, text);
    let (tree, _) = read(&mut source, false);
    let tree = tree.ok_or_else(|| format!("{name} is not YAML"))?;
    let server = tree.root().and_then(|root| tree.entry(root, "server"));
    let entry = |key| {
        let id = tree.entry(server?, key)?;
        Some((key, tree.text(id)))
    };
    let Some((key, text)) = entry("health").or_else(|| entry("admin")) else {
        return address("admin", Some(DEFAULT_ADMIN));
    };
    address(key, text)
}

fn address(key: &str, text: Option<&str>) -> Result<SocketAddr, String> {
    let address = text.and_then(|text| text.parse().ok());
    let address = address.ok_or_else(|| format!("`server.{key}` is not an address and a port"))?;
    Ok(reached_here(address))
}

/// The address to connect to from this machine, of an address that is listened on.
pub fn reached_here(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(loopback);
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<String, String> {
        told("gateway.yaml", text.to_owned()).map(|address| address.to_string())
    }

    #[test]
    fn the_health_listener_comes_before_the_admin_listener_and_that_before_the_default() {
        let both = "server: { admin: 127.0.0.1:9001, health: 0.0.0.0:9002 }";
        for (text, address) in [
            (both, "127.0.0.1:9002"),
            ("server: { health: '[::]:9002' }", "[::1]:9002"),
            ("server: { health: 192.0.2.7:9002 }", "192.0.2.7:9002"),
            ("server: { admin: 127.0.0.1:9001 }", "127.0.0.1:9001"),
            ("server: {}", "127.0.0.1:8081"),
            ("store: sqlite:gateway.db", "127.0.0.1:8081"),
            ("", "127.0.0.1:8081"),
        ] {
            assert_eq!(of(text).as_deref(), Ok(address), "{text}");
        }
    }

    #[test]
    fn faults_elsewhere_in_the_file_do_not_hide_the_address() {
        let text = "server: { health: 127.0.0.1:9002, lisen: x }\nroutes: 7\njobs: { a: { workbench: none } }\n";
        assert_eq!(of(text).as_deref(), Ok("127.0.0.1:9002"));
    }

    #[test]
    fn what_is_no_address_is_said_by_its_key_and_not_quoted() {
        for text in ["server: { health: secret-text }", "server: { health: [127.0.0.1:1] }"] {
            let why = of(text).expect_err("it is no address");
            assert_eq!(why, "`server.health` is not an address and a port", "{text}");
        }
        assert_eq!(of("server: ["), Err("gateway.yaml is not YAML".to_owned()));
    }
}
