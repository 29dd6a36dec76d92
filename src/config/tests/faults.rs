//! Every kind of fault alone, and many of them at once.

use super::*;

#[test]
fn a_file_with_many_faults_shows_them_all() {
    let (report, plan) = check(&project("tests/config/many-faults.yaml"));
    assert!(plan.is_none());
    let text = report.render(false).replace(&project("").display().to_string(), "");
    insta::with_settings!({ snapshot_path => project("tests/config/snapshots"), prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("many-faults", text);
    });
}

#[test]
fn the_small_configuration_is_good() {
    assert_eq!(faults_of(GOOD), Vec::<String>::new());
    let (_, plan) = Site::new(GOOD).check();
    let plan = plan.expect("good");
    assert_eq!(plan.jobs["retrain"].target.to_string(), "alice/risk job 208");
    // Processes of different versions compare this text, so it must not change.
    assert_eq!(&*plan.jobs["retrain"].declared, "retrain 3f7c2b005e3f14dc");
    assert_eq!(plan.routes[0].line, 10);
    assert_eq!(plan.index.of_source("github"), [0]);
}

#[test]
fn an_unknown_key_is_named_with_the_key_that_was_meant() {
    assert_eq!(
        faults_with("event: push", "evnt: push"),
        ["11:27+4 unknown key `evnt` (did you mean `event`?)"]
    );
    assert_eq!(
        faults_with("routes:", "rotues:"),
        ["9:1+6 unknown key `rotues` (did you mean `routes`?)"]
    );
}

#[test]
fn a_key_that_is_there_twice_is_found_where_it_stands_again() {
    assert_eq!(
        faults_with("    job: retrain\n", "    job: retrain\n    job: retrain\n"),
        ["13:5+3 `job` is there twice; the first is on line 12 (remove one of them)"]
    );
}

#[test]
fn a_value_of_the_wrong_type_is_said_in_plain_words() {
    assert_eq!(
        faults_with("job: 208", "job: abc"),
        ["6:57+3 `job` must be a whole number, not text"]
    );
    assert_eq!(
        faults_with("job: 208", "job: [208]"),
        ["6:52+3 `job` must be a whole number, not a list"]
    );
    assert_eq!(
        faults_with("event: push", "deleted: yes"),
        ["11:36+3 `deleted` must be `true` or `false`, not text"]
    );
    assert_eq!(
        faults_with("url: https://cdsw.example.com", "url:"),
        ["3:5+3 `url` has no value; it needs text"]
    );
    assert_eq!(
        faults_with("{ source: github, event: push }", "push"),
        [
            "11:9+4 `on` must be a section of conditions, or a list of them, not text (write `on: { source: NAME, event: push }`)"
        ]
    );
}

#[test]
fn what_is_missing_is_named_at_what_lacks_it() {
    assert_eq!(
        faults_with(", api_key: alice }", " }"),
        ["6:3+7 `retrain` lacks `api_key` (add `api_key:` to it)"]
    );
    assert_eq!(
        faults_with("    job: retrain\n", ""),
        ["10:3+4 `push` lacks `job` (add `job:` to it)"]
    );
    assert_eq!(
        faults_with("source: github, ", ""),
        ["11:5+2 `on` lacks `source` (add `source:` to it)"]
    );
    assert_eq!(
        faults_with("project: alice/risk, job: 208, ", ""),
        [
            "6:3+7 `retrain` does not say which job it is (write either `page`, or `project` and `job`)"
        ]
    );
}

