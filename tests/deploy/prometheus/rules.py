#!/usr/bin/env python3
"""Every alert of deploy/prometheus/rules.yaml fires when it must, does not when it must not, and resolves.

    tests/deploy/prometheus/rules.py    # needs promtool

A case is a story in steps of a minute, or of a quarter of an hour for the long ones: series as promtool writes them,
when the alert must fire and with which labels, and when it must not. promtool evaluates the rules at each step.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy/prometheus/rules.yaml"
RUNBOOKS = ROOT / "docs/runbooks"
# Of the long stories, in steps of a quarter of an hour.
STEP, HOUR, DAY, WEEK = 15, 4, 96, 672


def case(alert, story, series, fires, labels="", quiet=()):
    return dict(alert=alert, story=story, series=series, fires=fires, labels=labels, quiet=quiet)


def deliveries(verdict, values, source="github", instance="a"):
    labels = f'source="{source}", verdict="{verdict}", instance="{instance}", job="gw"'
    return (f"cdsw_gateway_deliveries_total{{{labels}}}", values)


def metric(name, labels, values, instance="a"):
    labels = ", ".join(filter(None, [labels, f'instance="{instance}", job="gw"']))
    return (f"cdsw_gateway_{name}{{{labels}}}", values)


def role(role, values, instance="a"):
    return metric("role_info", f'role="{role}"', values, instance)


def secret(number, values):
    return metric("secret_info", f'source="github", secret="{number}"', values)


CASES = [
    case("CdswGatewayNobodyReceives", "the only ingest process is gone, and comes back",
         [role("ingest", "1x9 _x10 1x30"), role("dispatch", "1x60", "b")], [18], quiet=[9, 22]),
    case("CdswGatewayNobodyReceives", "one of two is gone: the other one receives",
         [role("ingest", "1x9"), role("ingest", "1x60", "b")], [], quiet=[15, 30]),
    case("CdswGatewayNobodyStarts", "the only dispatch process is gone, and comes back",
         [role("ingest", "1x60"), role("dispatch", "1x9 _x10 1x30", "b")], [18], quiet=[9, 22]),
    case("CdswGatewayNobodyStarts", "roles were changed from all to two: somebody starts jobs",
         [role("all", "1x9"), role("dispatch", "_x9 1x60", "b"), role("ingest", "_x9 1x60", "c")], [], quiet=[20, 40]),
    case("CdswGatewayReplicaMissing", "a process that answered does not answer, and answers again",
         [('up{instance="a", job="gw"}', "1x9 0x10 1x30"), role("all", "1x9 _x10 1x30")], [17],
         'instance="a", job="gw", severity="warning"', [12, 22]),
    case("CdswGatewayReplicaMissing", "a target of another program is down",
         [('up{instance="db", job="postgres"}', "0x60"), role("all", "1x60")], [], quiet=[30]),
    case("CdswGatewayOverloaded", "requests are refused for want of room, then no more",
         [deliveries("overloaded", "0x4 3x30"), deliveries("accepted", "0+5x60")], [6, 10], quiet=[3, 25]),
    case("CdswGatewayOverloaded", "connections are not taken",
         [metric("connections_ended_total", 'listener="hooks", end="not_taken"', "0x4 9x30")], [8], quiet=[3, 25]),
    case("CdswGatewayFewDescriptors", "descriptors run out, then are given back",
         [('process_open_fds{instance="a", job="gw"}', "10x4 95x20 10x30"), ('process_max_fds{instance="a", job="gw"}', "100x60"),
          role("all", "1x60")], [15], quiet=[7, 30]),
    case("CdswGatewayFewDescriptors", "those of another program run out",
         [('process_open_fds{instance="b", job="db"}', "95x60"), ('process_max_fds{instance="b", job="db"}', "100x60"),
          role("all", "1x60")], [], quiet=[30]),
    case("CdswGatewayWrongTokens", "somebody guesses tokens, then stops",
         [metric("wrong_admin_tokens_total", "", "0x4 0+5x10 50x30")], [10], quiet=[4, 40]),
    case("CdswGatewayWrongTokens", "a person mistypes one", [metric("wrong_admin_tokens_total", "", "0x4 2x60")], [], quiet=[10]),
    case("CdswGatewayStoreRefuses", "the store fails once, and works again",
         [metric("store_faults_total", "", "0x4 1x30")], [6], 'instance="a", severity="critical"', [4, 15]),
    case("CdswGatewayStoreRefuses", "deliveries of one of two processes are not kept",
         [deliveries("not_kept", "0x4 2x30", instance="b"), deliveries("not_kept", "0x30")], [6],
         'instance="b", severity="critical"', [4, 15]),
    case("CdswGatewayOnlyRefusals", "each request is refused until the secret is mended",
         [deliveries("refused", "0x4 0+1x30 30x60"), deliveries("accepted", "0x40 0+1x60")], [25],
         'source="github", severity="warning"', [4, 75]),
    case("CdswGatewayOnlyRefusals", "a stranger is refused beside the sender",
         [deliveries("refused", "0+2x60"), deliveries("accepted", "0+0.2x60")], [], quiet=[40]),
    case("CdswGatewaySourceUnusable", "its secret cannot be read, then can",
         [metric("refusals_total", 'source="github", reason="no_secret"', "0x4 4x30")], [6],
         'source="github", reason="no_secret", severity="critical"', [4, 20]),
    case("CdswGatewaySourceUnusable", "signatures are wrong",
         [metric("refusals_total", 'source="github", reason="bad_signature"', "0x4 4x30")], [], quiet=[6]),
    case("CdswGatewayIssuerWithoutKeys", "keys cannot be fetched, then are",
         [metric("issuers_without_keys", "", "0x4 1x20 0x20")], [20], quiet=[10, 30]),
    case("CdswGatewayPublishedKeysOld", "the issuer is down for seven hours, and is back",
         [metric("issuer_fetched_seconds", 'host="ci.example.com"', f"0x{7 * 60} {7 * 3600}x120")], [6 * 60 + 30],
         'host="ci.example.com", instance="a", severity="warning"', [5 * 60, 7 * 60 + 30]),
    case("CdswGatewayHeldTooLong", "a run is held for too long, and is settled; two processes tell of it",
         [metric("held_too_long", "", "0x4 1x20 0x20"), metric("held_too_long", "", "0x4 1x20 0x20", "b")], [15],
         'severity="warning"', [8, 30]),
    case("CdswGatewayKeyRefused", "a key is refused, and changes; two processes tell of it",
         [metric("paused", 'kind="key", name="main/alice"', "_x4 1x20 _x20"), metric("paused", 'kind="key", name="main/alice"', "_x4 1x20 _x20", "b")],
         [10], 'name="main/alice", severity="critical"', [4, 32]),
    case("CdswGatewayKeyRefused", "a job is paused", [metric("paused", 'kind="job", name="retrain"', "1x60")], [], quiet=[30]),
    case("CdswGatewayBreakerOpen", "a breaker is open for long, and closes",
         [metric("circuit_breaker_open", 'workbench="main"', "0x4 1x30 0x20")], [20], 'workbench="main", severity="warning"', [10, 40]),
    case("CdswGatewayBacklogGrows", "the queue of a job grows for two hours, and is worked off",
         [metric("job_runs", 'exported_job="retrain", state="queued"', "5x30 5+1x120 125-5x25"),
          metric("job_runs", 'exported_job="retrain", state="queued"', "5x30 5+1x120 125-5x25", "b")], [100],
         'exported_job="retrain", severity="warning"', [50, 176]),
    case("CdswGatewayBacklogGrows", "the queue is long, and becomes shorter",
         [metric("job_runs", 'exported_job="retrain", state="queued"', "500-1x200")], [], quiet=[100, 199]),
    case("CdswGatewayRunsWaitTooLong", "a run waits for more than an hour, and is started",
         [metric("job_oldest_run_seconds", 'exported_job="retrain", state="queued"', "0+60x90 0x30")], [80],
         'exported_job="retrain", severity="warning"', [50, 100]),
    case("CdswGatewayRunsWaitTooLong", "the job is paused by a person",
         [metric("job_oldest_run_seconds", 'exported_job="retrain", state="queued"', "0+60x90"),
          metric("paused", 'kind="job", name="retrain"', "1x90")], [], quiet=[80]),
    case("CdswGatewayRunsWaitTooLong", "all starts are paused by a person",
         [metric("job_oldest_run_seconds", 'exported_job="retrain", state="queued"', "0+60x90"),
          metric("paused", 'kind="all", name=""', "1x90")], [], quiet=[80]),
    case("CdswGatewayRunsWaitTooLong", "another job is paused",
         [metric("job_oldest_run_seconds", 'exported_job="retrain", state="queued"', "0+60x90"),
          metric("paused", 'kind="job", name="report"', "1x90")], [80], 'exported_job="retrain", severity="warning"', [50]),
    case("CdswGatewayRunsExpectedLate", "deadlines are before the queue's end, then no more",
         [metric("runs_expected_late", 'exported_job="retrain"', "0x4 7x20 0x20")], [15],
         'exported_job="retrain", severity="warning"', [7, 30]),
    case("CdswGatewayRunsFail", "a run fails, and no other one",
         [metric("runs_settled_total", 'exported_job="retrain", state="failed", cause="attempt"', "0x4 1x60"),
          metric("runs_settled_total", 'exported_job="retrain", state="failed", cause="attempt"', "0x60", "b")], [6],
         'exported_job="retrain", cause="attempt", severity="warning"', [4, 30]),
    case("CdswGatewayRunsFail", "a person gives a run up, and others start",
         [metric("runs_settled_total", 'exported_job="retrain", state="failed", cause="person"', "0x4 1x60"),
          metric("runs_settled_total", 'exported_job="retrain", state="started", cause="attempt"', "0+1x60")], [], quiet=[6]),
    case("CdswGatewayWorkbenchClock", "a workbench's clock is behind, and is set",
         [metric("workbench_clock_ahead_seconds", 'workbench="main"', "0x4 -300x30 0x20")], [20],
         'workbench="main", severity="warning"', [10, 40]),
    case("CdswGatewayConfigurationNotInForce", "a file is faulty on one of two processes, and is mended",
         [metric("config_faults", "", "0x4 2x20 0x20"), metric("config_faults", "", "0x60", "b")], [15],
         'instance="a", severity="warning"', [7, 30]),
    case("CdswGatewayConfigurationsDiffer", "one of two ingest processes keeps old files, and gets the new ones",
         [role("ingest", "1x90"), role("ingest", "1x90", "b"),
          metric("config_info", 'config="old"', "1x10 _x80"), metric("config_info", 'config="new"', "_x10 1x80"),
          metric("config_info", 'config="old"', "1x50 _x40", "b"), metric("config_info", 'config="new"', "_x50 1x40", "b")],
         [40], 'job="gw", role="ingest", severity="warning"', [15, 60]),
    case("CdswGatewayConfigurationsDiffer", "roles have files of their own",
         [role("ingest", "1x90"), role("dispatch", "1x90", "b"), metric("config_info", 'config="x"', "1x90"),
          metric("config_info", 'config="y"', "1x90", "b")], [], quiet=[60]),
    case("CdswGatewayStoreFull", "retention gives content up, then has room",
         [metric("deliveries_stripped_total", "", "0x4 20x90")], [10], quiet=[4, 80]),
]

# In steps of a quarter of an hour.
LONG_CASES = [
    case("CdswGatewayNothingArrives", "a source that sent each hour stops, and starts again",
         [deliveries("accepted", f"0+2x{WEEK} {2 * WEEK}x{8 * HOUR} {2 * WEEK}+5x{2 * HOUR}")], [WEEK + 7 * HOUR],
         'source="github", severity="warning"', [WEEK + HOUR, WEEK + 10 * HOUR]),
    case("CdswGatewayNothingArrives", "a source is as silent as it was a week ago",
         [deliveries("accepted", f"0x{WEEK + 8 * HOUR}")], [], quiet=[WEEK + 7 * HOUR]),
    case("CdswGatewayNothingArrives", "all deliveries come by another process since",
         [deliveries("accepted", f"0+2x{WEEK} {2 * WEEK}x{8 * HOUR}"),
          deliveries("accepted", f"0x{WEEK} 0+2x{8 * HOUR}", instance="b")], [], quiet=[WEEK + 7 * HOUR]),
    case("CdswGatewayOldSecretInUse", "both secrets prove deliveries for a week, then one alone",
         [metric("secret_matches_total", 'source="github", secret="0"', f"0+1x{12 * DAY}"),
          metric("secret_matches_total", 'source="github", secret="1"', f"0+1x{9 * DAY} {9 * DAY}x{3 * DAY}"),
          secret(0, f"1x{12 * DAY}"), secret(1, f"1x{12 * DAY}")],
         [8 * DAY], 'source="github", severity="info"', [3 * DAY, 11 * DAY]),
    case("CdswGatewayOldSecretUnused", "the old secret proves nothing for a week, and is dropped",
         [metric("secret_matches_total", 'source="github", secret="0"', f"0+1x{10 * DAY}"),
          metric("secret_matches_total", 'source="github", secret="1"', f"0+1x{DAY} {DAY}x{8 * DAY + 4 * HOUR}"),
          secret(0, f"1x{10 * DAY}"), secret(1, f"1x{9 * DAY}")],
         [8 * DAY + 2 * HOUR], 'source="github", secret="1", severity="info"', [6 * DAY, 9 * DAY + 2 * HOUR]),
    case("CdswGatewayOldSecretUnused", "a new secret has been there for two hours",
         [metric("secret_matches_total", 'source="github", secret="0"', f"0+1x{8 * DAY}"),
          metric("secret_matches_total", 'source="github", secret="1"', f"_x{8 * DAY - 2 * HOUR} 0x{2 * HOUR}"),
          secret(0, f"1x{8 * DAY}"), secret(1, f"_x{8 * DAY - 2 * HOUR} 1x{2 * HOUR}")],
         [], quiet=[8 * DAY]),
    case("CdswGatewayPausedForLong", "a job is forgotten, and resumed",
         [metric("paused", 'kind="job", name="retrain"', f"_x4 1x{DAY + HOUR} _x{HOUR}")], [DAY + 5],
         'kind="job", name="retrain", severity="info"', [HOUR, DAY + HOUR + 6]),
]


def promtool_test(case, step):
    """A case as promtool reads it: which alerts of that name fire at each moment."""
    name = case["alert"]
    asked = f'ALERTS{{alertname="{name}", alertstate="firing"}}'

    def at(moment, firing):
        labels = case["labels"]
        samples = [{"labels": f'ALERTS{{alertname="{name}", alertstate="firing", {labels}}}', "value": 1}]
        if not labels:
            count = [{"labels": "{}", "value": 1}]
            return {"expr": f"count({asked})", "eval_time": f"{moment * step}m", "exp_samples": count if firing else []}
        return {"expr": asked, "eval_time": f"{moment * step}m", "exp_samples": samples if firing else []}

    return {
        "name": f"{name}: {case['story']}",
        "interval": f"{step}m",
        "input_series": [{"series": series, "values": values} for series, values in case["series"]],
        "promql_expr_test": [at(moment, True) for moment in case["fires"]]
        + [at(moment, False) for moment in case["quiet"]],
    }


def promtool(*arguments):
    made = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
    if made.returncode:
        sys.exit(f"promtool {' '.join(map(str, arguments))}:\n{made.stdout}{made.stderr}")


def evaluate(cases, step):
    with tempfile.TemporaryDirectory(prefix="rules-") as directory:
        made = Path(directory) / "test.yaml"
        tests = [promtool_test(case, step) for case in cases]
        asked = {"rule_files": [str(RULES)], "evaluation_interval": f"{step}m", "tests": tests}
        made.write_text(json.dumps(asked, indent=1))
        promtool("test", "rules", made)


def addresses_of_runbooks(text):
    """Every `runbook_url` is the address that the file sets once, and a page that names the alert."""
    start = """'{{ with query "cdsw_gateway:runbooks" }}{{ . | first | label "address" }}{{ end }}/"""
    made = re.compile(re.escape(start) + r"(\S+\.md)'")
    for rule in text.split("- alert: ")[1:]:
        alert, url = rule.split()[0], re.search(r"runbook_url: (.*)", rule)
        page = url and made.fullmatch(url[1])
        if not page:
            sys.exit(f"{alert}: its runbook_url is not the address of the runbooks and a page")
        file = RUNBOOKS / page[1]
        if not file.exists() or f"`{alert}`" not in file.read_text():
            sys.exit(f"{alert}: {file} does not name it")


