//! Builds the URLs of calls. Pure.

use reqwest::Url;

use crate::config::WorkbenchPlan;
use crate::workbench::NotSent;

/// The URL of a call. Each piece is escaped as one path segment, so that a name cannot add segments.
pub(in crate::workbench) fn address(plan: &WorkbenchPlan, pieces: &[&str]) -> Result<Url, NotSent> {
    let mut url = plan.url.clone();
    let prefix = plan.api_prefix.trim_matches('/');
    url.path_segments_mut()
        .map_err(|()| NotSent::Request(format!("workbench {} has no usable url", plan.name)))?
        .pop_if_empty()
        .extend(prefix.split('/').filter(|piece| !piece.is_empty()))
        .extend(pieces);
    Ok(url)
}