#[test]
fn a_name_that_refers_to_nothing_is_a_fault_with_the_name_that_was_meant() {
    assert_eq!(
        faults_with("job: retrain", "job: retrian"),
        ["12:10+7 there is no job `retrian` (did you mean `retrain`?)"]
    );
    assert_eq!(
        faults_with("workbench: main", "workbench: other"),
        ["6:25+5 there is no workbench `other` (`workbenches` has `main`)"]
    );
    assert_eq!(
        faults_with("source: github", "source: [github, slack]"),
        ["11:28+5 there is no source `slack` (`sources` has `github`)"]
    );
    assert_eq!(faults_with("api_key: alice", "api_key: alicia").len(), 1);
    assert_eq!(
        faults_with("provider: github", "provider: gihtub"),
        ["8:23+6 there is no provider `gihtub` (did you mean `github`?)"]
    );
}

#[test]
fn a_reference_to_something_broken_is_no_fault_of_its_own() {
    assert_eq!(
        faults_with("workbench: main, project: alice/risk", "workbench: main, project: alice"),
        [
            "6:40+5 this is not a project (write owner/project as in the address of its page: alice/risk-analysis)"
        ]
    );
    assert_eq!(faults_with("url: https://cdsw.example.com", "url: [a]").len(), 1);
}

#[test]
fn addresses_are_checked() {
    let url = "https://cdsw.example.com";
    let one = |instead: &str| {
        let faults = faults_with(url, instead);
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].clone()
    };
    assert!(one("cdsw.example.com").contains("not a web address"));
    assert!(one("ftp://cdsw.example.com").contains("must start with `https://`"));
    assert!(one("https://cdsw.example.com/api").contains("must not have a path"));
    assert!(one("https://cdsw.example.com?a=1").contains("must not have a query"));
    assert!(one("https://user:pw@cdsw.example.com").contains("must not have a user"));
    assert!(one("http://cdsw.example.com").contains("in clear"));
    assert!(faults_with(url, "http://127.0.0.1:9000").is_empty());
    assert!(faults_with(url, "http://[::1]:9000").is_empty());
    assert!(faults_with(url, "http://cdsw.example.com\n    allow_http: true").is_empty());
}

#[test]
fn a_job_may_be_given_as_the_address_of_its_page_on_its_workbench() {
    let page = |page: &str| faults_with("project: alice/risk, job: 208", &format!("page: {page}"));
    assert!(page("https://cdsw.example.com/alice/risk/jobs/208").is_empty());
    assert!(page("https://cdsw.example.com:443/alice/risk/jobs/208/history?x=1").is_empty());
    let elsewhere = page("https://other.example.com/alice/risk/jobs/208");
    assert!(elsewhere[0].contains("not on workbench `main`"), "{elsewhere:?}");
    assert!(
        page("https://cdsw.example.com/alice/risk/208")[0].contains("not the address of a job")
    );
    let both = faults_with("job: 208", "job: 208, page: \"https://cdsw.example.com/a/b/jobs/1\"");
    assert!(both[0].contains("in two ways"), "{both:?}");
}

#[test]
fn a_literal_secret_and_a_source_without_one_are_refused() {
    assert_eq!(
        faults_with("[{ env: GITHUB_SECRET }]", "[hunter2]"),
        ["8:41+7 an item of `secrets`: a secret must be a reference, never the secret itself \
          (write { env: NAME }, { file: /path } or { command: [program, argument] })"]
    );
    let none = "8:31+7 source `github` has no secret (add `secrets: [{ env: NAME }]`, the secret that is set at the sender)";
    assert_eq!(faults_with("[{ env: GITHUB_SECRET }]", "[]"), [none]);
    assert!(faults_with(", secrets: [{ env: GITHUB_SECRET }]", "")[0].contains("has no secret"));
    let both =
        faults_with("provider: github,", "provider: github, dangerously_unauthenticated: true,");
    assert!(both[0].contains("either `secrets` or"), "{both:?}");
    assert!(
        faults_with("{ env: GITHUB_SECRET }", "{ env: A, file: b }")[0].contains("not several")
    );
    assert!(faults_with("{ env: GITHUB_SECRET }", "{ }")[0].contains("is empty"));
}

