//! The cases on PostgreSQL, and what is true of it alone.

use std::sync::Arc;

use crate::common_postgres as server;

macro_rules! every_case {
    ($cases:ident: $($case:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            crate::$cases::$case(Arc::new(server::store().await)).await;
        }
    )+};
}

crate::for_every_case!(every_case);
