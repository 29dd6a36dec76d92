//! Whatever a proven request holds, it is read the same way each time, its events stay in
//! proportion to it, what is kept of it means the same, no header that may carry a secret becomes
//! visible, and routes judge it.

use cdsw_gateway::authenticate::open;
use cdsw_gateway::event::{Understood, understand};
use cdsw_gateway::judge::{Detail, judge};
use cdsw_gateway::model::DeliveryId;

use super::request::Request;
use super::site::{self, Site};

/// A request: see `request.rs`.
pub fn run(data: &[u8]) {
    let request = Request::read(data);
    let site = Site::of(request.provider);
    let source = site.source;
    let read = || {
        let proof = open::dangerously_unauthenticated();
        let verified = request.unverified().verified(proof);
        understand(&verified, source.provider, &source.options, &source.name)
    };
    let understood = match read() {
        Ok(understood) => understood,
        Err(fault) => {
            assert!(!fault.to_string().is_empty());
            return;
        }
    };
    let decode = |body| source.provider.decode(&request.headers, body);
    if let Some(kept) = source.provider.body_to_keep(&request.body) {
        let (whole, kept) = (decode(&request.body), decode(&kept.into()));
        assert!(whole.ok() == kept.ok(), "what is kept of the body means something else");
    }
    let again = read().expect("what was read once is read again");
    assert_eq!(understood.identity, again.identity);
    assert_eq!(understood.content, again.content);
    assert!(!understood.identity.key().is_empty() && !understood.kind.is_empty());
    assert!(understood.events.len() <= 1 + request.body.len(), "more events than bytes");
    for event in &understood.events {
        for name in source.provider.secret_headers(&source.options) {
            assert!(event.headers.get(name.as_str()).is_none(), "{name} is visible");
        }
        for field in source.provider.secret_fields(&source.options) {
            assert!(event.query.get(&field).is_none(), "field {field} is visible");
        }
    }
    let _ = understood.prove_back(source.provider, site.secrets.first());
    judged(source, &understood);
}

fn judged(source: &cdsw_gateway::config::SourcePlan, understood: &Understood) {
    let delivery = DeliveryId::new(site::now(), 7);
    let judged = judge(site::plan(), source, understood, delivery, Detail::Every);
    assert!(judged.runs.len() <= 2 * understood.events.len());
}