#[test]
fn an_open_source_is_a_warning() {
    let text =
        GOOD.replace("secrets: [{ env: GITHUB_SECRET }]", "dangerously_unauthenticated: true");
    let (report, plan) = Site::new(&text).check();
    assert!(plan.expect("good").sources["github"].unauthenticated);
    assert_eq!(report.warnings.len(), 1);
    assert!(report.warnings[0].message.contains("open to everyone"));
}

#[test]
fn a_condition_that_says_nothing_is_refused() {
    for (piece, name) in [
        ("branch: []", "branch"),
        ("branch: \"\"", "branch"),
        ("pull_request: {}", "pull_request"),
        ("pull_request: { number: [] }", "number"),
    ] {
        let faults = faults_with("event: push", piece);
        assert!(faults[0].contains(&format!("`{name}` is empty")), "{piece}: {faults:?}");
        assert_eq!(faults.len(), 1, "{piece}: {faults:?}");
    }
    let faults = faults_with("    job: retrain", "    if: \"\"\n    job: retrain");
    assert!(faults[0].contains("`if` is empty"), "{faults:?}");
    let faults = faults_with("    job: retrain", "    env: { X: }\n    job: retrain");
    assert_eq!(faults, ["12:12+1 `X` has no value; it needs text, or a section with `value`"]);
}

#[test]
fn patterns_are_checked_each_at_its_own_place() {
    let faults = faults_with("event: push", "branch: [main, \"a[\", \"[]\"], tag: [\"!x\"]");
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults[0].starts_with("11:42+4 "), "{faults:?}");
    assert!(faults[2].contains("**"), "{faults:?}");
}

#[test]
fn variables_are_checked() {
    let env = |env: &str| {
        faults_with("    job: retrain", &format!("    job: retrain\n    env:\n      {env}"))
    };
    assert!(env("GIT_SHA: ${{ git.sha }}").is_empty());
    assert!(env("N: 5").is_empty());
    assert!(env("1X: a")[0].contains("cannot be the name of a variable"));
    assert!(env("ld_preload: a")[0].contains("is reserved (as `LD_*`)"));
    assert!(env("GATEWAY_X: a")[0].contains("is reserved"));
    assert!(env("X: { value: a, default: b, omit: true }")[0].contains("contradict"));
    assert!(env("X: { value: a, max_bytes: 33KiB }")[0].contains("max_bytes"));
    assert!(env("X: { default: a }")[0].contains("`X` lacks `value`"));
    assert!(env("X: { value: a, matches: \"(\" }")[0].contains("not a regular expression"));
}

#[test]
fn a_job_can_allow_a_reserved_name_but_never_one_of_the_gateway() {
    let text = GOOD.replace("api_key: alice }", "api_key: alice, allow_reserved: [LD_PRELOAD] }");
    assert!(faults_of(&format!("{text}    env: {{ LD_PRELOAD: x }}\n")).is_empty());
    let text =
        GOOD.replace("api_key: alice }", "api_key: alice, allow_reserved: [GATEWAY_X, FINE] }");
    let faults = faults_of(&format!("{text}    env: {{ GATEWAY_X: x }}\n"));
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults[0].contains("can never be allowed"), "{faults:?}");
    assert!(faults[1].contains("not a reserved name"), "{faults:?}");
}

