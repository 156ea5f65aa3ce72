"""Who may talk to whom."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from libs.runtime.http.addresses import EgressPolicy, is_blocked
from tests.deploy.k8s.cluster import JOBS, SERVICES, Cluster, Object, Workload, selects

SENDERS = ("api", "dispatcher", "alerts")


def policies(cluster: Cluster, workload: Workload) -> list[Object]:
    return [
        policy["spec"]
        for policy in cluster.of_kind("NetworkPolicy")
        if selects(policy["spec"]["podSelector"], workload.labels)
    ]


def may_reach(cluster: Cluster, sender: Workload, receiver: Workload, port: int) -> bool:
    """Say whether the policies of both let the one reach the other's port."""
    out = any(
        _allows(rule, "to", receiver, port)
        for policy in policies(cluster, sender)
        for rule in policy.get("egress", [])
    )
    into = any(
        _allows(rule, "from", sender, port)
        for policy in policies(cluster, receiver)
        for rule in policy.get("ingress", [])
    )
    return out and into


def _allows(rule: Object, side: str, other: Workload, port: int) -> bool:
    peers = [
        peer.get("podSelector") for peer in rule.get(side, []) if "namespaceSelector" not in peer
    ]
    ports = [each["port"] for each in rule.get("ports", [])]
    return port in ports and any(peer and selects(peer, other.labels) for peer in peers)


def outward_blocks(cluster: Cluster, workload: Workload) -> list[Object]:
    return [
        peer["ipBlock"]
        for policy in policies(cluster, workload)
        for rule in policy.get("egress", [])
        for peer in rule.get("to", [])
        if "ipBlock" in peer
    ]


def postgres_of(cluster: Cluster) -> Workload:
    """Postgres's pods, be they a StatefulSet's or the operator's."""
    if cluster.overlay == "local":
        return cluster.workload("postgres")
    (postgres,) = cluster.of_kind("Cluster")
    template = {"metadata": postgres["spec"]["inheritedMetadata"]}
    return Workload("postgres", "Cluster", {"template": template})


def test_nothing_is_allowed_by_default(cluster: Cluster) -> None:
    denied = cluster.get("NetworkPolicy", "default-deny")["spec"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_every_policy_is_about_some_pod(cluster: Cluster) -> None:
    labels = [w.labels for w in (*cluster.workloads(), postgres_of(cluster))]
    for policy in cluster.of_kind("NetworkPolicy"):
        selector = policy["spec"]["podSelector"]
        assert any(selects(selector, each) for each in labels), policy["metadata"]["name"]


def test_every_process_reaches_its_servers(cluster: Cluster) -> None:
    for name in (*SERVICES, *JOBS):
        sender = cluster.workload(name)
        assert may_reach(cluster, sender, cluster.workload("nats"), 4222)
        assert may_reach(cluster, sender, postgres_of(cluster), 5432)


def test_the_echo_is_reached_from_inside(cluster: Cluster) -> None:
    api = cluster.workload("api")
    for name in ("dispatcher", "alerts"):
        assert may_reach(cluster, cluster.workload(name), api, 8000)
    assert not may_reach(cluster, cluster.workload("outcomes"), api, 8000)


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_reaches_the_brokers_cluster_port(cluster: Cluster, service: str) -> None:
    sender, nats = cluster.workload(service), cluster.workload("nats")
    assert not may_reach(cluster, sender, nats, 6222)
    assert may_reach(cluster, nats, nats, 6222)


def test_only_those_who_send_get_out(cluster: Cluster) -> None:
    for workload in cluster.workloads():
        assert bool(outward_blocks(cluster, workload)) == (workload.name in SENDERS)


@pytest.mark.parametrize("service", SENDERS)
def test_the_way_out_is_no_wider_than_the_code_lets(cluster: Cluster, service: str) -> None:
    blocks = outward_blocks(cluster, cluster.workload(service))
    assert [block["cidr"] for block in blocks] == ["0.0.0.0/0", "2000::/3"]
    for block in blocks:
        holes = [ip_network(each) for each in block["except"]]
        for hole in holes:
            assert is_blocked(hole[0], EgressPolicy()), f"the code lets {hole} through"
            assert is_blocked(hole[-1], EgressPolicy()), f"the code lets {hole} through"
        for address in EDGES:
            parsed = ip_address(address)
            if parsed in ip_network(block["cidr"]):
                closed = any(parsed in hole for hole in holes)
                assert closed == is_blocked(parsed, EgressPolicy()), address


EDGES = (
    *("1.1.1.1", "8.8.8.8", "0.0.0.1", "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
    *("100.63.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255", "100.128.0.0"),
    *("126.255.255.255", "127.0.0.1", "128.0.0.0", "168.63.129.15", "168.63.129.16"),
    *("168.63.129.17", "169.253.255.255", "169.254.169.254", "169.255.0.0", "172.15.255.255"),
    *("172.16.0.0", "172.31.255.255", "172.32.0.0", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
    *("192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.167.255.255"),
    *("192.168.0.1", "192.169.0.0", "192.175.48.1", "198.17.255.255", "198.18.0.0"),
    *("198.19.255.255", "198.20.0.0", "198.51.100.1", "203.0.113.1", "223.255.255.255"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("2001::1", "2001:1ff:ffff::1", "2001:200::1", "2001:db8::1", "2002::1", "2003::1"),
    *("2606:4700::1", "2620:4f:8000::1", "3fff::1", "3fff:1000::1"),
)
