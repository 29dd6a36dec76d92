//! Generated files match the types, and the examples have no faults.

use super::*;
use crate::config::{docs_markdown, schema};

/// Compares a file of the project with its generated text. With `UPDATE=1` it writes the file
/// instead.
fn same(path: &str, text: &str) {
    let path = project(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("within the project")).expect("created");
        std::fs::write(&path, text).expect("written");
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "{} is stale; run the tests with UPDATE=1", path.display());
}

#[test]
fn the_schema_file_is_what_the_types_say() {
    let text = serde_json::to_string_pretty(&schema()).expect("serializes");
    same("config/gateway.schema.json", &format!("{text}\n"));
}

#[test]
fn the_page_of_documentation_is_what_the_types_say() {
    same("docs/configuration.md", &docs_markdown());
}

#[test]
fn the_page_on_providers_is_what_the_table_says() {
    same("docs/providers.md", &crate::providers::page());
}

#[test]
fn the_page_on_changed_meanings_is_what_the_table_says() {
    same("docs/changed-meanings.md", &crate::config::changed_meanings());
}

#[test]
fn every_example_is_good() {
    let mut seen = 0;
    for directory in ["config", "config/examples"] {
        for entry in std::fs::read_dir(project(directory)).expect("examples") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|ext| ext == "yaml") {
                let (report, plan) = check(&path);
                assert!(plan.is_some() && report.is_empty(), "{}", report.render(false));
                seen += 1;
            }
        }
    }
    assert!(seen >= 5, "{seen}");
}

#[test]
fn every_key_is_explained() {
    fn look(value: &serde_json::Value, path: &str) {
        for (key, property) in
            value.get("properties").and_then(|p| p.as_object()).into_iter().flatten()
        {
            assert!(property.get("description").is_some(), "{path}.{key} is not explained");
        }
    }
    let schema = schema();
    look(&schema, "");
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        look(definition, name);
    }
}
