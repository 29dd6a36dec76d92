//! MinIO, and what sends bucket notifications in its form: RustFS and Ceph. None of them signs. MinIO and
//! RustFS send the configured token in the header `Authorization`; Ceph can only be given an address.
//!
//! The form is that of `WebhookTarget` in MinIO's `internal/event/target/webhook.go`.

use http::{Method, StatusCode};

use crate::authenticate::{Refusal, Unverified};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::{FieldToken, HeaderOrAddress, Token};
use crate::providers::s3;
use crate::providers::{Greeting, Reply, Verification};

static TOKEN: HeaderOrAddress = HeaderOrAddress {
    header: Token { header: "authorization", prefix: "Bearer " },
    address: FieldToken { query: "token" },
};

/// MinIO, RustFS and Ceph.
pub(in crate::providers) static MINIO: Sender = Sender {
    parts: Some(&[s3::RECORDS]),
    read: Some(s3::with_decoded_keys),
    event: &[At::Part(&["eventName"]), At::Field(&["EventName"])],
    word: Some(s3::word),
    greet: Some(look),
    samples: &[("ObjectCreated:Put", include_str!("../samples/minio.json"))],
    ..Sender::new("minio", "MinIO, RustFS and Ceph", &ABOUT, &TOKEN)
};

/// Before its first notification, and again after a failure, MinIO looks with HEAD whether somebody answers.
fn look(
    _sender: &Sender,
    request: &Unverified<'_>,
    _verification: &Verification<'_>,
) -> Option<Result<Greeting, Refusal>> {
    let reply = || Reply::empty(StatusCode::OK);
    (*request.method == Method::HEAD).then(|| Ok(Greeting::new("a look at the address", reply())))
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "MinIO: `mc admin config set ALIAS notify_webhook:gateway endpoint=https://HOST/hooks/minio \
         auth_token=SECRET`, restart it, then `mc event add ALIAS/BUCKET arn:minio:sqs::gateway:webhook \
         --event put`. Set `queue_dir` too, so that notifications wait while the gateway is away. RustFS \
         has the same settings, as `RUSTFS_NOTIFY_WEBHOOK_…`.",
        "Ceph: create a topic with `push-endpoint=https://HOST/hooks/minio?token=SECRET` and without \
         `cloudevents`.",
    ],
    source: "provider: minio\nsecrets: [{ env: MINIO_WEBHOOK_TOKEN }]",
    carries: "Each of `Records` is an event of its own: `body.Records[event.part]` is the one that a \
              route looks at. Its kind is its `eventName` without `s3:` (`ObjectCreated:Put`, …; with \
              `s3:` it is understood in `event:` too). `s3.bucket.name` is the bucket, `s3.object.key` \
              the key, decoded; where it was sent as another text, that is `s3.object.key_as_sent`. No \
              delivery has an id; the digest of the body, which has times and request ids, stands for \
              it. Nothing is signed.",
    yields: "",
    proven: Proven::Documented,
    sources: &[
        "minio/minio, internal/event/target/webhook.go",
        "https://docs.min.io/community/minio-object-store/reference/minio-server/settings/notifications/webhook-service.html",
        "https://docs.ceph.com/en/latest/radosgw/notifications/",
    ],
};
