"""The pods of both modes, run as processes from their rendered manifests, with PostgreSQL and the simulated workbench, each
in a network namespace where the rendered NetworkPolicies hold."""

import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import chart
import pods
import test_reach
import yaml

KEY, HOOK, TOKEN = (secrets.token_hex(24) for _ in range(3))
ROUTE = """routes:
  {name}:
    on: {{ source: github, event: push, repository: {repository} }}
    job: retrain
    env: {{ GIT_SHA: "${{{{ git.sha }}}}" }}
"""
AT = {"ingress controller": "10.77.0.11", "prometheus": "10.77.0.12", "operators": "10.77.0.13", "a stranger's pod": "10.77.0.14",
      "a pod beside it": "10.77.0.15", "database": "10.77.0.20", "workbench": "10.77.0.30", "issuer": "10.77.0.40"}
CHANGES = {
    "config": {"server": {"trusted_proxies": ["10.77.0.11"]},
               "workbenches": {"main": {"url": "http://cdsw.example.com:8090", "allow_http": True, "ca_file": None}}},
    "routes": {"configMaps": [{"name": "risk-routes", "items": [{"key": "risk.yaml"}]},
                              {"name": "fraud-routes", "items": [{"key": "routes.yaml", "path": "fraud.yaml"}]}]},
    "caBundles": [],
    "shutdown": {"drainSeconds": 2, "graceSeconds": 10},
    "networkPolicy": {"workbenches": [{"to": [{"ipBlock": {"cidr": AT["workbench"] + "/32"}}], "ports": [8090]}],
                      "issuers": [{"to": [{"ipBlock": {"cidr": AT["issuer"] + "/32"}}], "ports": [443]}],
                      "database": [{"to": [{"ipBlock": {"cidr": AT["database"] + "/32"}}], "ports": [5432]}]},
}


