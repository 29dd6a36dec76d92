//! Names of what is configured are completed in a shell.

use std::path::Path;

use super::common::Site;
use super::run;
use super::stage::ROUTES;

/// What bash offers at the end of a command line, by the script of `completions`.
fn bash_offers(directory: &Path, line: &[&str]) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_cdsw-gateway"));
    let path = std::env::var("PATH").expect("a path");
    let path = format!("{}:{path}", program.parent().expect("a directory").display());
    let asked = "source ./completions; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                 [[ $(complete -p cdsw-gateway) =~ -F\\ ([^ ]+) ]] || exit 9; \
                 \"${BASH_REMATCH[1]}\" \"$1\" \"${!#}\" \"${COMP_WORDS[COMP_CWORD-1]}\"; \
                 printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = std::process::Command::new("bash");
    bash.args(["--norc", "-c", asked, "bash"]).args(line).current_dir(directory);
    bash.env("PATH", path).env_remove("CDSW_GATEWAY_CONFIG");
    let ended = bash.output().expect("bash is here");
    assert!(ended.status.success() && ended.stderr.is_empty(), "{line:?}: {ended:?}");
    let offered = String::from_utf8(ended.stdout).expect("UTF-8");
    offered.lines().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_names_of_the_configuration_and_reads_no_secret_for_them() {
    let site = Site::new("http://127.0.0.1:9", ROUTES);
    let here = site.directory.path();
    let script = run(here, &["completions", "bash"]).with(0).stdout;
    std::fs::write(here.join("completions"), script).expect("written");
    std::fs::remove_dir_all(here.join("secrets")).expect("no secret is left to read");
    for (line, wanted) in [
        (&["cdsw-gateway", "jobs", "pause", "ret"] as &[&str], &["retrain"] as &[&str]),
        (&["cdsw-gateway", "jobs", "resume", ""], &["report", "retrain"]),
        (&["cdsw-gateway", "routes", "pause", "rep"], &["report-on-develop"]),
        (&["cdsw-gateway", "keys", "pause", "main"], &["main/alice"]),
        (&["cdsw-gateway", "workbenches", "resume", ""], &["main"]),
        (&["cdsw-gateway", "explain", "--json", "gith"], &["github"]),
        (&["cdsw-gateway", "deliveries", "list", "--source", "gitl"], &["gitlab"]),
        (&["cdsw-gateway", "runs", "list", "--state", "he"], &["held"]),
        (&["cdsw-gateway", "runs", "list", "--state", "=", "su"], &["superseded"]),
        (&["cdsw-gateway", "sample", "bitbucket-s"], &["bitbucket-server"]),
        (&["cdsw-gateway", "sample", "github", "pul"], &["pull_request"]),
        (&["cdsw-gateway", "deliver"], &["deliveries"]),
    ] {
        assert_eq!(bash_offers(here, line), wanted, "{line:?}");
    }
    std::fs::write(here.join("gateway.yaml"), "jobs: [").expect("written");
    let offered = bash_offers(here, &["cdsw-gateway", "jobs", "pause", ""]);
    assert!(!offered.contains(&"retrain".to_owned()), "a broken file offers nothing: {offered:?}");
}
