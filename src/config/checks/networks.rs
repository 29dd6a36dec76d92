//! Lists of addresses and networks.

use super::checker::Checker;
use crate::config::networks::{Networks, network};
use crate::config::shape::Texts;
use crate::config::yaml::At;

/// The networks of a list. An empty list is a fault, because it would refuse everyone.
pub(super) fn networks(
    checker: Checker<'_>,
    at: Option<&At<Texts>>,
    hint: &str,
) -> Option<Networks> {
    let at = at?;
    let each = at.each();
    if each.is_empty() && !checker.is_damaged(at.id) {
        checker.fault(at.id, "this list holds no address", hint.to_owned());
    }
    let read = |(id, text)| {
        network(text).map_err(|fault| checker.fault(id, fault.message, fault.hint)).ok()
    };
    Some(Networks::new(each.into_iter().filter_map(read).collect()))
}