#[test]
fn places_within_expressions_are_those_of_the_file() {
    let fault = |value: &str| {
        let faults = faults_with("    job: retrain", &format!("    job: retrain\n    if: {value}"));
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].split(' ').next().unwrap_or_default().to_owned()
    };
    assert_eq!(fault("size(body) > 0 && \"é\" == boddy"), "13:34+5");
    assert_eq!(fault("'body[''x''] == boddy'"), "13:25+5");
    assert_eq!(fault("\"\\u0022é\\u0022 == boddy || \\\"ü\\\" == body.x\""), "13:27+5");
    assert_eq!(fault("|\n      body.a &&\n        boddy"), "15:9+5");
    assert_eq!(fault(">-\n\n      body.a &&\n\n      boddy\n      && body"), "17:7+5");
    assert_eq!(fault("body.a &&\n      boddy"), "14:7+5");
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    let server = |text: &str| faults_of(&format!("server: {{ {text} }}\n{GOOD}"));
    assert!(server("body_limit: 300MiB")[0].contains("less than `body_limit`"));
    assert!(server("listen: 127.0.0.1:8081")[0].contains("are the same"));
    assert!(server("listen: localhost")[0].contains("not an address to listen on"));
    assert!(server("body_timeout: 0s")[0].contains("more than zero"));
    assert!(server("requests_in_flight: 0")[0].contains("more than zero"));
    assert!(server("body_timeout: 30")[0].contains("not a length of time"));
    assert!(server("body_limit: 25MB")[0].contains("not a size"));
    assert!(faults_of(&format!("retention: {{ keep: 6d }}\n{GOOD}"))[0].contains("less than 7d"));
}

#[test]
fn a_socket_is_named_by_its_path_and_who_may_connect_is_said_in_octal_and_by_a_group() {
    let server = |text: &str| faults_of(&format!("server: {{ {text} }}\n{GOOD}"));
    for good in [
        "listen: 'unix:hooks.sock', listen_socket: { mode: '0666', group: www-data }",
        "listen: 'unix:/run/g/hooks.sock', listen_socket: { mode: '660', group: 33 }",
        "admin: 'unix:admin.sock', admin_socket: {}",
        "listen: 'systemd:hooks', admin: 'fd:4', health: 'unix:health.sock'",
    ] {
        assert_eq!(server(good), Vec::<String>::new(), "{good}");
    }
    for (text, says) in [
        ("listen: /run/g/hooks.sock", "is a path, and not an address"),
        ("listen: 'unix:@hooks'", "without a file"),
        ("listen: 'unix:'", "names no file"),
        ("listen: 'systemd:'", "name of a socket of systemd"),
        ("listen: 'fd:1'", "number of a socket of systemd"),
        ("listen: 'unix:one.sock', admin: 'unix:one.sock'", "`listen` and `admin` are the same"),
        ("admin: 'systemd:one', health: 'systemd:one'", "`admin` and `health` are the same"),
        ("listen: 'unix:a', listen_socket: { mode: rw }", "no permissions of a socket"),
        ("listen: 'unix:a', listen_socket: { mode: '0066' }", "no permissions of a socket"),
        ("listen: 'unix:a', listen_socket: { mode: '01660' }", "no permissions of a socket"),
        ("listen: 'unix:a', listen_socket: { mode: '1660' }", "no permissions of a socket"),
        ("listen: 'unix:a', listen_socket: { group: 'a b' }", "this is no group"),
        ("listen: 'unix:a', listen_socket: { group: '' }", "this is no group"),
        ("listen: 'unix:a', listen_socket: { groups: x }", "groups"),
        ("listen_socket: { mode: '0660' }", "belongs to a Unix socket that the gateway makes"),
        ("health_socket: { mode: '0660' }", "belongs to a Unix socket that the gateway makes"),
        ("listen: 'systemd:a', listen_socket: { mode: '0660' }", "that the gateway makes"),
    ] {
        let found = server(text);
        assert!(found.len() == 1 && found[0].contains(says), "{text}: {found:?}");
    }
}

