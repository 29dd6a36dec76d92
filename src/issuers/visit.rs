//! Confirms a subscription with a GET to the address that its sender named. The provider has checked the
//! address and the store has the greeting before this begins.

use std::sync::Arc;
use std::time::Duration;

use super::Issuers;
use super::cache::host;
use super::fetch::Way;
use crate::clock::later;
use crate::config::SourcePlan;
use crate::observe::Observation;

/// The number of tries. After that, a person must ask the sender for another greeting.
const TRIES: u32 = 3;
/// The pause between tries.
const PAUSE: Duration = Duration::from_secs(30);

impl Issuers {
    /// Visits the address in the background. Only its host is logged, since the address may hold a token.
    pub fn visit(self: &Arc<Self>, url: &str, source: &SourcePlan) {
        let issuers = Arc::clone(self);
        let name = Arc::clone(&source.name);
        let url: Arc<str> = url.into();
        let ca_file = source.options.ca_file.clone();
        let proxy: Option<Arc<str>> = source.options.proxy.as_deref().map(Into::into);
        tokio::spawn(async move {
            for left in (0..TRIES).rev() {
                let way =
                    Way { url: Arc::clone(&url), ca_file: ca_file.clone(), proxy: proxy.clone() };
                let result = issuers.transport.get(way).await.map(drop);
                let (source, host) = (&*name, host(&url));
                let Err(fault) = result else {
                    issuers.observer.tell(Observation::SubscriptionConfirmed { source, host });
                    return;
                };
                let (reason, words) = (fault.reason(), &*fault.to_string());
                issuers.observer.tell(Observation::SubscriptionNotConfirmed {
                    source,
                    host,
                    reason,
                    words,
                });
                if left == 0 {
                    return;
                }
                issuers.clock.wait_until(later(issuers.clock.now(), PAUSE)).await;
            }
        });
    }
}
