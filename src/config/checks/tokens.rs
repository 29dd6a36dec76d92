//! A source's settings for tokens and published keys.

use std::path::PathBuf;

use super::address::{host_address, is_loopback, web_address};
use super::checker::Checker;
use crate::authenticate::jwt::Algorithm;
use crate::config::shape::Texts;
use crate::config::yaml::At;

/// The result of reading an option: `None` for a fault, `Some(None)` for an option that is not set.
pub(super) type Read<T> = Option<Option<T>>;

/// The issuer. If it is an address, keys must be safe to fetch from it, because a preset may derive
/// the address of the keys from it.
pub(super) fn issuer(checker: Checker<'_>, at: Option<&At<String>>) -> Read<String> {
    let Some(at) = at else { return Some(None) };
    if at.value.is_empty() {
        checker.fault(at.id, "`issuer` is empty", "write the claim `iss` of the tokens".to_owned());
        return None;
    }
    if at.value.contains("://") { address(checker, Some(at)) } else { Some(Some(at.value.clone())) }
}

/// An address that keys are fetched from. The keys are trusted, so nobody on the network path may
/// be able to change them.
pub(super) fn address(checker: Checker<'_>, at: Option<&At<String>>) -> Read<String> {
    let Some(at) = at else { return Some(None) };
    let url = web_address(checker, at)?;
    if url.scheme() == "http" && !is_loopback(&url) {
        let message = "keys that come over `http://` could be anyone's";
        checker.fault(at.id, message, "write https://".to_owned());
        return None;
    }
    if !url.username().is_empty() || url.password().is_some() {
        let message = "the address must not have a user or password";
        checker.fault(at.id, message, "remove what stands before the `@`".to_owned());
        return None;
    }
    Some(Some(at.value.clone()))
}

pub(super) fn proxy(checker: Checker<'_>, at: Option<&At<String>>) -> Read<String> {
    let Some(at) = at else { return Some(None) };
    host_address(checker, at).map(|url| Some(url.to_string()))
}

pub(super) fn ca_file(checker: Checker<'_>, at: Option<&At<String>>) -> Read<PathBuf> {
    let Some(at) = at else { return Some(None) };
    if at.value.is_empty() {
        checker.fault(at.id, "`ca_file` is empty", "name a file, or remove the key".to_owned());
        return None;
    }
    Some(Some(checker.path(&at.value)))
}

pub(super) fn audience(checker: Checker<'_>, at: Option<&At<Texts>>) -> Option<Vec<String>> {
    texts(checker, at, |text| match text {
        "" => Err("an empty audience is nobody's".to_owned()),
        text => Ok(text.to_owned()),
    })
}

pub(super) fn algorithms(checker: Checker<'_>, at: Option<&At<Texts>>) -> Option<Vec<Algorithm>> {
    texts(checker, at, str::parse)
}

/// Every text, converted. `None` if one of them has a fault.
fn texts<T>(
    checker: Checker<'_>,
    at: Option<&At<Texts>>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<Vec<T>> {
    let each = at.map(At::each).unwrap_or_default();
    let count = each.len();
    let good: Vec<T> = each
        .into_iter()
        .filter_map(|(id, text)| {
            read(text).map_err(|message| checker.fault(id, message, None)).ok()
        })
        .collect();
    (good.len() == count).then_some(good)
}
