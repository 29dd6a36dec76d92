"""Who may reach whom, by the rendered NetworkPolicies: an evaluator of policies over the pods' labels. test_pods.py enforces
what it says with nftables, and tries both ways."""

import ipaddress
import unittest

import chart

# Others in and around the cluster: namespace labels, pod labels, address.
NAMESPACE = {"kubernetes.io/metadata.name": "gateway"}
OTHERS = {
    "ingress controller": ({"kubernetes.io/metadata.name": "ingress-nginx"}, {"app": "nginx"}, "10.1.0.1"),
    "prometheus": ({"kubernetes.io/metadata.name": "monitoring"}, {"app": "prometheus"}, "10.1.0.2"),
    "operators": (NAMESPACE, {"app": "operators"}, "10.1.0.3"),
    "a stranger's pod": ({"kubernetes.io/metadata.name": "other"}, {"app": "operators"}, "10.1.0.4"),
    "a pod beside it": (NAMESPACE, {"app": "other"}, "10.1.0.5"),
    "name server": ({"kubernetes.io/metadata.name": "kube-system"}, {"k8s-app": "kube-dns"}, "10.1.0.6"),
    "the internet": (None, None, "198.51.100.1"),
    "workbench": (None, None, "192.0.2.10"),
    "database": (None, None, "192.0.2.20"),
    "issuer": (None, None, "192.0.2.30"),
}


def is_peer(peer, other):
    namespace, labels, address = other
    if "ipBlock" in peer:
        inside = ipaddress.ip_address(address) in ipaddress.ip_network(peer["ipBlock"]["cidr"])
        return inside and not any(ipaddress.ip_address(address) in ipaddress.ip_network(part)
                                  for part in peer["ipBlock"].get("except", []))
    if labels is None:
        return False
    in_namespace = (chart.selects(peer["namespaceSelector"], namespace) if "namespaceSelector" in peer
                    else namespace == NAMESPACE)
    return in_namespace and ("podSelector" not in peer or chart.selects(peer["podSelector"], labels))


def allows(rules, direction, other, port, protocol):
    for rule in rules:
        peers = rule.get(direction)
        ports = rule.get("ports")
        if peers is not None and peers and not any(is_peer(peer, other) for peer in peers):
            continue
        if ports and not any(p.get("protocol", "TCP") == protocol and p.get("port", port) == port for p in ports):
            continue
        return True
    return False


def may(policies, pod_labels, way, other, port, protocol="TCP"):
    """Whether a pod with these labels may be reached by (`in`) or reach (`out`) the other one on a port."""
    kind, direction = ("Ingress", "from") if way == "in" else ("Egress", "to")
    mine = [policy for policy in policies if kind in policy["spec"]["policyTypes"]
            and chart.selects(policy["spec"]["podSelector"], pod_labels)]
    return not mine or any(allows(policy["spec"].get(kind.lower()) or [], direction, other, port, protocol) for policy in mine)


class Reach(unittest.TestCase):
    def table(self, mode, component):
        """All that is allowed, over every other one and each port that matters."""
        all_objects = chart.objects(chart.values(mode))
        labels = chart.pods(all_objects)[component]["metadata"]["labels"]
        policies = chart.kind(all_objects, "NetworkPolicy")
        found = set()
        for name, other in OTHERS.items():
            for port in (53, 80, 443, 5432, 8080, 8081, 8082):
                for way in ("in", "out"):
                    if may(policies, labels, way, other, port):
                        found.add((way, name, port))
        self.assertTrue(may(policies, labels, "out", OTHERS["name server"], 53, "UDP"))
        return found

    DNS = {("out", "name server", 53)}
    DATABASE = {("out", "database", 5432)}

    def test_ingest_is_reached_by_the_controller_and_never_reaches_a_workbench(self):
        self.assertEqual(self.table("replicas", "ingest"), self.DNS | self.DATABASE | {
            ("in", "ingress controller", 8080), ("in", "prometheus", 8082), ("out", "issuer", 443)})

    def test_dispatch_alone_reaches_workbenches_and_has_no_way_in_for_webhooks(self):
        self.assertEqual(self.table("replicas", "dispatch"), self.DNS | self.DATABASE | {
            ("in", "operators", 8081), ("in", "prometheus", 8082), ("out", "workbench", 443)})

    def test_the_migration_reaches_the_database_alone_and_nobody_reaches_it(self):
        self.assertEqual(self.table("replicas", "migrate"), self.DNS | self.DATABASE)

    def test_single_does_what_both_do_without_a_database(self):
        self.assertEqual(self.table("single", "single"), self.DNS | {
            ("in", "ingress controller", 8080), ("in", "prometheus", 8082), ("in", "operators", 8081),
            ("out", "workbench", 443)})

    def test_the_evaluator_sees_a_rule_that_opens_too_much(self):
        given = chart.merged(chart.values("replicas"), {"networkPolicy": {"extraEgress": {"ingest": [
            {"to": [{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}}], "ports": [443]}]}}})
        all_objects = chart.objects(given)
        labels = chart.pods(all_objects)["ingest"]["metadata"]["labels"]
        policies = chart.kind(all_objects, "NetworkPolicy")
        self.assertTrue(may(policies, labels, "out", OTHERS["workbench"], 443))
        self.assertFalse(may(policies, labels, "out", (None, None, "192.0.2.200"), 443))


if __name__ == "__main__":
    unittest.main()
