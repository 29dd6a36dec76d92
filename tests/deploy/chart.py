"""Renders the chart, and finds things in what comes out."""

import copy
import pathlib
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/deploy"
CHART = ROOT / "deploy/helm/cdsw-gateway"
HELM = ROOT / "target/deploy-tools/helm/helm"
KUBECTL = ROOT / "target/deploy-tools/kubectl/kubectl"
# Kinds that Kubernetes itself does not have; their schemas are in crds/.
OPERATOR = ["monitoring.coreos.com/v1/ServiceMonitor", "monitoring.coreos.com/v1/PrometheusRule"]


class Refused(Exception):
    """helm refused the values; its message is the text."""


def values(name):
    """The values of a file in tests/deploy/values."""
    return yaml.safe_load((HERE / "values" / f"{name}.yaml").read_text())


def merged(base, *changes):
    """A copy of `base` with `changes` laid over it; None removes a key."""
    result = copy.deepcopy(base)
    for change in changes:
        for key, value in change.items():
            if value is None:
                result.pop(key, None)
            elif isinstance(value, dict) and isinstance(result.get(key), dict):
                result[key] = merged(result[key], value)
            else:
                result[key] = copy.deepcopy(value)
    return result


def text(given, release="gw", version="1.31.0", namespace="gateway", apis=(), upgrade=False):
    """What `helm template` writes for these values."""
    command = [str(HELM), "template", release, str(CHART), "--namespace", namespace, "--kube-version", version,
               "--values", "-"]
    if upgrade:
        command.append("--is-upgrade")
    for api in apis:
        command += ["--api-versions", api]
    done = subprocess.run(command, input=yaml.safe_dump(given), capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


def objects(given, **how):
    """The objects that the chart makes of these values."""
    return [found for found in yaml.safe_load_all(text(given, **how)) if found]


def named(all_objects, kind, ending=""):
    """The one object of a kind whose name ends so."""
    found = [each for each in all_objects if each["kind"] == kind and each["metadata"]["name"].endswith(ending)]
    assert len(found) == 1, f"{kind} …{ending}: {[each['metadata']['name'] for each in found]}"
    return found[0]


def kind(all_objects, wanted):
    return [each for each in all_objects if each["kind"] == wanted]


def pods(all_objects):
    """Pod templates by component, of whatever makes them."""
    found = {}
    for each in all_objects:
        if each["kind"] in ("Deployment", "StatefulSet", "Job"):
            template = each["spec"]["template"]
            found[template["metadata"]["labels"]["app.kubernetes.io/component"]] = template
    return found


def selects(selector, labels):
    """Whether a label selector (of a policy or workload, or of a Service) selects these labels."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels", {}) if set(selector) <= {"matchLabels", "matchExpressions"} else selector
    for expression in selector.get("matchExpressions", []):
        there = labels.get(expression["key"])
        holds = {
            "In": there in expression.get("values", []),
            "NotIn": there not in expression.get("values", []),
            "Exists": there is not None,
            "DoesNotExist": there is None,
        }[expression["operator"]]
        if not holds:
            return False
    return all(labels.get(key) == value for key, value in wanted.items())