class Pods(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pods = pods
        try:
            assert os.geteuid() == 0 and shutil.which("nft") and shutil.which("ip"), "root, nft and ip are needed"
            pods.enter()
        except (AssertionError, OSError, RuntimeError) as error:
            what = f"the pods' processes and their NetworkPolicies: {error}"
            print(f"SKIPPED {what}", file=sys.stderr)
            if "SKIPPED_TESTS_LOG" in os.environ:
                with open(os.environ["SKIPPED_TESTS_LOG"], "a") as log:
                    log.write(what + "\n")
            raise unittest.SkipTest(what) from error
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="gateway-pods."))
        cls.directory.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.program = pathlib.Path(os.environ["GATEWAY"]).resolve()
        cls.names = {"localhost": "127.0.0.1", "cdsw.example.com": AT["workbench"], "postgres.example.com": AT["database"]}
        cls.others = {name: (*test_reach.OTHERS[name][:2], address) for name, address in AT.items()}
        cls.secrets = {"webhooks": {"github": HOOK}, "api-keys": {"alice": KEY}, "admin-tokens": {"ops": TOKEN},
                       "ingest-tokens": {"ops": secrets.token_hex(24)},
                       **{f"database-{user}": {"password": secrets.token_hex(16)} for user in ("edge", "inside", "owner")}}
        pods.sh("ip", "addr", "add", AT["database"] + "/32", "dev", "br0")
        cls.hosts = {name: pods.Host(f"h{number}", AT[name]) for number, name in enumerate(AT) if name != "database"}
        cls.workbench = subprocess.Popen(
            cls.hosts["workbench"].inside(cls.program, "simulate", "--listen", AT["workbench"] + ":8090"),
            env=os.environ | {"WORKBENCH_KEY": KEY}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.workbench.wait)
        cls.addClassCleanup(cls.workbench.kill)
        pods.until("the simulated workbench answers", cls.runs_or_none)

    @classmethod
    def runs_or_none(cls):
        try:
            with urllib.request.urlopen(f"http://{AT['workbench']}:8091/runs", timeout=5) as answer:
                return [json.load(answer)]
        except OSError:
            return None

    def setUp(self):
        self.config_maps = {"risk-routes": {"risk.yaml": ROUTE.format(name="risk", repository="acme/risk")}}
        self.claims = self.directory / self.id().rsplit(".")[-1]
        self.running = []
        self.before = set(self.started())

    def tearDown(self):
        for pod in self.running:
            if pod.process.poll() is None:
                pod.process.kill()
                pod.process.wait()
            pod.log.close()

    number = 100

    def pod(self, objects, component):
        type(self).number += 1
        template = chart.pods(objects)[component]
        pod = self.pods.Pod(f"p{self.number}", f"10.77.0.{self.number}", template, objects, self)
        pod.start()
        self.running.append(pod)
        return pod

    def started(self):
        """What each run of the workbench was given as GIT_SHA."""
        (runs,) = self.runs_or_none()
        return [run["environment"].get("GIT_SHA") for run in runs]

    def load(self, service, pace, *more):
        controller = self.hosts["ingress controller"]
        return subprocess.Popen(
            controller.inside("python3", chart.HERE / "load.py", service, HOOK, pace, chart.ROOT / "tests/common/push.json", *more),
            stdout=subprocess.PIPE, text=True)

    def push(self, pod, *more):
        """One signed push through the Service, by the ingress controller: its status."""
        service = self.directory / "one"
        service.write_text(pod.address)
        return self.load(service, 0, *more).communicate(timeout=60)[0].split()

    def starts(self, sha, count):
        try:
            self.pods.until(f"{count} starts with {sha}", lambda: self.started().count(sha) >= count)
        except AssertionError as error:
            logs = "\n".join(f"{pod.name}: {pod.logged()}" for pod in self.running)
            raise AssertionError(f"{error}; the pods' logs:\n{logs}") from None

    def lists(self, service, pods):
        """The Service's endpoints, as one write."""
        fresh = service.with_suffix(".new")
        fresh.write_text(" ".join(pod.address for pod in pods))
        fresh.rename(service)

    def policies_hold(self, serving):
        """Each pair and port is tried, and the answer is what the evaluator says."""
        tried = set()
        for component, pod in serving.items():
            policies = chart.kind(pod.objects, "NetworkPolicy")
            for name, host in self.hosts.items():
                for port in (8080, 8081, 8082):
                    listens = port != 8080 or component != "dispatch"
                    allowed = listens and test_reach.may(policies, pod.labels, "in", self.others[name], port)
                    self.assertEqual(host.connects(pod.address, port), allowed, f"{name} to {component}:{port}")
                    tried.add(allowed)
            # From within the pod: the workbench listens on 8090, the database on 5432.
            for name, port in (("workbench", 8090), ("database", 5432)):
                if name == "database" and component == "single":
                    continue
                allowed = test_reach.may(policies, pod.labels, "out", self.others[name], port)
                self.assertEqual(pod.connects(AT[name], port), allowed, f"{component} to {name}:{port}")
        self.assertEqual(tried, {True, False})

    def test_the_quick_start_ends_with_a_started_job(self):
        given = yaml.safe_load((chart.CHART / "examples/quick-start.yaml").read_text())
        objects = chart.objects(given)
        self.volume()
        workbench = self.pod(objects, "workbench")
        # Names of Services lead to their pods, and policies know these pods by their labels.
        self.names = self.names | {"workbench": workbench.address}
        self.others = {"workbench": (test_reach.NAMESPACE, workbench.labels, workbench.address),
                       "ingress controller": (test_reach.NAMESPACE, {"app": "sender"}, AT["ingress controller"])}
        pod = self.pod(objects, "single").ready()
        self.assertEqual(self.push(pod)[0], "202")
        def started():
            with urllib.request.urlopen(f"http://{workbench.address}:8091/runs", timeout=5) as answer:
                return [run["environment"]["GIT_SHA"] for run in json.load(answer)]
        self.pods.until("the job is started", lambda: started() == [f"{1:040x}"])

    # What a page's values name, at the addresses of this machine and without TLS.
    HERE = {key: CHANGES[key] for key in ("config", "shutdown", "networkPolicy")}

    def page(self, name, *changes):
        """The objects of the values that a page for newcomers shows; test_sites.py holds the page against the file."""
        given = yaml.safe_load((chart.CHART / f"examples/{name}.yaml").read_text())
        return chart.objects(chart.merged(given, self.HERE, *changes))

    def test_the_page_for_one_process_ends_with_a_started_job(self):
        self.volume()
        pod = self.pod(self.page("single"), "single").ready()
        self.assertEqual(self.push(pod)[0], "202")
        self.starts(f"{1:040x}", 1)

    def test_the_page_for_ingest_and_dispatch_ends_with_a_started_job(self):
        objects = self.page("replicas", {"postgres": {"options": {"allow_plain": True}}})
        self.database()
        job = self.pod(objects, "migrate")
        self.assertEqual(job.process.wait(60), 0, job.logged())
        self.pod(objects, "dispatch").ready()
        ingest = self.pod(objects, "ingest").ready()
        self.assertEqual(self.push(ingest)[0], "202")
        self.starts(f"{1:040x}", 1)
        self.assertFalse(ingest.holds(KEY), "an ingest process has the API key in its memory")

    def volume(self):
        """The claim of mode single, as a provisioner and the kubelet leave it."""
        claim = self.claims / "data"
        claim.mkdir(parents=True)
        os.chown(claim, 0, self.pods.GID)
        claim.chmod(0o2775)

    def test_single_starts_a_job_takes_a_teams_file_and_keeps_its_data(self):
        given = chart.merged(chart.values("single"), CHANGES)
        objects = chart.objects(given)
        self.volume()
        pod = self.pod(objects, "single").ready()
        self.assertEqual(self.push(pod)[0], "202")
        self.starts(f"{1:040x}", 1)
        # A team without routes so far: its ConfigMap comes, and then changes.
        self.assertEqual(self.push(pod, "acme/fraud")[0], "200")
        self.config_maps["fraud-routes"] = {"routes.yaml": ROUTE.format(name="fraud", repository="acme/fraud")}
        pod.refresh()
        self.pods.until("the new file is in force", lambda: self.push(pod, "acme/fraud")[0] == "202")
        self.policies_hold({"single": pod})
        pod.stop()
        again = self.pod(objects, "single").ready()
        self.assertEqual(self.push(again)[0], "202")

    def test_replicas_migrate_start_jobs_roll_and_lose_nothing(self):
        given = chart.merged(chart.values("replicas"), CHANGES, {"postgres": {"options": {"ca_file": None, "allow_plain": True}}})
        objects = chart.objects(given)
        self.database()
        job = self.pod(objects, "migrate")
        self.assertEqual(job.process.wait(60), 0, job.logged())
        dispatch = [self.pod(objects, "dispatch") for _ in range(2)]
        ingest = [self.pod(objects, "ingest") for _ in range(2)]
        for pod in dispatch + ingest:
            pod.ready()
        self.assertEqual(self.push(ingest[0])[0], "202")
        self.starts(f"{1:040x}", 1)
        # The search finds the key where it is, so that it would find it where it must not be.
        self.assertTrue(any(pod.holds(KEY) for pod in dispatch))
        for pod in ingest:
            self.assertFalse(pod.holds(KEY), "an ingest process has the API key in its memory")
            self.assertFalse(pod.holds(TOKEN), "an ingest process has dispatch's admin token in its memory")
        self.policies_hold({"ingest": ingest[0], "dispatch": dispatch[0]})
        # Everything is replaced, one by one, under load.
        service = self.directory / "service"
        self.lists(service, ingest)
        load = self.load(service, 0.05, "acme/risk")
        try:
            for old in list(ingest):
                ingest.append(self.pod(objects, "ingest").ready())
                self.lists(service, ingest)
                ingest.remove(old)
                self.lists(service, ingest)
                old.stop()
            for old in list(dispatch):
                self.pod(objects, "dispatch").ready()
                old.stop()
        finally:
            service.unlink()
            answers = [line.split() for line in load.communicate(timeout=60)[0].splitlines()]
        self.assertGreater(len(answers), 50)
        self.assertEqual({status for status, _ in answers}, {"202"})
        self.pods.until("all are started", lambda: {sha for _, sha in answers} <= set(self.started()), 120)
        counted = self.started()
        # The first sha was pushed once before.
        twice = [sha for _, sha in answers[1:] if counted.count(sha) > 1]
        self.assertEqual(twice, [])

    def database(self):
        """PostgreSQL with the three logins that docs/kubernetes-roles.md makes, asked for their passwords."""
        server = subprocess.Popen([str(chart.ROOT / "tests/postgres.sh")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  env=os.environ | {"POSTGRES_SETTINGS": "listen_addresses = '*'\nport = 5432"})
        def end():
            server.communicate(timeout=60)
        self.addCleanup(end)
        ready, url, programs, place = server.stdout.readline().split()
        self.assertEqual(ready, "ready")
        self.port = 5432
        superuser = f"postgres://tests@127.0.0.1:{self.port}/postgres"
        with open(f"{place}/data/pg_hba.conf", "a") as rules:
            rules.write("host all all 10.77.0.0/24 scram-sha-256\n")
        text = (chart.ROOT / "docs/kubernetes-roles.md").read_text()
        statements = text.split("```sql\n")[1].split("```")[0]
        for user in ("owner", "edge", "inside"):
            statements = statements.replace("'…'", f"'{self.secrets['database-' + user]['password']}'", 1)
        self.pods.sh("psql", "--quiet", "--set", "ON_ERROR_STOP=1", superuser, input=statements + "SELECT pg_reload_conf();")


if __name__ == "__main__":
    unittest.main()