#[test]
fn the_user_of_a_database_stands_in_its_address_or_is_found_elsewhere_and_never_both() {
    let store = |address: &str, user: &str| {
        faults_of(&format!("store: {address}\npostgres: {{ user: {user} }}\n{GOOD}"))
    };
    assert_eq!(store("postgres://h/db", "{ env: THE_USER }"), Vec::<String>::new());
    assert_eq!(store("postgres://h/db", "{ file: user.txt }"), Vec::<String>::new());
    for (address, user, says) in [
        ("postgres://u@h/db", "{ env: THE_USER }", "names a user, and `postgres.user` another one"),
        ("postgres://h/db", "{ env: A, file: b }", "says where the name is, once"),
        ("postgres://h/db", "{}", "says where the name is, once"),
        ("postgres://h/db", "{ env: '' }", "says where the name is, once"),
        ("sqlite:gateway.db", "{ env: A }", "a store that is not used"),
    ] {
        let found = store(address, user);
        assert!(found.len() == 1 && found[0].contains(says), "{address} {user}: {found:?}");
    }
    let neither = faults_of(&format!("store: postgres://h/db\n{GOOD}"));
    assert!(neither[0].contains("names no user"), "{neither:?}");
}

#[test]
fn a_database_is_named_whole_and_without_its_password() {
    let store = |text: &str| faults_of(&format!("store: {text}\n{GOOD}"));
    assert!(store("postgres://u@h/db").is_empty());
    assert!(store("postgresql://u@one,two:5433/db?target_session_attrs=read-write").is_empty());
    assert!(store("postgres://u:pw@h/db")[0].contains("must not be written here"));
    assert!(store("postgres://h/db")[0].contains("names no user"));
    assert!(store("postgres://u@h")[0].contains("names no database"));
    assert!(store("postgres:h/db")[0].contains("not the address of a database"));
    assert!(store("mysql://u@h/db")[0].contains("not a store"));
    let plain = "postgres://u@h/db?sslmode=disable";
    assert!(store(plain)[0].contains("travel in clear"));
    assert!(store(&format!("{plain}\npostgres: {{ allow_plain: true }}")).is_empty());
    assert!(store("postgres://u@127.0.0.1/db?sslmode=disable").is_empty());
    let few = store("postgres://u@h/db\npostgres: { connections: 1 }");
    assert!(few[0].contains("usable number of connections"), "{few:?}");
    let unused = store("sqlite:gateway.db\npostgres: { ca_file: ca.pem }");
    assert!(unused[0].contains("a store that is not used"), "{unused:?}");
}

#[test]
fn an_option_of_another_provider_is_found_at_its_key() {
    let faults = faults_with("provider: github,", "provider: github, user: me,");
    assert!(faults[0].starts_with("8:31+4 `user` does not belong"), "{faults:?}");
    let faults = faults_with("provider: github,", "provider: hmac,");
    assert!(faults[0].starts_with("8:23+4 provider `hmac` needs `header`"), "{faults:?}");
}

#[test]
fn a_route_name_in_several_files_is_a_fault_in_each_that_names_the_others() {
    let site = Site::new(GOOD);
    let push = "routes:\n  push: { on: { source: github }, job: retrain }\n";
    site.write("routes.d/team.yaml", push);
    site.write("routes.d/yet.yaml", format!("\n{push}"));
    site.write("routes.d/.hidden.yaml", "nonsense");
    site.write("routes.d/notes.txt", "nonsense");
    let (report, plan) = site.check();
    assert!(plan.is_none());
    let said: Vec<(&str, Vec<&str>)> = report
        .faults
        .iter()
        .map(|fault| {
            assert_eq!(fault.effect, crate::config::Effect::RouteHeldBack);
            (name_of(&fault.file), fault.also.iter().map(|place| name_of(place)).collect())
        })
        .collect();
    assert_eq!(
        said,
        [
            ("gateway.yaml", vec!["team.yaml:2", "yet.yaml:3"]),
            ("team.yaml", vec!["gateway.yaml:10", "yet.yaml:3"]),
            ("yet.yaml", vec!["gateway.yaml:10", "team.yaml:2"]),
        ]
    );
    let text = report.render(false);
    assert!(text.contains("route `push` is in several files"), "{text}");
    assert!(text.contains("the rest of their files is"), "{text}");
}

