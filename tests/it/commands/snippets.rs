//! The page of snippets for orchestrators: each of its programs is run against a real gateway. Twice with one id, which
//! must start one run, and then with another id, which must start another.

use std::process::{Command, Stdio};

use super::common::Site;
use super::common::process::Serving;
use super::common::skip::skip;

const PAGE: &str = include_str!("../../../docs/snippets.md");
const FLOWS: &str = "whsec_QSBzYW1wbGUgc2VjcmV0IHRoYXQgcHJvdmVzIG5vdGhpbmc=";
const JENKINS: &str = "canary-token-of-jenkins";

/// The blocks of the page in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let starts = PAGE.split(fence.as_str()).skip(1);
    starts.map(|rest| rest.split_once("```").expect("the block ends").0).collect()
}

/// The lines below a key of the page's configuration.
fn part(key: &str) -> String {
    let yaml = format!("\n{}", blocks("yaml")[0]);
    let from = yaml.split_once(&format!("\n{key}:\n")).expect("a key").1.to_owned();
    from.lines()
        .take_while(|line| line.is_empty() || line.starts_with(' '))
        .fold(String::new(), |all, line| all + line + "\n")
}

fn site() -> Site {
    let site = Site::new("http://127.0.0.1:9", &part("routes"));
    site.private("flows", FLOWS);
    site.private("jenkins", JENKINS);
    let usual = std::fs::read_to_string(site.config()).expect("read");
    site.write_config(&usual.replace("\nsources:\n", &format!("\nsources:\n{}", part("sources"))));
    site
}

fn is_there(program: &str) -> bool {
    let mut tried = Command::new(program);
    tried.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    let is_there = tried.status().is_ok_and(|status| status.success());
    if !is_there {
        skip(&format!("{program} is not here"));
    }
    is_there
}

/// Runs a program with this text on its standard input, and gives what it printed.
fn run(program: &str, text: &str, variables: &[(&str, &str)]) -> String {
    use std::io::Write as _;

    let mut child = Command::new(program)
        .arg(if program == "sh" { "-s" } else { "-" })
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
    let ended = child.wait_with_output().expect("it ends");
    let (said, failed) =
        (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{said}\n{failed}");
    said.into_owned()
}

/// What the gateway answered to two deliveries with one id and to one with another.
fn check(answers: [serde_json::Value; 3]) {
    let [first, again, other] = answers;
    assert_eq!(first["runs"].as_array().map(Vec::len), Some(1), "{first}");
    assert_eq!(first["runs"][0]["route"], "retrain-after-features");
    assert_eq!(
        (&again["duplicate"], &again["delivery"]),
        (&true.into(), &first["delivery"]),
        "{again}"
    );
    assert_eq!(other["runs"].as_array().map(Vec::len), Some(1), "{other}");
    assert_ne!(other["delivery"], first["delivery"]);
}

/// How each hook is called, with a run of this id.
const CALLS: [(&str, &str); 3] = [
    ("tell_of_flow", "tell_of_flow(N(name=\"features\"), N(id=ID), None)"),
    ("tell_of_run", "tell_of_run(ID, \"features\")"),
    (
        "tell_of_dag_run",
        "tell_of_dag_run({\"dag_run\": N(dag_id=\"features\", run_id=ID, end_date=None)})",
    ),
];

#[test]
fn each_python_snippet_starts_one_run_for_each_id() {
    if !is_there("python3") {
        return;
    }
    let site = site();
    let gateway = Serving::on(&site);
    let url = format!("http://{}/hooks/flows", gateway.hooks);
    let snippets = blocks("python");
    assert_eq!(snippets.len(), 1 + CALLS.len());
    for (name, call) in CALLS {
        let hook = snippets.iter().find(|text| text.contains(&format!("def {name}("))).expect(name);
        let calls: String = ["run-1", "run-1", "run-2"]
            .map(|id| format!("print(json.dumps({}))\n", call.replace("ID", &format!("\"{id}\""))))
            .concat();
        let program =
            format!("{}\n{hook}\nfrom types import SimpleNamespace as N\n{calls}", snippets[0]);
        let said = run("python3", &program, &[("GATEWAY_URL", &url), ("GATEWAY_SECRET", FLOWS)]);
        let mut answers = said.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        check(std::array::from_fn(|_| answers.next().expect("an answer")));
    }
}

#[test]
fn the_lines_for_jenkins_start_one_run_for_each_build() {
    if !is_there("curl") {
        return;
    }
    let site = site();
    let gateway = Serving::on(&site);
    let url = format!("http://{}/hooks/jenkins", gateway.hooks);
    let lines = blocks("bash,walked")[0];
    let send = |build: &str| {
        let variables = [("GATEWAY_URL", &*url), ("GATEWAY_TOKEN", JENKINS), ("BUILD_TAG", build)];
        serde_json::from_str(&run("sh", lines, &variables)).expect("JSON")
    };
    check(["job-1", "job-1", "job-2"].map(send));
}
