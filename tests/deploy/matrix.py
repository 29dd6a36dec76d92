"""Values that the tests render: both modes, and what else can be set."""

import chart

ALL_KINDS = {
    "ingress": {"enabled": True, "className": "nginx", "hosts": ["hooks.example.com"],
                "tls": [{"secretName": "hooks-tls", "hosts": ["hooks.example.com"]}],
                "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "25m"}},
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "outside", "namespace": "gateways"}],
                  "hostnames": ["hooks.example.com"]},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}, "runbooks": "https://docs.example.com/runbooks"},
    "dashboard": {"enabled": True, "annotations": {"grafana_folder": "cdsw"}},
    "extraObjects": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-extra"}, "data": {"a": "b"}},
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: second\ndata: { release: {{ .Release.Name }} }",
    ],
    "commonLabels": {"team": "platform"},
    "imagePullSecrets": [{"name": "registry"}],
    "image": {"digest": "sha256:" + "0" * 64},
}
DOORS = {
    "podAnnotations": {"example.com/a": "b"}, "podLabels": {"example.com/c": "d"},
    "nodeSelector": {"kubernetes.io/os": "linux"}, "priorityClassName": "high",
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]}}},
    "topologySpreadConstraints": [{"topologyKey": "rack", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule",
                                   "labelSelector": {"matchLabels": {"a": "b"}}}],
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example.com:3128"}],
    "extraEnvFrom": [{"configMapRef": {"name": "more"}}],
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
}


def cases():
    """Each case's name and values."""
    single, replicas = chart.values("single"), chart.values("replicas")
    written = {"routes": {"files": {"risk.yaml": "routes: {}\n"}, "configMaps": []}}
    found = {"single": single, "replicas": replicas}
    for mode, base in (("single", single), ("replicas", replicas)):
        doors = {"single": DOORS} if mode == "single" else {"ingest": DOORS, "dispatch": DOORS}
        found |= {
            f"{mode}-everything": chart.merged(base, ALL_KINDS, doors, written),
            f"{mode}-existing-config": chart.merged(base, {"config": {key: None for key in base["config"]},
                                                          "existingConfigMap": "our-config"}),
            f"{mode}-no-policies": chart.merged(base, {"networkPolicy": {"enabled": False}}),
            f"{mode}-long-stop": chart.merged(base, {"shutdown": {"drainSeconds": 0, "graceSeconds": 90}}),
            f"{mode}-short-stop": chart.merged(base, {"shutdown": {"drainSeconds": 0, "graceSeconds": 1}}),
            f"{mode}-no-account": chart.merged(base, {"serviceAccount": {"create": False},
                                                      "services": {"admin": {"enabled": False}}}),
        }
    found["single-existing-claim"] = chart.merged(single, {"persistence": {"existingClaim": "kept"}})
    found["replicas-autoscaled"] = chart.merged(replicas, {"ingest": {"autoscaling": {"enabled": True}}})
    found["replicas-job"] = chart.merged(replicas, {"migration": {"hook": False}})
    found["replicas-no-migration"] = chart.merged(replicas, {"migration": {"enabled": False}})
    return found


def apis(given):
    return chart.OPERATOR if given.get("serviceMonitor", {}).get("enabled") else ()