def evaluate_address(text):
    """An alert that fires has the address that was set before the name of its page."""
    address = "https://runbooks.example.com/gateway"
    set_once = text.replace("address: docs/runbooks }", f"address: {address} }}")
    assert set_once.count(address) == 1, "the address of the runbooks is set in one place"
    fires = {"exp_labels": {"severity": "critical"}, "exp_annotations": {
        "summary": "No process receives webhooks",
        "description": "A process that receives webhooks was there within the last day, and none answers the scrape now.",
        "runbook_url": f"{address}/nobody-receives.md"}}
    series, values = role("ingest", "1x9 _x20")
    with tempfile.TemporaryDirectory(prefix="rules-") as directory:
        (Path(directory) / "rules.yaml").write_text(set_once)
        test = {"interval": "1m", "input_series": [{"series": series, "values": values}],
                "alert_rule_test": [{"eval_time": "18m", "alertname": "CdswGatewayNobodyReceives", "exp_alerts": [fires]}]}
        made = Path(directory) / "test.yaml"
        made.write_text(json.dumps({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}))
        promtool("test", "rules", made)


def main():
    promtool("check", "rules", RULES)
    addresses_of_runbooks(RULES.read_text())
    evaluate_address(RULES.read_text())
    alerts = re.findall(r"^ +- alert: (\S+)$", RULES.read_text(), re.M)
    cases = CASES + LONG_CASES
    for what, tested in [("fires", {case["alert"] for case in cases if case["fires"]}),
                         ("does not fire", {case["alert"] for case in cases if case["quiet"]})]:
        missing = set(alerts) ^ tested
        if missing:
            sys.exit(f"there is no case in which this alert {what}, or no such alert: {', '.join(sorted(missing))}")
    evaluate(CASES, 1)
    evaluate(LONG_CASES, STEP)
    print(f"{len(alerts)} alerts fire and resolve as they must, in {len(cases)} cases")


if __name__ == "__main__":
    main()
