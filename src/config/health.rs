//! Where health is served, as a configuration file says it. Nothing else of the file is looked at: a probe must not
//! fail because of a fault that the running gateway keeps out of force.

use std::path::Path;

use super::files::main_text;
use super::report::Source;
use super::shape::DEFAULT_ADMIN;
use super::yaml::read;
use crate::model::Listen;

/// Where this machine reaches the health of a gateway with this configuration: at `server.health`, or at `server.admin`
/// where there is no such listener. Reads no secret and no file of routes.
///
/// # Errors
/// In words, why the file does not tell: it cannot be read, is not YAML, or has something else there.
pub fn health_address(path: &Path) -> Result<Listen, String> {
    let text = main_text(path).map_err(|fault| fault.message)?;
    told(path, text)
}

fn told(path: &Path, text: String) -> Result<Listen, String> {
    let name = path.display().to_string();
    let mut source = Source::new(&name, text);
    let (tree, _) = read(&mut source, false);
    let tree = tree.ok_or_else(|| format!("{name} is not YAML"))?;
    let server = tree.root().and_then(|root| tree.entry(root, "server"));
    let entry = |key| {
        let id = tree.entry(server?, key)?;
        Some((key, tree.text(id)))
    };
    let found = entry("health").or_else(|| entry("admin"));
    let (key, text) = found.unwrap_or(("admin", Some(DEFAULT_ADMIN)));
    let directory = path.parent().unwrap_or(Path::new(""));
    let place = text.and_then(|text| Listen::read(text, directory, 0).ok());
    let place = place.ok_or_else(|| format!("`server.{key}` does not say where to listen"))?;
    place.reached_here().ok_or_else(|| {
        format!("`server.{key}` is {place}, and only systemd knows where that listens")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<String, String> {
        told(Path::new("/etc/gateway/gateway.yaml"), text.to_owned())
            .map(|address| address.to_string())
    }

    #[test]
    fn the_health_listener_comes_before_the_admin_listener_and_that_before_the_default() {
        let both = "server: { admin: 127.0.0.1:9001, health: 0.0.0.0:9002 }";
        for (text, address) in [
            (both, "127.0.0.1:9002"),
            ("server: { health: '[::]:9002' }", "[::1]:9002"),
            ("server: { health: 192.0.2.7:9002 }", "192.0.2.7:9002"),
            ("server: { health: unix:h.sock }", "unix:/etc/gateway/h.sock"),
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
    fn a_socket_of_systemd_is_only_known_to_systemd() {
        let why = of("server: { health: systemd:health }").expect_err("nobody knows");
        assert!(why.contains("systemd:health, and only systemd knows"), "{why}");
    }

    #[test]
    fn what_is_no_address_is_said_by_its_key_and_not_quoted() {
        for text in ["server: { health: secret-text }", "server: { health: [127.0.0.1:1] }"] {
            let why = of(text).expect_err("it is no address");
            assert_eq!(why, "`server.health` does not say where to listen", "{text}");
        }
        assert_eq!(of("server: ["), Err("/etc/gateway/gateway.yaml is not YAML".to_owned()));
    }
}
