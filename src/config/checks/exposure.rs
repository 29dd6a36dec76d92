//! Settings that may be intended, and that let more people in than their author may expect. Each is a warning.

use super::checker::Checker;
use super::impossible::Sources;
use super::routes::written_blocks;
use crate::config::networks::{Networks, network};
use crate::config::plan::{RoutePlan, SourcePlan};
use crate::config::shape::Texts;
use crate::config::yaml::{At, Id};
use crate::matching::Patterns;
use crate::model::Listen;

/// Addresses of IPv4 that trusted proxies may have together: half of a `/8`. The published networks of large
/// providers of proxies have a quarter of that.
const MOST_PROXIES: u64 = 1 << 23;
/// The shortest prefix of a public IPv6 network of proxies.
const SHORTEST_PREFIX: u8 = 20;
/// Private networks: nobody outside has an address of these.
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

/// The admin listener speaks plain HTTP, with tokens in it.
pub(super) fn admin(checker: Checker<'_>, at: &At<String>, listen: Option<&Listen>) {
    let (Some(id), Some(listen)) = (at.id, listen) else { return };
    if let Listen::Unix(socket) = listen
        && socket.mode & 0o006 != 0
    {
        let message = "every user of this machine may connect to the admin socket";
        let hint =
            "write `admin_socket: { mode: \"0660\", group: … }`, and put its users into that group";
        checker.warn(id, message, hint.to_owned());
    }
    if listen.tcp().is_some_and(|address| !address.ip().is_loopback()) {
        let message =
            "admin tokens and bodies of deliveries travel to this address over plain HTTP";
        let hint = "listen on 127.0.0.1, and put a proxy with TLS in front; or keep the network to yourself";
        checker.warn(id, message, hint.to_owned());
    }
}

/// A trusted proxy can claim any client address, so few addresses may be one.
pub(super) fn proxies(checker: Checker<'_>, at: Option<&At<Texts>>) {
    let Some(at) = at else { return };
    let private =
        Networks::new(PRIVATE.into_iter().filter_map(|text| network(text).ok()).collect());
    let mut addresses = 0;
    let mut widest: Option<(u64, Option<Id>)> = None;
    for (id, text) in at.each() {
        let Ok(net) = network(text) else { continue };
        if private.contain(net.network()) && private.contain(net.broadcast()) {
            continue;
        }
        let count = match net {
            ipnet::IpNet::V4(net) => 1_u64 << (32 - net.prefix_len()),
            ipnet::IpNet::V6(net) if net.prefix_len() < SHORTEST_PREFIX => MOST_PROXIES + 1,
            ipnet::IpNet::V6(_) => 0,
        };
        addresses += count;
        if widest.is_none_or(|(most, _)| count > most) {
            widest = Some((count, id));
        }
    }
    if let (true, Some(id)) = (addresses > MOST_PROXIES, widest.and_then(|(_, id)| id.or(at.id))) {
        let message = "a large part of the internet is trusted to tell the address of a client";
        checker.warn(id, message, "write the addresses of the proxies alone".to_owned());
    }
}

/// As long as a source learns its secret, whoever comes first decides what it is.
pub(super) fn learning(checker: Checker<'_>, id: Id, plan: &SourcePlan) {
    let Some(key) =
        checker.file.tree.entry(id, "learn_secret").filter(|_| plan.options.learn_secret)
    else {
        return;
    };
    let message = format!(
        "source `{}` learns its secret: while its file is missing or empty, whoever sends first decides what \
         it is",
        plan.name
    );
    let hint = "remove `learn_secret` once the webhook is set up at the sender".to_owned();
    checker.warn(key, message, hint);
}

/// Everyone may comment on a request, so that a route takes commands from comments only where it says whose.
pub(super) fn comments(checker: Checker<'_>, id: Id, route: &RoutePlan, sources: &Sources) {
    let forge = |name: &std::sync::Arc<str>| {
        sources.get(name).is_some_and(|source| source.provider.takes_comments())
    };
    for (block, on) in written_blocks(checker, id, route) {
        let says_who = on.association.is_some() || on.user.is_some() || on.author.is_some();
        let at = checker.file.tree.entry(block, "command");
        if let Some(at) = at.filter(|_| !says_who && on.sources.iter().any(forge)) {
            let message = "this route takes no command from a comment, since anybody may comment";
            let hint = "say whose by `association: [OWNER, MEMBER, COLLABORATOR]` (GitHub), `user:` or \
                        `author:`";
            checker.warn(at, message, hint.to_owned());
        }
    }
}

/// In a chat, everyone can give commands, unless a route asks who and where.
pub(super) fn command(checker: Checker<'_>, id: Id, route: &RoutePlan, sources: &Sources) {
    let chat = |name: &std::sync::Arc<str>| {
        sources.get(name).is_some_and(|source| source.provider.dialect().is_some())
    };
    let anyone = |patterns: &Option<Patterns>| {
        patterns.as_ref().is_none_or(|patterns| patterns.pass("zz-nobody"))
    };
    let asked = route.condition.as_ref().is_some_and(|condition| {
        let read = condition.reads(&["command"]);
        let fields = read.needed.iter().chain(&read.optional);
        fields.into_iter().any(|field| field.starts_with("user") || field.starts_with("channel"))
    });
    let open = route.on.iter().any(|on| {
        let commands =
            on.command.is_some() || on.events.as_ref().is_none_or(|events| events.pass("command"));
        commands && on.sources.iter().any(chat) && anyone(&on.user) && anyone(&on.channel)
    });
    if !open || asked {
        return;
    }
    let message = "everyone in the chat can start this route's job";
    let hint = "add `user:` or `channel:` to `on`, with their ids".to_owned();
    checker.warn(checker.file.tree.entry(id, "on").unwrap_or(id), message, hint);
}
