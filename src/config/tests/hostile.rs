//! Files that are meant to do harm, or that are no configuration at all.

use super::*;

#[test]
fn tags_are_refused() {
    let faults = faults_of("store: sqlite:x\njobs: !!map {}\n");
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("tags are not supported"), "{faults:?}");
}

#[test]
fn an_alias_bomb_is_refused_without_growing() {
    let mut bomb = "routes: {}\nx-0: &a0 [x]\n".to_owned();
    for level in 1..50 {
        let before = format!("*a{}, ", level - 1).repeat(20);
        bomb.push_str(&format!("x-{level}: &a{level} [{before}]\n"));
    }
    let faults = faults_of(&bomb);
    assert!(faults.iter().any(|fault| fault.contains("repeat too many values")), "{faults:?}");
    // The same under keys that nothing reads, by merge keys, and in one list.
    let mut merged = "x-0: &a0 { k0: 1 }\n".to_owned();
    for level in 1..50 {
        let keys = (0..20).map(|key| format!("k{key}: *a{}, ", level - 1)).collect::<String>();
        merged.push_str(&format!("x-{level}: &a{level} {{ {keys}<<: *a{} }}\n", level - 1));
    }
    merged.push_str("routes: {}\n");
    assert!(faults_of(&merged).iter().any(|fault| fault.contains("repeat too many values")));
    let wide = format!(
        "x-a: &a [{}]\nx-b: [{}]\nroutes: {{}}\n",
        "1,".repeat(50_000),
        "*a,".repeat(50_000)
    );
    assert_eq!(faults_of(&wide).len(), 1);
}

#[test]
fn deep_nesting_is_refused() {
    for text in
        ["[".repeat(10_000), "{a: ".repeat(10_000), "- ".repeat(10_000), "? ".repeat(10_000)]
    {
        let faults = faults_of(&text);
        assert!(faults.len() <= 2, "{faults:?}");
    }
    let deep =
        (0..10_000).map(|level| format!("{}a:\n", " ".repeat(level.min(300)))).collect::<String>();
    assert!(!faults_of(&deep).is_empty());
}

#[test]
fn files_that_are_not_one_document_of_text_are_refused_in_plain_words() {
    let one = |bytes: &[u8]| {
        let site = Site::new("");
        site.write("gateway.yaml", bytes);
        let (report, _) = site.check();
        assert_eq!(report.faults.len(), 1, "{report}");
        let fault = &report.faults[0];
        (fault.line, fault.column, fault.message.clone())
    };
    let said = |line, column, message: &str| (line, column, message.to_owned());
    assert_eq!(
        one(b"server: {}\n---\nstore: x\n"),
        said(2, 1, "a file may hold one document only")
    );
    assert_eq!(one(b"server:\n\tlisten: x\n"), said(2, 1, "a tab is used for indentation"));
    assert_eq!(
        one(b"# \xc3\xa9\nstore: a\0b\n"),
        said(2, 9, "this character may not stand in a file")
    );
    assert_eq!(one(b"# \xc3\xa9\nstore: \xff\n"), said(2, 8, "this byte is not UTF-8"));
    assert_eq!(
        one(b"- a\n- b\n"),
        said(1, 1, "the file must be a section of keys and values, not a list")
    );
    assert_eq!(one(b"routes: {}\n? [a]\n: b\n"), said(2, 3, "a key must be text"));
    assert_eq!(
        one(b"alice: b\n"),
        said(1, 1, "the file is not a configuration: it has none of the keys that belong on top")
    );
    assert_eq!(one(&vec![b' '; (4 << 20) + 1]), said(0, 0, "is larger than 4 MiB"));
}

