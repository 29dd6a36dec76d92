//! Where the listeners are: `listen`, `admin` and `health` of `server:`.

use super::checker::Checker;
use super::exposure;
use crate::config::shape::{ServerShape, SocketShape};
use crate::config::yaml::At;
use crate::model::{Group, Listen};

/// Permissions of the sockets that a proxy or a probe connects to: the process's user and its group.
const OF_THE_GROUP: u32 = 0o660;
/// Permissions of the admin socket: the process's user alone.
const OF_THE_USER: u32 = 0o600;

/// The listeners that have no fault.
pub(super) struct Listeners {
    pub(super) listen: Option<Listen>,
    pub(super) admin: Option<Listen>,
    pub(super) health: Option<Listen>,
}

pub(super) fn listeners(checker: Checker<'_>, shape: &ServerShape) -> Listeners {
    let listen =
        place(checker, "listen", &shape.listen, shape.listen_socket.as_ref(), OF_THE_GROUP);
    let admin = place(checker, "admin", &shape.admin, shape.admin_socket.as_ref(), OF_THE_USER);
    if let (Some(listen), Some(admin)) = (&listen, &admin)
        && listen.is_taken_by(admin)
    {
        let hint = "the admin side needs an address of its own, inside your network".to_owned();
        checker.fault(
            shape.admin.id.or(shape.listen.id),
            "`listen` and `admin` are the same",
            hint,
        );
    }
    exposure::admin(checker, &shape.admin, admin.as_ref());
    let health = health(checker, shape, [("listen", &listen), ("admin", &admin)]);
    Listeners { listen, admin, health }
}

/// Checks `health`, `health_socket` and `health_metrics`. The listener needs a place that none of the others has.
fn health(
    checker: Checker<'_>,
    shape: &ServerShape,
    others: [(&str, &Option<Listen>); 2],
) -> Option<Listen> {
    let Some(at) = &shape.health else {
        if let (true, Some(id)) = (shape.health_metrics.value, shape.health_metrics.id) {
            let hint =
                "add `health: 0.0.0.0:8082`; `admin` serves the metrics in any case".to_owned();
            checker.warn(id, "`health_metrics` does nothing without `health`", hint);
        }
        unused(checker, "health", shape.health_socket.as_ref());
        return None;
    };
    let health = place(checker, "health", at, shape.health_socket.as_ref(), OF_THE_GROUP)?;
    for (name, other) in others {
        if other.as_ref().is_some_and(|other| health.is_taken_by(other)) {
            let hint = "write another one, such as port 8082".to_owned();
            checker.fault(at.id, format!("`{name}` and `health` are the same"), hint);
        }
    }
    Some(health)
}

/// Where one listener is, with the permissions of its socket.
fn place(
    checker: Checker<'_>,
    key: &str,
    at: &At<String>,
    socket: Option<&At<SocketShape>>,
    mode: u32,
) -> Option<Listen> {
    let read = Listen::read(&at.value, checker.directory(), mode);
    let mut place = match read {
        Ok(place) => place,
        Err(fault) => {
            checker.fault(at.id, format!("`{}` {}", at.value, fault.why), fault.hint.to_owned());
            return None;
        }
    };
    match &mut place {
        Listen::Unix(unix) => {
            let written = socket.map(|at| &at.value);
            if let Some(at) = written.and_then(|shape| shape.mode.as_ref()) {
                unix.mode = permissions(checker, at).unwrap_or(mode);
            }
            unix.group =
                written.and_then(|shape| shape.group.as_ref()).and_then(|at| group(checker, at));
        }
        _ => unused(checker, key, socket),
    }
    Some(place)
}

fn unused(checker: Checker<'_>, key: &str, socket: Option<&At<SocketShape>>) {
    if let Some(at) = socket {
        let hint = format!("write `{key}: unix:/run/cdsw-gateway/{key}.sock`, or remove it");
        let message = format!("`{key}_socket` belongs to a Unix socket that the gateway makes");
        checker.fault(at.id, message, hint);
    }
}

/// Permissions in octal. Those that keep the process's own user out are a slip.
fn permissions(checker: Checker<'_>, at: &At<String>) -> Option<u32> {
    let digits = at.value.strip_prefix("0o").unwrap_or(&at.value);
    let is_octal =
        (3..=4).contains(&digits.len()) && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let mode = u32::from_str_radix(digits, 8).ok().filter(|mode| is_octal && *mode <= 0o777);
    match mode {
        Some(mode) if mode & 0o600 == 0o600 => Some(mode),
        _ => {
            let hint = "write them in octal, such as 0660: its user and its group".to_owned();
            checker.fault(at.id, "these are no permissions of a socket", hint);
            None
        }
    }
}

fn group(checker: Checker<'_>, at: &At<String>) -> Option<Group> {
    let text = &at.value;
    if let Ok(id) = text.parse() {
        return Some(Group::Id(id));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if text.is_empty() || text.len() > 255 || !text.bytes().all(is_plain) {
        let hint = "write a name in /etc/group such as www-data, or a number".to_owned();
        checker.fault(at.id, "this is no group", hint);
        return None;
    }
    Some(Group::Name(text.clone()))
}
