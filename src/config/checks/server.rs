//! `server:` and `retention:`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::checker::Checker;
use super::exposure;
use super::listeners;
use super::networks::networks;
use crate::config::networks::Networks;
use crate::config::plan::{RetentionPlan, ServerPlan};
use crate::config::secrets::SecretRef;
use crate::config::shape::{Period, RetentionShape, SecretShape, Section, ServerShape, Texts};
use crate::config::strength::Use;
use crate::config::yaml::At;

/// How long a repeat of a delivery is recognized. Deliveries must be kept at least as long.
const WINDOW: Period = Period::days(7);

pub(super) fn server(checker: Checker<'_>, shape: ServerShape) -> Option<ServerPlan> {
    let listeners::Listeners { listen, admin, health } = listeners::listeners(checker, &shape);
    for limit in [&shape.body_limit, &shape.bytes_in_flight, &shape.body_min_rate] {
        if limit.value.0 == 0 {
            checker.fault(limit.id, "this must be more than zero", None);
        }
    }
    if shape.bytes_in_flight.value < shape.body_limit.value {
        let id = shape.bytes_in_flight.id.or(shape.body_limit.id);
        let hint = format!("a body of {} could never be received", shape.body_limit.value);
        checker.fault(id, "`bytes_in_flight` is less than `body_limit`", hint);
    }
    checker.not_zero(&shape.requests_in_flight);
    for share in [&shape.client_share, &shape.strangers_share] {
        if !(1..=100).contains(&share.value) {
            let hint = "write a number of percent from 1 to 100".to_owned();
            checker.fault(share.id, "no part of a whole", hint);
        }
    }
    let periods =
        [&shape.header_timeout, &shape.idle_timeout, &shape.body_timeout, &shape.write_timeout];
    for period in periods {
        not_zero(checker, period);
    }
    let trusted_proxies = trusted_proxies(checker, shape.trusted_proxies.as_ref());
    let admin_tokens = tokens(checker, shape.admin_tokens);
    let ingest_tokens = tokens(checker, shape.ingest_tokens);
    Some(ServerPlan {
        listen: listen?,
        path_prefix: path_prefix(checker, shape.path_prefix.as_ref()),
        admin: admin?,
        health,
        health_metrics: shape.health_metrics.value,
        admin_tokens,
        admin_hosts: admin_hosts(checker, shape.admin_hosts.as_ref()),
        ingest_tokens,
        trusted_proxies,
        proxy_header: shape.proxy_header,
        body_limit: shape.body_limit.value.0,
        bytes_in_flight: shape.bytes_in_flight.value.0,
        requests_in_flight: shape.requests_in_flight.value as usize,
        client_share: shape.client_share.value,
        strangers_share: shape.strangers_share.value,
        header_timeout: shape.header_timeout.value.0,
        idle_timeout: shape.idle_timeout.value.0,
        body_timeout: shape.body_timeout.value.0,
        body_min_rate: shape.body_min_rate.value.0,
        write_timeout: shape.write_timeout.value.0,
        shutdown_grace: shape.shutdown_grace.0,
        drain: shape.drain.0,
        hold_alert: shape.hold_alert.0,
    })
}

/// The path in front of `/hooks/`, without slashes at its end; empty where there is none.
fn path_prefix(checker: Checker<'_>, at: Option<&At<String>>) -> String {
    let Some(at) = at else { return String::new() };
    let path = at.value.trim_end_matches('/');
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    let is_path = path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain));
    if !path.is_empty() && !is_path {
        let hint = "write a path such as `/gateway`, of letters, digits and `-_.~`".to_owned();
        checker.fault(at.id, "`path_prefix` is no path", hint);
    }
    if path.split('/').any(|part| part == "hooks") {
        let hint = "write what stands in front of `/hooks/`, without it".to_owned();
        checker.fault(at.id, "`path_prefix` has `hooks` in it", hint);
    }
    path.to_owned()
}

fn tokens(checker: Checker<'_>, section: Section<SecretShape>) -> BTreeMap<Arc<str>, SecretRef> {
    let mut tokens = BTreeMap::new();
    for (name, token) in section {
        checker.name(token.id);
        if let Some(secret) = token.value {
            let used = |reference| Use::admin_token(&name, reference);
            let reference = checker.secret(token.id, secret, used);
            tokens.insert(name.as_str().into(), reference);
        }
    }
    tokens
}

/// Checks `trusted_proxies`. A trusted proxy can claim any client address, so a network of all
/// addresses is a fault.
fn trusted_proxies(checker: Checker<'_>, at: Option<&At<Texts>>) -> Networks {
    for (id, text) in at.map(At::each).unwrap_or_default() {
        if text.ends_with("/0") {
            let hint = "write the addresses of the proxies alone".to_owned();
            checker.fault(id, "whoever connects would be believed to be any address", hint);
        }
    }
    exposure::proxies(checker, at);
    networks(checker, at, "leave the key out when there is no proxy").unwrap_or_default()
}

/// Checks `admin_hosts`: each is a name alone, without scheme, port or path.
fn admin_hosts(checker: Checker<'_>, at: Option<&At<Texts>>) -> Vec<String> {
    let hosts = at.map(At::each).unwrap_or_default().into_iter();
    hosts
        .filter_map(|(id, text)| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if text.is_empty() || !text.bytes().all(plain) {
                let hint = "write the name alone, such as gateway.example.com".to_owned();
                checker.fault(id, "this is not the name of a host", hint);
                return None;
            }
            Some(text.to_ascii_lowercase())
        })
        .collect()
}

pub(super) fn not_zero(checker: Checker<'_>, at: &At<Period>) {
    if at.value.0 == Duration::ZERO {
        checker.fault(at.id, "this must be more than zero", None);
    }
}

pub(super) fn retention(checker: Checker<'_>, shape: &RetentionShape) -> Option<RetentionPlan> {
    if shape.keep.value < WINDOW {
        let hint = format!("write at least {WINDOW}: that long, a repeat is known as one");
        checker.fault(shape.keep.id, format!("`keep` is less than {WINDOW}"), hint);
    }
    if shape.max_size.value.0 == 0 {
        checker.fault(shape.max_size.id, "this must be more than zero", None);
    }
    Some(RetentionPlan { keep: shape.keep.value.0, max_size: shape.max_size.value.0 })
}