#[test]
fn fifos_devices_and_links_that_lead_out_are_refused_and_nothing_waits() {
    use std::os::unix::fs::symlink;
    let site = Site::new(GOOD);
    let outside = tempfile::tempdir().expect("a directory");
    std::fs::write(outside.path().join("key"), "routes: {}\n").expect("written");
    let at = |name: &str| site.directory.path().join("routes.d").join(name);
    site.write("routes.d/..v1/good.yaml", "routes: {}\n");
    symlink("..v1/good.yaml", at("good.yaml")).expect("linked");
    symlink(outside.path().join("key"), at("out.yaml")).expect("linked");
    symlink("/dev/zero", at("zero.yaml")).expect("linked");
    let fifo = std::process::Command::new("mkfifo").arg(at("zz.yaml")).status();
    assert!(fifo.expect("it runs").success());
    let (report, _) = site.check();
    let said: Vec<&str> = report.faults.iter().map(|fault| &*fault.message).collect();
    let link = "is a link that leads out of its directory";
    assert_eq!(said, [link, link, "is not a regular file"], "{report}");
    std::fs::remove_file(site.path()).expect("removed");
    std::fs::rename(at("zz.yaml"), site.path()).expect("moved");
    assert!(report_of(&site).contains("is not a regular file"));
}

#[test]
fn a_directory_of_routes_may_lie_elsewhere_as_a_whole() {
    let site = Site::new(GOOD);
    let elsewhere = tempfile::tempdir().expect("a directory");
    let route = "routes:\n  a: { on: { source: github }, job: retrain }\n";
    std::fs::write(elsewhere.path().join("a.yaml"), route).expect("written");
    let link = site.directory.path().join("routes.d");
    std::os::unix::fs::symlink(elsewhere.path(), link).expect("linked");
    let (report, plan) = site.check();
    assert_eq!(plan.map(|plan| plan.routes.len()), Some(2), "{report}");
}

fn report_of(site: &Site) -> String {
    site.check().0.render(false)
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    let text = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    assert!(faults_of(&text).is_empty());
    let text = text.replace("event: push", "evnt: push");
    assert_eq!(faults_of(&text), ["11:27+4 unknown key `evnt` (did you mean `event`?)"]);
}

#[test]
fn an_expression_without_quotes_in_braces_is_explained() {
    let faults = faults_with("job: retrain\n", "job: retrain\n    env: { A: ${{ git.sha }} }\n");
    assert!(faults[0].contains("put the value in quotes"), "{faults:?}");
}

#[test]
fn columns_count_characters_not_bytes() {
    let faults = faults_with("event: push", "\"日本\": 1, evnt: push");
    assert_eq!(faults.len(), 2);
    assert!(faults[1].starts_with("11:36+4 "), "{faults:?}");
}

#[test]
fn a_file_of_faults_alone_ends_and_is_bounded() {
    let routes: String = (0..3000).map(|n| format!("  r{n}: {{ a: 1, b: 2, c: 3 }}\n")).collect();
    let (report, _) = Site::new(&format!("routes:\n{routes}")).check();
    assert_eq!(report.faults.len(), 201);
    let keys: String = (0..3000).map(|n| format!("k{n}: 1\n")).collect();
    assert!(!faults_of(&keys).is_empty());
}

#[test]
fn a_large_file_on_one_line_is_read_in_time_that_grows_with_its_size() {
    let routes: Vec<String> =
        (0..20_000).map(|n| format!("\"é{n}\": {{ on: {{ source: x }}, job: [] }}")).collect();
    let (report, _) = Site::new(&format!("routes: {{ {} }}", routes.join(", "))).check();
    assert_eq!(report.faults.len(), 201);
}

mod anything {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_text_makes_reading_panic(text in "[\\-a-e:{}\\[\\]\"'|>&*!#?\n\t ,é日]{0,60}") {
            let _ = faults_of(&text);
        }

        #[test]
        fn no_change_of_one_character_makes_reading_panic(at in 0..GOOD.len(), c in any::<char>()) {
            let mut text = GOOD.to_owned();
            text.replace_range(at..=at, &c.to_string());
            let (report, _) = Site::new(&text).check();
            let _ = report.render(true);
        }
    }
}
