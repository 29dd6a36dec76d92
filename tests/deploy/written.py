"""Files that are written from others: the chart's README, the plain manifests, the goldens. UPDATE=1 writes them; the tests
hold them against what would be written."""

import json
import os
import pathlib

import yaml

import chart
import matrix

MANIFESTS = chart.ROOT / "deploy/kubernetes"


class Block(str):
    """A text that is written over several lines."""


yaml.SafeDumper.add_representer(Block, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|"))


def dump(documents):
    def blocks(node):
        if isinstance(node, dict):
            return {key: blocks(value) for key, value in node.items()}
        if isinstance(node, list):
            return [blocks(value) for value in node]
        return Block(node) if isinstance(node, str) and "\n" in node else node
    return yaml.safe_dump_all([blocks(each) for each in documents], sort_keys=False, width=120)


def readme():
    """The chart's README, from its schema and its values."""
    schema = json.loads((chart.CHART / "values.schema.json").read_text())
    values = yaml.safe_load((chart.CHART / "values.yaml").read_text())
    rows = []

    def row(path, node, value):
        described = node.get("description") or schema["$defs"].get(node.get("$ref", "").split("/")[-1], {}).get("description", "")
        if "enum" in node:
            described += " One of " + ", ".join(f"`{each}`" for each in node["enum"]) + "."
        if node.get("properties"):
            rows.append(f"| **`{path}`** | | {described} |")
            for key, child in node["properties"].items():
                row(f"{path}.{key}", child, (value or {}).get(key))
            return
        default = "" if value is None else f"`{json.dumps(value, ensure_ascii=False)}`"
        rows.append(f"| `{path}` | {default} | {described} |".replace("\\|", "|"))

    for key, node in schema["properties"].items():
        # These have the values of `single`, and some more.
        row(key, node, values.get(key))
    head = (chart.HERE / "readme-head.md").read_text()
    return head + "\n| value | default | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def plain(mode):
    """The chart's objects as people without Helm have them."""
    given = chart.merged(chart.values(mode), {"migration": {"hook": False}})
    found = []
    for each in chart.objects(given, release="cdsw-gateway", namespace="cdsw-gateway"):
        strip(each)
        found.append(each)
    return found


def strip(node):
    """Takes what only Helm means out of all labels."""
    if isinstance(node, dict):
        for key in ("helm.sh/chart", "app.kubernetes.io/managed-by"):
            node.pop(key, None)
        for value in node.values():
            strip(value)
    elif isinstance(node, list):
        for value in node:
            strip(value)


def manifests():
    """The files of deploy/kubernetes by path: a base, and an overlay for each mode."""
    note = "# Written from the chart by UPDATE=1 tests/deploy/run.sh.\n"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "cdsw-gateway", "labels": {
        "pod-security.kubernetes.io/enforce": "restricted"}}}
    both = {mode: plain(mode) for mode in ("single", "replicas")}
    shared = [each for each in both["single"] if each in both["replicas"]]
    kustomization = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": "cdsw-gateway"}
    files = {
        "base/namespace.yaml": note + dump([namespace]),
        "base/shared.yaml": note + dump(shared),
        "base/kustomization.yaml": note + dump([kustomization | {"resources": ["namespace.yaml", "shared.yaml"]}]),
    }
    for mode, all_objects in both.items():
        at = f"overlays/{mode}"
        config = chart.named(all_objects, "ConfigMap", "-config")
        for key, text in config["data"].items():
            files[f"{at}/{key}"] = text
        rest = [each for each in all_objects if each not in shared and each is not config]
        files[f"{at}/objects.yaml"] = note + dump(rest)
        files[f"{at}/kustomization.yaml"] = note + dump([kustomization | {
            "resources": ["../../base", "objects.yaml"],
            # No suffix: a changed route is read again without a restart.
            "generatorOptions": {"disableNameSuffixHash": True, "labels": config["metadata"]["labels"]},
            "configMapGenerator": [{"name": config["metadata"]["name"], "files": list(config["data"])}],
        }])
    return files


def goldens():
    """Each golden's name and text, without the version of the chart."""
    version = yaml.safe_load((chart.CHART / "Chart.yaml").read_text())
    masks = {f"cdsw-gateway-{version['version']}": "cdsw-gateway-$version",
             f"version: \"{version['appVersion']}\"": 'version: "$version"'}
    found = {}
    for name, given in matrix.cases().items():
        if name in ("single", "replicas", "single-everything", "replicas-everything"):
            text = chart.text(given, apis=matrix.apis(given))
            for what, mask in masks.items():
                text = text.replace(what, mask)
            found[f"{name}.yaml"] = text
    return found


def all_files():
    """Path and text of each file that is written from others."""
    yield chart.CHART / "README.md", readme()
    # A chart reads files of its own alone.
    for source in ("deploy/prometheus/rules.yaml", "deploy/grafana/cdsw-gateway.json"):
        path = chart.ROOT / source
        yield chart.CHART / "files" / path.name, path.read_text()
    for name, text in goldens().items():
        yield chart.HERE / "goldens" / name, text
    for name, text in manifests().items():
        yield MANIFESTS / name, text


def update():
    for path, text in all_files():
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(path).write_text(text)


if __name__ == "__main__" or os.environ.get("UPDATE") == "1":
    update()
