"""What the pages for newcomers and for a company's network show is what is tested, and does what they say. None of it needs a
changed template: each is values alone."""

import re
import unittest

import kubernetes_validate
import yaml

import chart

DOCS = chart.ROOT / "docs"
SITES = ("private-ca", "forward-proxy", "existing-secrets", "no-internet", "teams")
MINORS = ("1.30", "1.34", "1.37")
COMPONENTS = {"single": ("single",), "replicas": ("ingest", "dispatch", "migrate")}


def example(name):
    """The values of one of the chart's examples."""
    return yaml.safe_load((chart.CHART / f"examples/{name}.yaml").read_text())


def blocks(page):
    return re.findall(r"^```yaml\n(.*?)^```$", (DOCS / page).read_text(), re.M | re.S)


def objects(mode, site):
    return chart.objects(chart.merged(example(mode), example(site)))


def volumes(pod):
    """The volumes of a pod by the place where they are mounted."""
    found = {each["name"]: each for each in pod["spec"]["volumes"]}
    mounts = pod["spec"]["containers"][0]["volumeMounts"]
    return {mount["mountPath"]: found[mount["name"]] for mount in mounts if mount["name"] in found}


def config(all_objects):
    """The gateway's configuration, as the pods read it."""
    (text,) = chart.named(all_objects, "ConfigMap", "-config")["data"].values()
    return yaml.safe_load(text)


def networks(all_objects, component, way="egress"):
    """The networks and ports that the policies of a component allow."""
    labels = chart.pods(all_objects)[component]["metadata"]["labels"]
    return {(peer["ipBlock"]["cidr"], port["port"])
            for policy in chart.kind(all_objects, "NetworkPolicy") if chart.selects(policy["spec"]["podSelector"], labels)
            for rule in policy["spec"].get(way, []) for peer in rule.get("to", []) if "ipBlock" in peer for port in rule["ports"]}


class Sites(unittest.TestCase):
    mode = ""

    def _formatMessage(self, message, standard):  # unittest's own hook: which mode a failure belongs to
        return f"{self.mode}: {super()._formatMessage(message, standard)}"

    def both(self, site):
        for self.mode in COMPONENTS:
            yield self.mode, objects(self.mode, site)

    def test_every_object_is_valid_in_three_minor_versions(self):
        for site in SITES:
            for _, all_objects in self.both(site):
                for found in all_objects:
                    for minor in MINORS:
                        kubernetes_validate.validate(found, minor, strict=True)

    def test_pages_show_the_files_that_are_tested(self):
        shown = {"single": blocks("kubernetes-single.md"), "replicas": blocks("kubernetes-roles.md")}
        for mode, found in shown.items():
            self.assertEqual(found, [(chart.CHART / f"examples/{mode}.yaml").read_text().split("\n", 1)[1]], mode)
        files = [(chart.CHART / f"examples/{site}.yaml").read_text().split("\n", 1)[1] for site in SITES]
        self.assertEqual(blocks("kubernetes-sites.md"), files)

    def test_every_example_is_rendered_by_a_test(self):
        there = {path.stem for path in (chart.CHART / "examples").glob("*.yaml")}
        self.assertEqual(there, {"quick-start", "single", "replicas", *SITES})

    def test_a_private_authority_is_mounted_where_it_is_named(self):
        for mode, all_objects in self.both("private-ca"):
            file = config(all_objects)["workbenches"]["main"]["ca_file"]
            for component in COMPONENTS[mode]:
                place = volumes(chart.pods(all_objects)[component])[file.rsplit("/", 1)[0]]
                (source,) = place["projected"]["sources"]
                self.assertEqual(source["configMap"]["name"], "corp-ca")
                self.assertEqual(source["configMap"]["items"], [{"key": "ca.crt", "path": file.rsplit("/", 1)[1]}])
            if mode == "replicas":
                self.assertEqual(config(all_objects)["postgres"]["ca_file"], file)

    def test_pods_reach_the_proxy_and_not_what_is_behind_it(self):
        for mode, all_objects in self.both("forward-proxy"):
            written = config(all_objects)
            self.assertEqual({written["workbenches"]["main"]["proxy"], written["sources"]["ci"]["proxy"]},
                             {"http://proxy.example.com:3128"})
            database = {("192.0.2.20/32", 5432)} if mode == "replicas" else set()
            for component in COMPONENTS[mode]:
                expected = database if component == "migrate" else database | {("192.0.2.40/32", 3128)}
                self.assertEqual(networks(all_objects, component), expected, component)

    def test_existing_secrets_keep_their_names_and_keys(self):
        for mode, all_objects in self.both("existing-secrets"):
            self.assertEqual(chart.kind(all_objects, "Secret"), [])
            mounted = {}
            for component, pod in chart.pods(all_objects).items():
                for place, volume in volumes(pod).items():
                    for source in volume.get("projected", {}).get("sources", []):
                        if "secret" in source:
                            item = source["secret"]["items"][0]
                            mounted[f"{place.rsplit('/', 1)[1]}/{item['path']}"] = (source["secret"]["name"], item["key"])
            expected = {"webhooks/github": ("forge-webhooks", "github-hook"), "api-keys/alice": ("workbench-credentials", "alice.token"),
                        "admin-tokens/ops": ("gateway-operators", "token")}
            self.assertEqual({path: mounted.get(path) for path in expected}, expected)
            self.assertEqual(config(all_objects)["sources"]["github"]["secrets"], [{"file": "/run/secrets/cdsw-gateway/webhooks/github"}])

    def test_without_internet_every_image_comes_from_the_registry_that_is_named(self):
        for _, all_objects in self.both("no-internet"):
            for component, pod in chart.pods(all_objects).items():
                every = pod["spec"]["containers"] + pod["spec"].get("initContainers", [])
                for container in every:
                    self.assertRegex(container["image"], r"^registry\.example\.com/platform/cdsw-gateway(:[\d.]+)?@sha256:0{64}$")
                self.assertEqual(pod["spec"]["imagePullSecrets"], [{"name": "registry"}], component)
            self.assertNotRegex(yaml.safe_dump_all(all_objects), r"(docker\.io|ghcr\.io|quay\.io|gcr\.io|github\.com|artifacthub)")

    def test_three_teams_files_lie_side_by_side_and_none_stops_a_pod(self):
        for mode, all_objects in self.both("teams"):
            readers = [component for component in COMPONENTS[mode] if component != "migrate"]
            for component in readers:
                found = {}
                for volume in chart.pods(all_objects)[component]["spec"]["volumes"]:
                    for source in volume.get("projected", {}).get("sources", []):
                        map_ = source.get("configMap", {})
                        if map_.get("name", "").endswith("-routes"):
                            self.assertTrue(map_["optional"], map_["name"])
                            found[map_["name"]] = [item["path"].rsplit("/", 1)[-1] for item in map_["items"]]
                self.assertEqual(found, {"risk-routes": ["risk.yaml"], "fraud-routes": ["fraud.yaml"], "pricing-routes": ["pricing.yaml"]})


if __name__ == "__main__":
    unittest.main()