#[test]
fn a_file_of_routes_may_hold_nothing_else_and_all_files_are_checked() {
    let site = Site::new(&GOOD.replace("job: retrain\n", "job: [\n"));
    site.write("routes.d/a.yaml", "jobs: {}\nroutes: {}\n");
    site.write("routes.d/b.yaml", "routes:\n\tx: 1\n");
    site.write(
        "routes.d/c.yaml",
        "routes:\n  x: { on: { source: github }, if: boddy, job: retrain }\n",
    );
    site.write("routes.d/d.yaml", "");
    let (report, _) = site.check();
    let messages: Vec<&str> = report.faults.iter().map(|fault| &*fault.message).collect();
    assert_eq!(messages.len(), 4, "{messages:?}");
    assert!(messages[1].contains("unknown key `jobs`"), "{messages:?}");
    assert_eq!(messages[2], "a tab is used for indentation");
    assert!(messages[3].contains("boddy"), "{messages:?}");
}

#[test]
fn what_is_not_used_is_a_warning() {
    let (report, plan) = Site::new(&GOOD[..GOOD.find("routes:").expect("there")]).check();
    assert!(plan.is_some());
    let messages: Vec<&str> = report.warnings.iter().map(|fault| &*fault.message).collect();
    assert_eq!(messages, ["job `retrain` is not used", "source `github` is not used"]);
}

#[test]
fn a_file_that_is_not_there_is_a_fault() {
    let (report, plan) = check(Path::new("/nowhere/gateway.yaml"));
    assert!(plan.is_none());
    assert!(report.render(false).contains("--> /nowhere/gateway.yaml\n"), "{report}");
}

#[test]
fn a_branch_written_as_git_writes_it_in_full_is_told_the_short_form() {
    assert_eq!(
        faults_with("event: push", "branch: refs/heads/main"),
        [
            "11:35+15 a branch or tag is written without `refs/heads/` or `refs/tags/` (write `main`)"
        ]
    );
}

#[test]
fn addresses_and_networks_are_checked() {
    let with = |line: &str| faults_with("provider: github,", &format!("provider: github, {line},"));
    for good in ["203.0.113.7", "10.0.0.0/8", "2001:db8::/32", "[10.0.0.0/8, \"::1\"]"] {
        assert_eq!(with(&format!("allow_from: {good}")), Vec::<String>::new(), "{good}");
    }
    assert_eq!(
        with("allow_from: [10.0.0.0/8, 10.1.2.3/8]"),
        ["8:56+10 `10.1.2.3/8` has bits set beyond its prefix \
          (the network is 10.0.0.0/8; for the one address write 10.1.2.3)"]
    );
    assert!(with("allow_from: example.com")[0].contains("names are not looked up"));
    assert!(with("allow_from: []")[0].contains("leave the key out to accept any address"));
    assert!(with("allow_from: \"::ffff:10.0.0.1\"")[0].contains("write 10.0.0.1"));
}

#[test]
fn nobody_can_trust_every_proxy() {
    let with = |list: &str| faults_of(&format!("server: {{ trusted_proxies: {list} }}\n{GOOD}"));
    assert_eq!(with("[10.0.0.2, \"fd00::/8\"]"), Vec::<String>::new());
    for all in ["0.0.0.0/0", "\"::/0\""] {
        assert!(with(all)[0].contains("would be believed to be any address"), "{all}");
    }
    assert!(with("[]")[0].contains("when there is no proxy"));
    let other = format!("server: {{ proxy_header: x-real-ip }}\n{GOOD}");
    assert!(faults_of(&other)[0].contains("x-forwarded-for"), "{:?}", faults_of(&other));
}

