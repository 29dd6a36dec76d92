//! Confirms a subscription by visiting the address that its sender asked to have visited. The
//! provider has vetted the address, and the greeting is kept, before this begins.

use std::sync::Arc;
use std::time::Duration;

use super::Issuers;
use super::cache::host;
use super::fetch::Way;
use crate::clock::later;
use crate::config::SourcePlan;
use crate::observe::Observation;

/// Tries before a person has to ask the sender for another greeting.
const TRIES: u32 = 3;
/// Pause between tries.
const PAUSE: Duration = Duration::from_secs(30);

impl Issuers {
    /// Visits the address, beside the work. The address may hold a token, so it is not logged.
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
