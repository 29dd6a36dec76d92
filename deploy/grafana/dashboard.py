#!/usr/bin/env python3
"""Writes the dashboard: deploy/grafana/dashboard.py > deploy/grafana/cdsw-gateway.json

A panel is a title, a description, a unit and its queries. Counters and histograms are those of one process, so they
are added up. The gauges of runs, pauses and jobs come from the store, which all processes share, so that each process
that starts jobs shows the same number: of those, the largest is taken.

`job` is a label of Prometheus itself (the scrape job). It keeps the gateway's own label of that name as
`exported_job`, unless `honor_labels` is set.
"""

import json
import sys

RATE = "[$__rate_interval]"
I = 'instance=~"$instance"'
S = I + ', source=~"$source"'
J = I + ', exported_job=~"$job"'
WIDTH = 24


def quantiles(metric):
    """The median, and the times that one in 20 and one in 100 exceeds."""
    buckets = f"sum by (le) (rate(cdsw_gateway_{metric}_bucket{{{I}}}{RATE}))"
    return [(f"histogram_quantile({q}, {buckets})", name) for q, name in
            [("0.5", "median"), ("0.95", "95 %"), ("0.99", "99 %")]]


ROWS = [
    ("At a glance", 4, [
        ("Processes", "stat", "short", "Processes that answer the scrape, by role. `all` receives and starts.",
         [(f"count by (role) (cdsw_gateway_role_info{{{I}}})", "{{role}}")]),
        ("Deliveries a minute", "stat", "short", "Authentic deliveries that were kept, repeats included.",
         [(f'60 * sum(rate(cdsw_gateway_deliveries_total{{{S}, verdict=~"accepted|unmatched|repeat|handshake"}}{RATE}))', "kept")]),
        ("Starts a minute", "stat", "short", "Start requests that the workbench confirmed.",
         [(f'60 * sum(rate(cdsw_gateway_attempts_total{{{J}, outcome="started"}}{RATE}))', "started")]),
        ("Runs held", "stat", "short", "Runs that wait for a person's word: see `runs list --state held`.",
         [(f'max(cdsw_gateway_runs{{{I}, state="held"}})', "held")]),
        ("Oldest queued run", "stat", "s", "Age of the oldest run that is queued, counted from its delivery.",
         [(f'max(cdsw_gateway_oldest_run_seconds{{{I}, state="queued"}})', "oldest")]),
        ("Paused", "stat", "short", "Jobs, routes, API keys and the stop switch that are paused: see `jobs paused`.",
         [(f"max(cdsw_gateway_pauses{{{I}}})", "paused")]),
        ("Faults in files", "stat", "short", "Faults of the configuration files on disk. Faulty files are not in force: see `check`.",
         [(f"max(cdsw_gateway_config_faults{{{I}}})", "faults")]),
        ("Store faults in a day", "stat", "short", "Failed uses of the store within the last day. Senders were told 503.",
         [(f"sum(increase(cdsw_gateway_store_faults_total{{{I}}}[1d]))", "faults")]),
    ]),
    ("Traffic", 8, [
        ("Requests by verdict", "timeseries", "reqps", "What became of the requests to all chosen sources. `not_kept` and `overloaded` were answered with 503, `limited` with 429.",
         [(f"sum by (verdict) (rate(cdsw_gateway_deliveries_total{{{S}}}{RATE}))", "{{verdict}}")]),
        ("Requests by source", "timeseries", "reqps", "Requests of each source, whatever became of them.",
         [(f"sum by (source) (rate(cdsw_gateway_deliveries_total{{{S}}}{RATE}))", "{{source}}")]),
        ("Refusals by reason", "timeseries", "reqps", "Requests that were not authentic or could not be read: see `deliveries refused SOURCE`.",
         [(f"sum by (source, reason) (rate(cdsw_gateway_refusals_total{{{S}}}{RATE}))", "{{source}} {{reason}}")]),
        ("Runs by route", "timeseries", "ops", "Runs of new deliveries, by the route that matched.",
         [(f"sum by (route) (rate(cdsw_gateway_matches_total{{{I}}}{RATE}))", "{{route}}")]),
        ("Secrets that proved deliveries", "timeseries", "reqps", "Which secret of its source proved a delivery, counted from 0. A secret that stays at 0 for as long as its sender may be silent can be dropped.",
         [(f"sum by (source, secret) (rate(cdsw_gateway_secret_matches_total{{{S}}}{RATE}))", "{{source}} secret {{secret}}")]),
        ("Published keys", "timeseries", "short", "Fetches of published keys and confirmations of subscriptions within 10 minutes, by host and outcome.",
         [(f"sum by (host, outcome) (increase(cdsw_gateway_issuer_fetches_total{{{I}}}[10m]))", "{{host}} {{outcome}}")]),
        ("Age of published keys", "timeseries", "s", "Time since the published keys in use were fetched, by host. They are fetched every hour.",
         [(f"time() - max by (host) (cdsw_gateway_issuer_fetched_seconds{{{I}}})", "{{host}}")]),
        ("Unusual deliveries in an hour", "timeseries", "short", "Deliveries that had the id of another one and other content, and deliveries with a secret of their source in them.",
         [(f"sum by (source) (increase(cdsw_gateway_deliveries_same_id_total{{{S}}}[1h]))", "{{source}} same id"),
          (f"sum by (source) (increase(cdsw_gateway_secrets_removed_total{{{S}}}[1h]))", "{{source}} secret removed")]),
    ]),
    ("Queue", 8, [
        ("Runs that wait, by state", "timeseries", "short", "Runs of all jobs that have not ended: waiting for a newer one, queued, being sent, or held.",
         [(f"max by (state) (cdsw_gateway_runs{{{I}}})", "{{state}}")]),
        ("Queued runs by job", "timeseries", "short", "Queued runs of each job.",
         [(f'max by (exported_job) (cdsw_gateway_job_runs{{{J}, state="queued"}})', "{{exported_job}}")]),
        ("Oldest queued run by job", "timeseries", "s", "Age of each job's oldest queued run, counted from its delivery; 0 where none is queued.",
         [(f'max by (exported_job) (cdsw_gateway_job_oldest_run_seconds{{{J}, state="queued"}})', "{{exported_job}}")]),
        ("Backlog", "timeseries", "short", "Runs that waited for a pause or an outage and are still queued, and those whose deadline is before their queue's expected end.",
         [(f"max by (exported_job) (cdsw_gateway_backlog_runs{{{J}}})", "{{exported_job}} backlog"),
          (f"max by (exported_job) (cdsw_gateway_runs_expected_late{{{J}}})", "{{exported_job}} late")]),
        ("Pace of a backlog", "timeseries", "short", "Starts a minute that a job's queue is released at; 0 where it has no pace.",
         [(f"max by (exported_job) (cdsw_gateway_backlog_starts_per_minute{{{J}}})", "{{exported_job}}")]),
        ("Time until a backlog ends", "timeseries", "s", "Time until the last of a job's queued runs is expected to start; 0 where its queue has no pace.",
         [(f"clamp_min(max by (exported_job) (cdsw_gateway_backlog_expected_end_seconds{{{J}}}) - time(), 0)", "{{exported_job}}")]),
    ]),
    ("Outcomes", 8, [
        ("Attempts by outcome", "timeseries", "ops", "What each start request came to. `unknown`: nobody knows whether the job was started.",
         [(f"sum by (outcome) (rate(cdsw_gateway_attempts_total{{{J}}}{RATE}))", "{{outcome}}")]),
        ("Attempts that did not start, by job", "timeseries", "ops", "Attempts of each job that did not certainly start it.",
         [(f'sum by (exported_job, outcome) (rate(cdsw_gateway_attempts_total{{{J}, outcome!="started"}}{RATE}))', "{{exported_job}} {{outcome}}")]),
        ("Runs settled", "timeseries", "ops", "What became of runs, and why: started, failed, held or cancelled.",
         [(f"sum by (state, cause) (rate(cdsw_gateway_runs_settled_total{{{J}}}{RATE}))", "{{state}}: {{cause}}")]),
        ("Failed within a day", "timeseries", "short", "Runs that failed within the last day and nobody has queued again, by job.",
         [(f"max by (exported_job) (cdsw_gateway_runs_failed_lately{{{J}}})", "{{exported_job}}")]),
        ("Failed runs by cause, in an hour", "timeseries", "short", "Runs that failed within the last hour, over all jobs, by cause.",
         [(f"sum by (cause) (increase(cdsw_gateway_runs_failed_total{{{I}}}[1h]))", "{{cause}}")]),
        ("Held by brake or configuration, in an hour", "timeseries", "short", "Runs that a job's brake held, and runs that the configuration does not ask for.",
         [(f"sum by (exported_job) (increase(cdsw_gateway_braked_runs_total{{{J}}}[1h]))", "{{exported_job}} brake"),
          (f"sum by (exported_job) (increase(cdsw_gateway_not_asked_runs_total{{{J}}}[1h]))", "{{exported_job}} not asked for")]),
    ]),
    ("Held and paused", 8, [
        ("Held runs by job", "timeseries", "short", "Runs of each job that wait for a person's word.",
         [(f'max by (exported_job) (cdsw_gateway_job_runs{{{J}, state="held"}})', "{{exported_job}}")]),
        ("Oldest held run by job", "timeseries", "s", "Age of each job's oldest held run, counted from its delivery; 0 where none is held.",
         [(f'max by (exported_job) (cdsw_gateway_job_oldest_run_seconds{{{J}, state="held"}})', "{{exported_job}}")]),
        ("Held for too long", "timeseries", "short", "Runs that have been held for longer than `server.hold_alert`.",
         [(f"max(cdsw_gateway_held_too_long{{{I}}})", "held too long")]),
        ("What is paused", "timeseries", "short", "1 for each job, route, API key and stop switch that is paused. Nothing is drawn while nothing is paused.",
         [(f"max by (kind, name) (cdsw_gateway_paused{{{I}}})", "{{kind}} {{name}}")]),
        ("Circuit breakers", "timeseries", "short", "1 while a workbench's circuit breaker is open or half-open, so that its runs wait.",
         [(f"max by (workbench) (cdsw_gateway_circuit_breaker_open{{{I}}})", "{{workbench}}")]),
        ("Refused keys and opened breakers, in an hour", "timeseries", "short", "Times within an hour that a workbench refused an API key, or its circuit breaker opened.",
         [(f"sum by (key) (increase(cdsw_gateway_keys_refused_total{{{I}}}[1h]))", "{{key}} refused"),
          (f"sum by (workbench) (increase(cdsw_gateway_circuit_breaker_opened_total{{{I}}}[1h]))", "{{workbench}} opened")]),
    ]),
    ("Latency", 8, [
        ("Accepting a delivery", "timeseries", "s", "From a delivery's head to its answer. It holds the commit to the store.", quantiles("accept_duration_seconds")),
        ("One start request", "timeseries", "s", "From sending a start to knowing its outcome: the workbench's time.", quantiles("attempt_duration_seconds")),
        ("From delivery to start", "timeseries", "s", "From accepting a delivery to knowing that its run was started: waits, pauses and retries included.", quantiles("start_delay_seconds")),
    ]),
    ("Store and configuration", 8, [
        ("Size of the store", "timeseries", "bytes", "The store's pages in use. Retention keeps it below `retention.max_size`.",
         [(f"max(cdsw_gateway_store_bytes{{{I}}})", "in use")]),
        ("Retention, in an hour", "timeseries", "short", "Deliveries that retention removed, and those whose content it gave up since the store is at its size bound.",
         [(f"sum(increase(cdsw_gateway_deliveries_removed_total{{{I}}}[1h]))", "removed"),
          (f"sum(increase(cdsw_gateway_deliveries_stripped_total{{{I}}}[1h]))", "content given up")]),
        ("Store faults", "timeseries", "ops", "Failed uses of the store, by process.",
         [(f"sum by (instance) (rate(cdsw_gateway_store_faults_total{{{I}}}{RATE}))", "{{instance}}")]),
        ("Age of the configuration", "timeseries", "s", "Time since files last came into force, by process and version.",
         [(f"(time() - cdsw_gateway_config_loaded_seconds{{{I}}}) * on (instance) group_left (config) cdsw_gateway_config_info{{{I}}}", "{{instance}} {{config}}")]),
        ("Clock of the workbenches", "timeseries", "s", "How far each workbench's clock is ahead of the gateway's.",
         [(f"max by (workbench) (cdsw_gateway_workbench_clock_ahead_seconds{{{I}}})", "{{workbench}}")]),
        ("Sources without published keys", "timeseries", "short", "Configured addresses of published keys that could not be fetched so far. What they sign is answered with 503.",
         [(f"max(cdsw_gateway_issuers_without_keys{{{I}}})", "without keys")]),
    ]),
    ("Processes, by role", 8, [
        ("Processor", "timeseries", "percentunit", "Processor time of each process; 1 is one core.",
         [(f"rate(process_cpu_seconds_total{{{I}}}{RATE}) * on (instance) group_left (role) cdsw_gateway_role_info{{{I}}}", "{{role}} {{instance}}")]),
        ("Memory", "timeseries", "bytes", "Memory of each process that is in RAM.",
         [(f"process_resident_memory_bytes{{{I}}} * on (instance) group_left (role) cdsw_gateway_role_info{{{I}}}", "{{role}} {{instance}}")]),
        ("File descriptors in use", "timeseries", "percentunit", "Open file descriptors of each process, as a part of those that it may have.",
         [(f"process_open_fds{{{I}}} / process_max_fds{{{I}}} * on (instance) group_left (role) cdsw_gateway_role_info{{{I}}}", "{{role}} {{instance}}")]),
        ("Requests in flight", "timeseries", "short", "Webhook requests being received, by process. Bound: `server.requests_in_flight`.",
         [(f"cdsw_gateway_requests_in_flight{{{I}}}", "{{instance}}")]),
        ("Bytes in flight", "timeseries", "bytes", "Bytes of webhook bodies being received, by process. Bound: `server.bytes_in_flight`.",
         [(f"cdsw_gateway_requests_in_flight_bytes{{{I}}}", "{{instance}}")]),
        ("Open connections", "timeseries", "short", "Open connections, by process and listener.",
         [(f"cdsw_gateway_connections{{{I}}}", "{{instance}} {{listener}}")]),
        ("Connections that the gateway ended", "timeseries", "ops", "Connections that were not taken or were closed, by listener and reason.",
         [(f"sum by (listener, end) (rate(cdsw_gateway_connections_ended_total{{{I}}}{RATE}))", "{{listener}} {{end}}")]),
        ("Health checks and wrong tokens", "timeseries", "reqps", "Requests for /healthz of the listener for webhooks, and requests to the admin listener with a token that is not configured.",
         [(f"sum(rate(cdsw_gateway_hooks_health_checks_total{{{I}}}{RATE}))", "health checks"),
          (f"sum(rate(cdsw_gateway_wrong_admin_tokens_total{{{I}}}{RATE}))", "wrong tokens")]),
        ("Versions", "stat", "short", "Processes by version of the program.",
         [(f"count by (version) (cdsw_gateway_build_info{{{I}}})", "{{version}}")]),
    ]),
]

