"""What must hold of every object that the chart makes, over the matrix of values."""

import json
import subprocess
import tempfile
import unittest
import warnings

import jsonschema
import kubernetes_validate
import yaml

import chart
import matrix

# The oldest that the chart takes, one between, the newest that the validator knows.
MINORS = ("1.30", "1.34", "1.37")
CRDS = {"ServiceMonitor", "PrometheusRule", "HTTPRoute"}
# What the test sites' values name and somebody else makes.
EXISTING = {
    "Secret": {"webhooks", "api-keys", "admin-tokens", "ingest-tokens", "database-edge", "database-inside", "database-owner",
               "registry", "hooks-tls"},
    "ConfigMap": {"corp-ca", "risk-routes", "fraud-routes", "pricing-routes", "our-config", "more"},
    "PersistentVolumeClaim": {"kept"},
}


class Objects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cases = {name: (given, chart.objects(given, apis=matrix.apis(given))) for name, given in matrix.cases().items()}

    def each(self):
        for self.case, (given, all_objects) in self.cases.items():
            yield given, all_objects

    case = ""

    def _formatMessage(self, message, standard):  # unittest's own hook: which values a failure belongs to
        return f"{self.case}: {super()._formatMessage(message, standard)}"

    def test_each_is_valid_in_three_minor_versions(self):
        unknown = set()
        for _, all_objects in self.each():
            for found in all_objects:
                if found["kind"] in CRDS:
                    schema = json.loads((chart.HERE / "crds" / f"{found['kind']}.json").read_text())
                    jsonschema.validate(found, schema)
                    unknown.add(found["kind"])
                    continue
                for minor in MINORS:
                    # A kind that the validator does not know is an error here, not a warning.
                    kubernetes_validate.validate(found, minor, strict=True)
        self.assertEqual(unknown, CRDS)

    def test_no_key_is_written_twice(self):
        class Strict(yaml.SafeLoader):
            pass
        def once(loader, node, deep=False):
            keys = [loader.construct_object(key, deep) for key, _ in node.value]
            assert len(keys) == len(set(keys)), f"a key twice among {keys}, line {node.start_mark.line}"
            return yaml.SafeLoader.construct_mapping(loader, node, deep)
        Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, once)
        for given, _ in self.each():
            list(yaml.load_all(chart.text(given, apis=matrix.apis(given)), Strict))

    def test_names_are_unique_and_short_enough_with_the_longest_release_name(self):
        for given, _ in self.each():
            seen = set()
            for found in chart.objects(given, release="r" * 53, apis=matrix.apis(given)):
                name = found["metadata"]["name"]
                # A StatefulSet's pods have `-0` behind the name, and its revision's hash stands in a label.
                self.assertLessEqual(len(name), 63 - 11 * (found["kind"] == "StatefulSet"), name)
                self.assertNotIn((found["kind"], name), seen)
                seen.add((found["kind"], name))
                for value in found["metadata"].get("labels", {}).values():
                    self.assertLessEqual(len(value), 63)

    def test_selectors_select_their_own_pods_and_no_others(self):
        for _, all_objects in self.each():
            pods = chart.pods(all_objects)
            for found in all_objects:
                if found["kind"] in ("Deployment", "StatefulSet"):
                    labels = found["spec"]["template"]["metadata"]["labels"]
                    self.assertTrue(chart.selects(found["spec"]["selector"], labels))
                    taken = [name for name, pod in pods.items()
                             if chart.selects(found["spec"]["selector"], pod["metadata"]["labels"])]
                    self.assertEqual(taken, [labels["app.kubernetes.io/component"]])
                if found["kind"] in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
                    selector = found["spec"].get("podSelector", found["spec"].get("selector"))
                    taken = [name for name, pod in pods.items() if chart.selects(selector, pod["metadata"]["labels"])]
                    self.assertEqual(len(taken), 1, f"{found['kind']} {found['metadata']['name']} selects {taken}")

    def test_services_lead_to_ports_that_pods_have_by_name(self):
        for _, all_objects in self.each():
            for service in chart.kind(all_objects, "Service"):
                for pod in chart.pods(all_objects).values():
                    if not chart.selects(service["spec"]["selector"], pod["metadata"]["labels"]):
                        continue
                    ports = {port["name"]: port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}
                    for port in service["spec"]["ports"]:
                        self.assertIn(port["targetPort"], ports)

    def test_what_faces_outside_leads_to_the_hooks_service_and_path_alone(self):
        seen = 0
        for _, all_objects in self.each():
            for ingress in chart.kind(all_objects, "Ingress"):
                for rule in ingress["spec"]["rules"]:
                    for path in rule["http"]["paths"]:
                        seen += 1
                        self.assertEqual((path["path"], path["pathType"]), ("/hooks", "Prefix"))
                        service = chart.named(all_objects, "Service", path["backend"]["service"]["name"])
                        self.assertEqual(service["spec"]["ports"][0]["targetPort"], "hooks")
                self.assertNotIn("defaultBackend", ingress["spec"])
            for route in chart.kind(all_objects, "HTTPRoute"):
                for rule in route["spec"]["rules"]:
                    seen += 1
                    self.assertEqual([m["path"] for m in rule["matches"]], [{"type": "PathPrefix", "value": "/hooks"}])
                    for backend in rule["backendRefs"]:
                        service = chart.named(all_objects, "Service", backend["name"])
                        self.assertEqual([(p["port"], p["targetPort"]) for p in service["spec"]["ports"]],
                                         [(backend["port"], "hooks")])
        self.assertEqual(seen, 4)

    def test_each_reference_leads_to_an_object_or_to_one_that_the_site_names(self):
        for _, all_objects in self.each():
            made = {(found["kind"], found["metadata"]["name"]): found for found in all_objects}
            def leads(kind, name, keys=()):
                if (kind, name) in made:
                    for key in keys:
                        self.assertIn(key, made[kind, name].get("data", {}), f"{kind} {name}")
                else:
                    self.assertIn(name, EXISTING.get(kind, ()), kind)
            for pod in chart.pods(all_objects).values():
                for volume in pod["spec"]["volumes"]:
                    for source in volume.get("projected", {}).get("sources", []):
                        for which, of in (("configMap", "ConfigMap"), ("secret", "Secret")):
                            if which in source:
                                leads(of, source[which]["name"], [i["key"] for i in source[which].get("items", [])])
                    if "configMap" in volume:
                        leads("ConfigMap", volume["configMap"]["name"])
                    if "persistentVolumeClaim" in volume:
                        leads("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])
                volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
                for maker in chart.kind(all_objects, "StatefulSet"):
                    volumes |= {claim["metadata"]["name"] for claim in maker["spec"].get("volumeClaimTemplates", [])}
                for mount in pod["spec"]["containers"][0]["volumeMounts"]:
                    self.assertIn(mount["name"], volumes)
                account = pod["spec"].get("serviceAccountName")
                self.assertTrue(account in (None, "default") or ("ServiceAccount", account) in made)

    def test_pods_are_restricted(self):
        for _, all_objects in self.each():
            for pod in chart.pods(all_objects).values():
                spec = pod["spec"]
                self.assertIs(spec["automountServiceAccountToken"], False)
                self.assertIs(spec["enableServiceLinks"], False)
                context = spec["securityContext"]
                self.assertIs(context["runAsNonRoot"], True)
                self.assertEqual((context["runAsUser"], context["fsGroup"]), (65532, 65532))
                self.assertEqual(context["seccompProfile"], {"type": "RuntimeDefault"})
                self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & set(spec))
                for container in spec["containers"]:
                    context = container["securityContext"]
                    self.assertIs(context["allowPrivilegeEscalation"], False)
                    self.assertIs(context["readOnlyRootFilesystem"], True)
                    self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
                    self.assertTrue(all("subPath" not in mount for mount in container["volumeMounts"]))
                    self.assertTrue(container["resources"]["limits"] and container["resources"]["requests"])

    def test_secret_files_are_closed_to_others_and_readable_by_the_group(self):
        for _, all_objects in self.each():
            for pod in chart.pods(all_objects).values():
                for volume in pod["spec"]["volumes"]:
                    if volume["name"] in ("webhooks", "api-keys", "admin-tokens", "ingest-tokens", "database"):
                        self.assertEqual(volume["projected"]["defaultMode"], 0o440)

    def test_ingest_has_no_api_key_and_no_admin_token_and_dispatch_no_webhook_secret(self):
        secrets = {"ingest": {"webhooks", "ingest-tokens", "database-edge"},
                   "dispatch": {"api-keys", "admin-tokens", "database-inside"},
                   "migrate": {"database-owner"},
                   "single": {"webhooks", "api-keys", "admin-tokens"}}
        for _, all_objects in self.each():
            for component, pod in chart.pods(all_objects).items():
                mounted = {source["secret"]["name"] for volume in pod["spec"]["volumes"]
                           for source in volume.get("projected", {}).get("sources", []) if "secret" in source}
                self.assertEqual(mounted, secrets[component])
                self.assertNotIn("secretKeyRef", json.dumps(pod))

    def test_each_role_has_its_own_user_in_the_database(self):
        _, all_objects = self.cases["replicas"]
        users = {}
        for component, pod in chart.pods(all_objects).items():
            for volume in pod["spec"]["volumes"]:
                if volume["name"] == "config":
                    sources = volume.get("projected", {}).get("sources") or [{"configMap": volume["configMap"]}]
                    key = sources[0]["configMap"].get("items", [{"key": "gateway.yaml"}])[0]["key"]
                    config = chart.named(all_objects, "ConfigMap", sources[0]["configMap"]["name"])["data"][key]
                    config = yaml.safe_load(config)
                    self.assertEqual(config["store"], "postgres://postgres.example.com:5432/gateway")
                    env = {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}
                    users[component] = env[config["postgres"]["user"]["env"]]
        self.assertEqual(users, {"ingest": "gateway_edge", "dispatch": "gateway_inside", "migrate": "gateway_owner"})
        config = chart.named(all_objects, "ConfigMap", "-config")
        self.assertEqual(list(config["data"]), ["gateway.yaml"], "one file for all")

    def test_rights_are_granted_before_the_first_pods_and_after_those_of_an_upgrade(self):
        given = chart.values("replicas")
        def jobs(change, upgrade=False):
            found = chart.kind(chart.objects(chart.merged(given, change), upgrade=upgrade), "Job")
            return [(job["metadata"].get("annotations", {}).get("helm.sh/hook"),
                     "--roles" in job["spec"]["template"]["spec"]["containers"][0]["args"]) for job in found]
        before = "pre-install,pre-upgrade"
        self.assertEqual(jobs({}), [(before, True)])
        self.assertEqual(jobs({}, upgrade=True), [(before, False), ("post-upgrade", True)])
        self.assertEqual(jobs({"migration": {"roles": False}}, upgrade=True), [(before, False)])
        self.assertEqual(jobs({"migration": {"hook": False}}, upgrade=True), [(None, True)])
        job = chart.named(chart.objects(given), "Job")
        args = job["spec"]["template"]["spec"]["containers"][0]["args"]
        self.assertEqual(args[-5:], ["--roles", "--ingest-login", "gateway_edge", "--dispatch-login", "gateway_inside"])

    def test_pods_have_time_to_stop(self):
        for given, all_objects in self.each():
            shutdown = chart.merged({"drainSeconds": 10, "graceSeconds": 30}, given.get("shutdown", {}))
            drain, grace = shutdown["drainSeconds"], shutdown["graceSeconds"]
            for component, pod in chart.pods(all_objects).items():
                if component == "migrate":
                    continue
                # gateway::longest_stop, by docs/operations.md.
                longest = drain + grace + max(grace, 5) + 6
                self.assertGreater(pod["spec"]["terminationGracePeriodSeconds"], longest)
                self.assertLess(pod["spec"]["terminationGracePeriodSeconds"], longest + 10)
            for found in chart.kind(all_objects, "ConfigMap"):
                for key in ("gateway.yaml",):
                    config = yaml.safe_load(found.get("data", {}).get(key, "{}"))
                    if "server" in config:
                        self.assertEqual(config["server"]["shutdown_grace"], f"{grace}s")
                        self.assertEqual(config["server"]["drain"], f"{drain}s")

    def test_probes_ask_for_health_alone(self):
        for _, all_objects in self.each():
            for component, pod in chart.pods(all_objects).items():
                if component == "migrate":
                    continue
                container = pod["spec"]["containers"][0]
                ports = {port["name"]: port["containerPort"] for port in container["ports"]}
                paths = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
                for probe, path in paths.items():
                    self.assertEqual(container[probe]["httpGet"]["path"], path)
                    self.assertEqual(container[probe]["httpGet"]["port"], "health")
                self.assertEqual(ports["health"], 8082)
                # A commit may wait for as long as a statement may.
                self.assertGreaterEqual(container["readinessProbe"]["timeoutSeconds"], 5)

    def test_alerts_and_dashboard_are_those_of_deploy_with_the_sites_runbooks(self):
        for mode in ("single", "replicas"):
            all_objects = self.cases[f"{mode}-everything"][1]
            rule = chart.named(all_objects, "PrometheusRule")
            ours = yaml.safe_load((chart.ROOT / "deploy/prometheus/rules.yaml").read_text())
            ours["groups"][0]["rules"][0]["labels"]["address"] = "https://docs.example.com/runbooks"
            self.assertEqual(rule["spec"], ours)
            self.assertEqual(rule["metadata"]["labels"]["release"], "prometheus")
            dashboard = chart.named(all_objects, "ConfigMap", "-dashboard")
            self.assertEqual(dashboard["data"]["cdsw-gateway.json"], (chart.ROOT / "deploy/grafana/cdsw-gateway.json").read_text())
            self.assertEqual(dashboard["metadata"]["labels"]["grafana_dashboard"], "1")
            self.assertEqual([found for found in self.cases[mode][1] if found["kind"] == "PrometheusRule"
                              or found["metadata"]["name"].endswith("-dashboard")], [])

    def test_the_monitor_scrapes_the_health_port_and_no_other(self):
        for mode in ("single", "replicas"):
            all_objects = self.cases[f"{mode}-everything"][1]
            monitor = chart.named(all_objects, "ServiceMonitor")
            scraped = [service for service in chart.kind(all_objects, "Service")
                       if chart.selects(monitor["spec"]["selector"], service["metadata"]["labels"])]
            self.assertEqual(len(scraped), 1 if mode == "single" else 2)
            for service in scraped:
                self.assertEqual([(port["name"], port["targetPort"]) for port in service["spec"]["ports"]], [("health", "health")])

    def test_single_is_one_pod_that_a_drain_may_take(self):
        for name, (_, all_objects) in self.cases.items():
            if name.startswith("single"):
                self.assertEqual(chart.named(all_objects, "StatefulSet")["spec"]["replicas"], 1)
                self.assertEqual(chart.kind(all_objects, "PodDisruptionBudget") + chart.kind(all_objects, "Deployment"), [])

    def test_autoscaling_and_a_number_of_replicas_exclude_each_other(self):
        ingest = chart.named(self.cases["replicas-autoscaled"][1], "Deployment", "-ingest")
        scaler = chart.named(self.cases["replicas-autoscaled"][1], "HorizontalPodAutoscaler")
        self.assertNotIn("replicas", ingest["spec"])
        self.assertEqual(scaler["spec"]["scaleTargetRef"]["name"], ingest["metadata"]["name"])
        self.assertEqual(chart.named(self.cases["replicas"][1], "Deployment", "-ingest")["spec"]["replicas"], 2)

    def test_the_migration_needs_nothing_that_the_release_makes(self):
        _, all_objects = self.cases["replicas"]
        job, config = chart.named(all_objects, "Job"), chart.named(all_objects, "ConfigMap", "-migrate")
        weights = [int(found["metadata"]["annotations"]["helm.sh/hook-weight"]) for found in (config, job)]
        self.assertLess(*weights)
        for found in (job, config):
            self.assertEqual(found["metadata"]["annotations"]["helm.sh/hook"], "pre-install,pre-upgrade")
        self.assertNotIn("serviceAccountName", job["spec"]["template"]["spec"])
        self.assertLess(job["spec"]["activeDeadlineSeconds"], 300)
        plain = chart.named(self.cases["replicas-job"][1], "Job")
        self.assertNotIn("annotations", plain["metadata"])
        self.assertNotEqual(plain["metadata"]["name"], job["metadata"]["name"])

    def test_a_changed_route_restarts_nothing_and_a_changed_listener_does(self):
        for mode in ("single", "replicas"):
            given = chart.values(mode)
            def sums(change):
                return [pod["metadata"]["annotations"]["checksum/start-config"] for name, pod
                        in chart.pods(chart.objects(chart.merged(given, change))).items() if name != "migrate"]
            route = {"config": {"routes": {"a": {"on": {"source": "github"}, "job": "retrain"}}}}
            team = {"routes": {"files": {"a.yaml": "routes: {}"}}}
            self.assertEqual(sums({}), sums(route))
            self.assertEqual(sums({}), sums(team))
            for change in ({"config": {"server": {"body_limit": "1MiB"}}}, {"shutdown": {"graceSeconds": 31}}):
                self.assertTrue(all(a != b for a, b in zip(sums({}), sums(change), strict=True)))

    def test_teams_files_lie_beside_gateway_yaml_and_may_be_missing(self):
        for component in ("single",):
            pod = chart.pods(self.cases["single"][1])[component]
            volume = next(each for each in pod["spec"]["volumes"] if each["name"] == "config")
            teams = [source["configMap"] for source in volume["projected"]["sources"][1:]]
            self.assertEqual([item["path"] for team in teams for item in team["items"]],
                             ["routes.d/risk.yaml", "routes.d/fraud.yaml", "routes.d/pricing.yaml"])
            self.assertTrue(all(team["optional"] for team in teams))

    def test_routes_in_values_keep_their_on_with_and_without_quotes(self):
        for key in ("on", '"on"'):
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as more:
                more.write("config: { routes: { a: { %s: { source: github }, job: retrain } } }" % key)
                more.flush()
                done = subprocess.run([str(chart.HELM), "template", "gw", str(chart.CHART), "--kube-version", "1.31.0", "--values",
                                       str(chart.HERE / "values/single.yaml"), "--values", more.name], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("      a:\n        job: retrain\n        \"on\":\n          source: github\n", done.stdout)

    def test_numbers_of_a_configuration_keep_their_digits(self):
        given = chart.merged(chart.values("single"), {"config": {"jobs": {"retrain": {"job": 12345678}}}})
        written = chart.named(chart.objects(given), "ConfigMap", "-config")["data"]["gateway.yaml"]
        self.assertIn("job: 12345678\n", written)

    def test_checkov_finds_nothing_that_has_no_reason(self):
        for mode in ("single", "replicas"):
            path = chart.ROOT / "target" / f"chart-{mode}.yaml"
            path.write_text(yaml.safe_dump_all(self.cases[mode][1]))
            done = subprocess.run([str(chart.ROOT / "target/deploy-tools/venv/bin/checkov"), "--framework", "kubernetes",
                                   "--config-file", str(chart.HERE / "checkov.yaml"), "-f", str(path), "-o", "json"],
                                  capture_output=True, text=True)
            result = json.loads(done.stdout)
            self.assertGreater(result["summary"]["passed"], 50)
            self.assertEqual([(check["check_id"], check["resource"], check["check_name"])
                              for check in result["results"]["failed_checks"]], [])


if __name__ == "__main__":
    unittest.main()
