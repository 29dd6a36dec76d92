//! File descriptors: how many the process may have open, and how many of them may be connections.
//!
//! Each connection is a descriptor, and so is each file of the store, each secret that is read and each
//! request to a workbench. Connections that took the last descriptor would break all of these. So a reserve is
//! kept back from them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are kept for files, the store, workbenches and programs that print secrets.
const RESERVE: usize = 256;

/// How the descriptors of the process are shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allotment {
    /// Connections of the public listener.
    pub hooks: usize,
    /// Connections of the admin listener.
    pub admin: usize,
    /// Connections of the health listener; 0 where there is none.
    pub health: usize,
}

/// Raises the number of descriptors that the process may open to what these connections and the reserve need,
/// as far as the hard limit allows. Returns the number that it may open now.
pub fn raise(connections: usize) -> usize {
    let needed = connections.saturating_add(RESERVE) as u64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let reachable = maximum.map_or(needed, |maximum| maximum.min(needed));
    if current.is_some_and(|current| current < reachable) {
        // Where it is refused, the number stays as it was.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum });
    }
    limit()
}

/// How many descriptors the process may have open.
pub fn limit() -> usize {
    let current = getrlimit(Resource::Nofile).current;
    current.map_or(usize::MAX, |current| usize::try_from(current).unwrap_or(usize::MAX))
}

/// The connections that may be open with this many descriptors. Of few, a half is reserve, an eighth is for the
/// admin listener, and a sixteenth for the health listener where there is one.
pub fn allot(descriptors: usize, wanted: Allotment) -> Allotment {
    let for_connections = descriptors - RESERVE.min(descriptors / 2);
    let admin = wanted.admin.min(for_connections / 4).max(1);
    let health = wanted.health.min((for_connections / 8).max(1));
    let others = admin.saturating_add(health);
    let hooks = wanted.hooks.min(for_connections.saturating_sub(others)).max(1);
    Allotment { hooks, admin, health }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_never_take_the_reserve() {
        let wanted = Allotment { hooks: 4096, admin: 256, health: 0 };
        for (descriptors, hooks, admin) in [
            (1 << 20, 4096, 256),
            (4608, 4096, 256),
            (1024, 576, 192),
            (64, 24, 8),
            (2, 1, 1),
            (0, 1, 1),
        ] {
            let granted = Allotment { hooks, admin, health: 0 };
            assert_eq!(allot(descriptors, wanted), granted, "{descriptors}");
        }
    }

    #[test]
    fn the_health_listener_always_has_connections_where_it_is_wanted() {
        let wanted = Allotment { hooks: 4096, admin: 256, health: 64 };
        for (descriptors, hooks, admin, health) in [
            (1 << 20, 4096, 256, 64),
            (1024, 512, 192, 64),
            (64, 20, 8, 4),
            (2, 1, 1, 1),
            (0, 1, 1, 1),
        ] {
            let granted = Allotment { hooks, admin, health };
            assert_eq!(allot(descriptors, wanted), granted, "{descriptors}");
        }
    }
}