VARIABLES = [
    ("instance", "Process", "label_values(cdsw_gateway_role_info, instance)"),
    ("source", "Source", "label_values(cdsw_gateway_deliveries_total, source)"),
    ("job", "Job", "label_values(cdsw_gateway_job_runs, exported_job)"),
]


def panel(number, kind, title, description, unit, queries, place):
    source = {"type": "prometheus", "uid": "${datasource}"}
    instant = kind == "stat"
    targets = [
        {"datasource": source, "expr": expr, "instant": instant, "legendFormat": legend, "range": not instant,
         "refId": chr(ord("A") + index)}
        for index, (expr, legend) in enumerate(queries)
    ]
    made = {
        "datasource": source,
        "description": description,
        "fieldConfig": {"defaults": {"min": 0, "unit": unit}, "overrides": []},
        "gridPos": place,
        "id": number,
        "targets": targets,
        "title": title,
        "type": kind,
    }
    if "clock" in title.lower():
        del made["fieldConfig"]["defaults"]["min"]
    if kind == "stat":
        made["options"] = {"colorMode": "none", "reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value_and_name" if "{{" in queries[0][1] else "value"}
    else:
        made["fieldConfig"]["defaults"]["custom"] = {"fillOpacity": 10, "showPoints": "never"}
        made["options"] = {"legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom"},
                           "tooltip": {"mode": "multi", "sort": "desc"}}
    return made


