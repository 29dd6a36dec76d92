//! The bounds of the listeners, and what the process needs for them.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Live, ServerPlan};
use crate::observe::{Observation, Observer};
use crate::serving::descriptors::{self, Allotment};
use crate::serving::{ListenerLimits, MinRate, share_of};

/// Connections that the admin listener serves at once. More than people and monitoring need, since only a listener
/// that has places left serves a newcomer without closing the connection of somebody else.
const ADMIN_CONNECTIONS: usize = 2048;
/// Connections that the health listener serves at once, for the same reason.
const HEALTH_CONNECTIONS: usize = 1024;
/// Open connections of senders for each request that may be in flight: most connections are idle.
const CONNECTIONS_PER_REQUEST: usize = 4;
/// Time over which the rate of a body is measured.
const BODY_WINDOW: Duration = Duration::from_secs(10);
/// Bytes a second that a client must read of answers that wait for it.
const WRITE_RATE: u64 = 1024;

/// How the listeners are served.
pub(super) struct Listeners {
    pub(super) hooks: ListenerLimits,
    pub(super) admin: ListenerLimits,
    pub(super) health: ListenerLimits,
}

fn wanted(server: &ServerPlan) -> Allotment {
    let hooks = server.requests_in_flight.saturating_mul(CONNECTIONS_PER_REQUEST);
    let health = server.health.as_ref().map_or(0, |_| HEALTH_CONNECTIONS);
    Allotment { hooks, admin: ADMIN_CONNECTIONS, health }
}

/// Lets a process that serves this configuration, and nothing else, open as many files as its connections
/// need.
pub fn prepare_process(server: &ServerPlan) {
    let Allotment { hooks, admin, health } = wanted(server);
    descriptors::raise(hooks.saturating_add(admin).saturating_add(health));
}

/// The limits of each listener. Tells the observer where the system grants fewer connections than the
/// configuration asks for.
pub(super) fn limits(server: &ServerPlan, live: &Arc<Live>, observer: &Observer) -> Listeners {
    let wanted = wanted(server);
    let limit = descriptors::limit();
    let granted = descriptors::allot(limit, wanted);
    if granted.hooks < wanted.hooks {
        let (connections, wanted) = (granted.hooks, wanted.hooks);
        observer.tell(Observation::FewDescriptors { limit, connections, wanted });
    }
    let live = Arc::clone(live);
    let hooks = ListenerLimits {
        listener: "hooks",
        header_timeout: server.header_timeout,
        idle_timeout: server.idle_timeout,
        body_rate: MinRate::per_second(server.body_min_rate, BODY_WINDOW),
        write_rate: MinRate::per_second(WRITE_RATE, server.write_timeout),
        connections: granted.hooks,
        connections_of_one: of_one(server, granted.hooks),
        is_proxy: Arc::new(move |address| {
            live.plan().server.trusted_proxies.contain(address.to_canonical())
        }),
        grace: server.shutdown_grace,
    };
    let admin = ListenerLimits {
        listener: "admin",
        connections: granted.admin,
        connections_of_one: of_one(server, granted.admin),
        ..hooks.clone()
    };
    let health = ListenerLimits {
        listener: "health",
        connections: granted.health,
        connections_of_one: of_one(server, granted.health),
        ..hooks.clone()
    };
    Listeners { hooks, admin, health }
}

fn of_one(server: &ServerPlan, connections: usize) -> usize {
    usize::try_from(share_of(connections as u64, server.client_share)).unwrap_or(connections)
}
