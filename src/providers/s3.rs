//! The records of Amazon S3's event notifications, which MinIO, RustFS and Ceph send in the same form.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use crate::model::Value;
use crate::providers::form;

/// The list of records in a notification.
pub(super) const RECORDS: &str = "Records";
/// The path to a record's object.
const OBJECT: [&str; 2] = ["s3", "object"];

/// The notification with the objects' keys decoded. S3 writes a key as a form does: `a+1%2F.csv` is the key
/// `a 1/.csv`. What was sent stands beside it, as `key_as_sent`, where it is another text. A key that cannot
/// be decoded stays as it was sent.
pub(super) fn with_decoded_keys(notification: Value) -> Value {
    let Some(records) = notification.get(RECORDS).and_then(Value::as_list) else {
        return notification;
    };
    let records = Value::list(records.iter().map(decoded).collect());
    let fields = notification.entries().map(|(name, value)| match name {
        RECORDS => (name, records.clone()),
        _ => (name, value.clone()),
    });
    Value::map(fields.collect())
}

fn decoded(record: &Value) -> Value {
    let key = record.at(&OBJECT).and_then(|object| object.get("key")).and_then(Value::as_str);
    let Some(key) = key else {
        return record.clone();
    };
    let text = form::unescape(key.as_bytes(), 0).ok().and_then(|text| String::from_utf8(text).ok());
    match text.filter(|text| text != key) {
        None => record.clone(),
        Some(text) => changed(record, &OBJECT, &|object| {
            let others = object.entries().filter(|(name, _)| *name != "key");
            let others = others.map(|(name, value)| (name, value.clone()));
            let sent = ("key_as_sent", Value::text(key));
            Value::map(others.chain([("key", Value::text(&*text)), sent]).collect())
        }),
    }
}

/// The value with what stands at this path replaced.
fn changed(value: &Value, path: &[&str], change: &dyn Fn(&Value) -> Value) -> Value {
    let Some((first, rest)) = path.split_first() else {
        return change(value);
    };
    let fields = value.entries().map(|(name, inner)| match name == *first {
        true => (name, changed(inner, rest, change)),
        false => (name, inner.clone()),
    });
    Value::map(fields.collect())
}

/// The gateway's word for a kind of event, which is S3's own: MinIO and older versions of Ceph write `s3:`
/// before it.
pub(super) fn word(name: &str) -> &str {
    name.strip_prefix("s3:").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(sent: &str) -> (Option<String>, Option<String>) {
        let text =
            format!(r#"{{"Records": [{{"s3": {{"object": {{"key": "{sent}", "size": 1}}}}}}]}}"#);
        let body = with_decoded_keys(Value::parse_json(text.as_bytes()).expect("JSON"));
        let object = body.get(RECORDS).and_then(Value::as_list).and_then(|all| all[0].at(&OBJECT));
        let object = object.expect("an object").clone();
        assert_eq!(object.get("size").and_then(Value::as_i64), Some(1));
        let text = |name| object.get(name).and_then(Value::as_str).map(str::to_owned);
        (text("key"), text("key_as_sent"))
    }

    #[test]
    fn a_key_is_decoded_and_what_was_sent_stands_beside_it() {
        let told = |key: &str, sent: Option<&str>| (Some(key.to_owned()), sent.map(str::to_owned));
        assert_eq!(keys("train%2Fa+1.csv"), told("train/a 1.csv", Some("train%2Fa+1.csv")));
        assert_eq!(keys("a%2Bb"), told("a+b", Some("a%2Bb")));
        assert_eq!(keys("old.csv"), told("old.csv", None));
    }

    #[test]
    fn a_key_that_cannot_be_decoded_stays_as_it_was_sent() {
        for sent in ["50%", "%zz", "%ff"] {
            assert_eq!(keys(sent), (Some(sent.to_owned()), None));
        }
    }

    #[test]
    fn what_has_no_records_stays_as_it_is() {
        for text in ["{}", "[]", "7", r#"{"Records": 1}"#, r#"{"Records": [1, {}]}"#] {
            let body = Value::parse_json(text.as_bytes()).expect("JSON");
            assert_eq!(with_decoded_keys(body.clone()), body, "{text}");
        }
    }
}
