//! The JSON Schema of `gateway.yaml`, derived from the types in `shape`. Editors and the page of
//! documentation use it.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::shape::GatewayShape;

/// The JSON Schema of `gateway.yaml`.
pub fn schema() -> Value {
    let schema =
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<GatewayShape>();
    let mut schema = schema.to_value();
    without_null(&mut schema);
    schema
}

/// Removes null from the schema. A key without a value is a fault, so null is never allowed.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = &types[..] {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
                if let [Value::Object(only)] = &choices[..] {
                    let only = only.clone();
                    object.remove("anyOf");
                    object.extend(only);
                }
            }
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}