def panels():
    made, top = [], 0
    for row, height, contents in ROWS:
        made.append({"collapsed": False, "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": top}, "id": len(made) + 1,
                     "panels": [], "title": row, "type": "row"})
        top += 1
        width = 3 if height == 4 else 8
        left = 0
        for title, kind, unit, description, queries in contents:
            if left + width > WIDTH:
                left, top = 0, top + height
            place = {"h": height, "w": width, "x": left, "y": top}
            made.append(panel(len(made) + 1, kind, title, description, unit, queries, place))
            left += width
        top += height
    return made


def variable(name, label, query):
    return {
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "definition": query,
        "includeAll": True,
        "label": label,
        "multi": True,
        "name": name,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "type": "query",
    }


def dashboard():
    datasource = {"label": "Data source", "name": "datasource", "query": "prometheus", "type": "datasource"}
    return {
        "annotations": {"list": []},
        "description": "Webhooks that cdsw-gateway receives, and the jobs that it starts. docs/operations.md explains the metrics, docs/runbooks what to do.",
        "editable": True,
        "graphTooltip": 1,
        "links": [],
        "panels": panels(),
        "refresh": "30s",
        "schemaVersion": 39,
        "tags": ["cdsw-gateway"],
        "templating": {"list": [datasource] + [variable(*each) for each in VARIABLES]},
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "title": "cdsw-gateway",
        "uid": "cdsw-gateway",
    }


if __name__ == "__main__":
    json.dump(dashboard(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
