//! What the documentation says of how far a provider is proven is what the vectors say.

use std::collections::BTreeMap;

use cdsw_gateway::providers::{self, Proven};
use serde_json::Value as Json;

/// The best provenance among the accepted vectors of each provider.
fn best() -> BTreeMap<String, Proven> {
    let all: Vec<Json> = serde_json::from_str(include_str!("../vectors/signatures.json"))
        .expect("the vectors are JSON");
    let mut best = BTreeMap::new();
    for vector in all.iter().filter(|vector| vector["expect"] == "accept") {
        let provenance = match vector["provenance"].as_str() {
            Some("literal") => Proven::Literal,
            Some("assembled") => Proven::Assembled,
            Some("recomputed") => Proven::Recomputed,
            other => panic!("{}: {other:?}", vector["id"]),
        };
        let name = match vector["provider"].as_str().expect("a provider") {
            "generic-hmac" => "hmac",
            "generic-basic" => "basic",
            "generic-header-token" => "token",
            own => own,
        };
        let entry = best.entry(name.to_owned()).or_insert(provenance);
        *entry = provenance.min(*entry);
    }
    best
}

#[test]
fn every_provider_is_as_far_proven_as_its_best_vector_and_without_one_by_documentation_alone() {
    let best = best();
    let wrong: Vec<String> = providers::names()
        .filter_map(|name| {
            let says = providers::find(name).expect("in the table").about().proven;
            let is = best.get(name).copied().unwrap_or(Proven::Documented);
            (says != is).then(|| format!("{name} says {says:?} and is {is:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
