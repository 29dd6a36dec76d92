//! Keeps the last version without faults of each file of `routes.d/` in the store, so that a restart with a faulty
//! file leaves that version in force, as a reload does.

use std::sync::Arc;

use jiff::Timestamp;

use crate::config::Live;
use crate::observe::{Observation, Observer};
use crate::store::Store;

/// Puts what was kept into force for files that are faulty. A store that does not give it is told of, and changes
/// nothing: the files stay held back.
pub(super) async fn adopt(live: &Arc<Live>, store: &dyn Store, observer: &Observer) {
    if live.faults() == 0 {
        return;
    }
    let kept = match store.route_files().await {
        Ok(kept) => kept,
        Err(fault) => return observer.tell(Observation::store_fault("route_files", &fault)),
    };
    let texts = kept.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
    let own = Arc::clone(live);
    let adopted = tokio::task::spawn_blocking(move || own.adopt(texts)).await.unwrap_or_default();
    for name in &adopted {
        let since = kept.iter().find(|file| file.name == *name).map(|file| file.kept_at);
        let since = since.unwrap_or(Timestamp::UNIX_EPOCH);
        observer.tell(Observation::RouteFileAdopted { file: name, since });
    }
}

/// Keeps what is in force now.
pub(super) async fn keep(live: &Live, store: &dyn Store, observer: &Observer, now: Timestamp) {
    let kept = store.keep_route_files(live.route_files(), live.route_file_names(), now).await;
    if let Err(fault) = kept {
        observer.tell(Observation::store_fault("route_files", &fault));
    }
}