#[test]
fn an_access_token_is_a_reference_or_a_list_of_them() {
    let with = |written: &str| {
        let line = format!("provider: wandb, access_token: {written},");
        faults_with("provider: github,", &line)
    };
    assert_eq!(with("{ env: TOKEN }"), Vec::<String>::new());
    assert_eq!(with("[{ env: NEW }, { file: /run/secrets/old }]"), Vec::<String>::new());
    assert!(with("[]")[0].contains("this list names no token"), "{:?}", with("[]"));
    for literal in ["hush-hush-hush", "[{ env: NEW }, hush-hush-hush]", "[{ env: hush-hush }]"] {
        let faults = with(literal);
        assert_eq!(faults.len(), 1, "{literal}: {faults:?}");
        assert!(!faults[0].contains("hush"), "{faults:?}");
    }
}

#[test]
fn what_a_source_says_of_repeats_is_checked() {
    let with = |line: &str| faults_with("provider: github,", &format!("provider: github, {line},"));
    for good in ["repeats: never", "repeats: { window: 10m }", "repeats: { window: 30d }"] {
        assert_eq!(with(good), Vec::<String>::new());
    }
    for (line, fault) in [
        ("repeats: 7d", "write never, or a section such as { window: 10m }"),
        ("repeats: {}", "`repeats` lacks `window`"),
        ("repeats: { window: 0s }", "this must be more than zero"),
        ("repeats: { window: 31d }", "`window` is more than `retention.keep`"),
        ("repeats: { windw: 7d }", "unknown key `windw` (did you mean `window`?)"),
    ] {
        let found = with(line);
        assert!(found.iter().any(|one| one.contains(fault)), "{line}: {found:?}");
    }
}

#[test]
fn a_source_whose_requests_may_be_alike_is_warned_of_until_it_says_what_a_repeat_is() {
    let warnings = |line: &str| {
        let text = GOOD.replace("provider: github,", &format!("provider: {line},"));
        let (report, plan) = Site::new(&text).check();
        assert!(plan.is_some(), "{line}: {report}");
        let messages = report.warnings.iter().map(|fault| fault.message.clone());
        messages.filter(|message| message.contains("alike")).count()
    };
    assert_eq!(warnings("token, header: X-Token"), 1);
    assert_eq!(warnings("hmac, header: X-Signature"), 1);
    for good in [
        "github",
        "token, header: X-Token, repeats: never",
        "token, header: X-Token, repeats: { window: 10m }",
        "token, header: X-Token, delivery_id: { header: X-Id }",
        "hmac, header: X-Signature, template: \"{timestamp}.{body}\", timestamp_header: X-Time",
    ] {
        assert_eq!(warnings(good), 0, "{good}");
    }
}

#[test]
fn rates_and_event_lists_are_checked() {
    let with = |line: &str| faults_with("provider: github,", &format!("provider: github, {line},"));
    assert_eq!(with("rate: 60/m, events: [push, \"pull_*\"]"), Vec::<String>::new());
    assert!(with("rate: 60")[0].contains("write a whole number from 1"), "{:?}", with("rate: 60"));
    assert!(with("rate: 0/s")[0].contains("is not a rate"));
    assert!(with("events: [\"!push\"]")[0].contains("put \"**\" in front"));
    assert!(with("events: []")[0].contains("`events` is empty"));
}

/// The last part of a path.
fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[test]
fn faults_that_are_not_listed_are_counted() {
    let routes: String = (0..250)
        .map(|n| format!("  r{n}:\n    on: {{ source: github, evnt: push }}\n    job: retrain\n"))
        .collect();
    let (report, _) = Site::new(&format!("{GOOD}{routes}")).check();
    assert_eq!((report.faults.len(), report.more_faults), (201, 50));
    let said = report.render(false);
    assert!(said.contains("250 errors\n"), "{said}");
    assert!(said.contains("error: there are 50 more, which are not listed"), "{said}");
    assert_eq!(said.matches("not listed").count(), 1, "{said}");
    let few = Site::new(&GOOD.replace("event", "evnt")).check().0;
    assert!(!few.render(false).contains("not listed"), "{few}");
}
