"""What the chart takes and what it refuses."""

import json
import re
import subprocess
import unittest

import yaml

import chart
import matrix


class Values(unittest.TestCase):
    def refused(self, base, change, *words):
        with self.assertRaises(chart.Refused) as caught:
            chart.text(chart.merged(chart.values(base), change))
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_lint_is_content_with_both_modes(self):
        for mode in ("single", "replicas"):
            done = subprocess.run([str(chart.HELM), "lint", "--strict", str(chart.CHART), "--values",
                                   str(chart.HERE / "values" / f"{mode}.yaml")], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_misspelt_value_is_refused_at_every_depth(self):
        def misspell(node, path):
            """Each place where the chart's own values have a section that is closed."""
            yield path
            for key, value in node.items():
                if isinstance(value, dict):
                    yield from misspell(value, path + [key])
        schema = json.loads((chart.CHART / "values.schema.json").read_text())
        open_by_design = []
        tried = 0
        for path in misspell(yaml.safe_load((chart.CHART / "values.yaml").read_text()), []):
            at = schema
            for key in path:
                at = at.get("properties", {}).get(key, {})
            if at.get("additionalProperties") is not False:
                open_by_design.append(".".join(path))
                continue
            change = {"misspelt": "value"}
            for key in reversed(path):
                change = {key: change}
            with self.subTest(path=path):
                self.refused("single", change, "misspelt")
                tried += 1
        self.assertGreater(tried, 35)
        # Objects that Kubernetes defines, or names that a person gives.
        allowed = re.compile(r"(resources|limits|requests|podAnnotations|podLabels|nodeSelector|affinity|annotations|labels|"
                             r"podSecurityContext|seccompProfile|securityContext|capabilities|commonLabels|files)$")
        self.assertEqual([path for path in open_by_design if not allowed.search(path)], [])

    def test_replicas_needs_a_database_and_each_users_secret(self):
        self.refused("replicas", {"postgres": {"host": ""}}, "/postgres/host")
        for user in ("ingest", "dispatch", "owner"):
            self.refused("replicas", {"postgres": {user: {"existingSecret": ""}}}, f"/postgres/{user}/existingSecret")

    def test_policies_need_their_peers_written(self):
        self.refused("single", {"networkPolicy": {"workbenches": []}}, "/networkPolicy/workbenches")
        self.refused("single", {"networkPolicy": {"hooks": {"from": []}}}, "/networkPolicy/hooks/from")
        self.refused("replicas", {"networkPolicy": {"database": []}}, "/networkPolicy/database")

    def test_what_the_chart_writes_cannot_be_configured_beside_it(self):
        for key in ("listen", "admin", "shutdown_grace"):
            self.refused("single", {"config": {"server": {key: "1"}}}, "/config/server")
        self.refused("single", {"config": {"store": "sqlite:x"}}, "store")
        self.refused("single", {"existingConfigMap": "ours"}, "/config")

    def test_a_password_in_values_is_refused(self):
        self.refused("replicas", {"postgres": {"password": "x"}}, "password")
        self.refused("replicas", {"postgres": {"ingest": {"password": "x"}}}, "password")

    def test_wrong_kinds_and_half_settings_are_refused(self):
        self.refused("single", {"mode": "cluster"}, "/mode")
        self.refused("single", {"ingress": {"enabled": True}}, "/ingress/hosts")
        self.refused("single", {"httpRoute": {"enabled": True}}, "/httpRoute/")
        self.refused("single", {"image": {"digest": "latest"}}, "/image/digest")
        self.refused("single", {"routes": {"files": {"../gateway.yaml": ""}}}, "../gateway.yaml")
        self.refused("single", {"single": {"extraVolumeMounts": [{"name": "a", "mountPath": "/a", "subPath": "b"}]}},
                     "/single/extraVolumeMounts/0")
        self.refused("single", {"caBundles": [{"configMap": "a", "secret": "b"}]}, "/caBundles/0")

    def test_kinds_of_the_operator_follow_the_render_mode(self):
        wanted = {"serviceMonitor": {"enabled": True}}
        self.refused("single", wanted, "does not know monitoring.coreos.com/v1/ServiceMonitor")
        for mode, count in (("skipIfMissing", 0), ("alwaysRender", 1)):
            given = chart.merged(chart.values("single"), wanted, {"serviceMonitor": {"renderMode": mode}})
            self.assertEqual(len(chart.kind(chart.objects(given), "ServiceMonitor")), count)

    def test_an_old_cluster_is_refused(self):
        with self.assertRaises(chart.Refused) as caught:
            chart.text(chart.values("single"), version="1.29.9")
        self.assertIn("kubeVersion", str(caught.exception))

    def test_the_chart_is_of_the_programs_version(self):
        cargo = re.search(r'^version = "(.+)"', (chart.ROOT / "Cargo.toml").read_text(), re.M)[1]
        self.assertEqual(yaml.safe_load((chart.CHART / "Chart.yaml").read_text())["appVersion"], cargo)

    def test_every_value_is_described(self):
        schema = json.loads((chart.CHART / "values.schema.json").read_text())
        def walk(node, path):
            for key, value in node.get("properties", {}).items():
                yield path + [key], value
                yield from walk(value, path + [key])
        missing = [".".join(path) for path, value in walk(schema, []) if not value.get("description")]
        self.assertEqual([path for path in missing if path not in ("config.server",)], [])


if __name__ == "__main__":
    unittest.main()
