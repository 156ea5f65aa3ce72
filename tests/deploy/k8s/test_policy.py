"""What every pod keeps to, whoever wrote its file."""

from __future__ import annotations

import re

from tests.deploy.k8s.cluster import SERVICES, Cluster, selects


def test_pods_are_restricted(cluster: Cluster) -> None:
    for workload in cluster.workloads():
        pod, inside = workload.pod["securityContext"], workload.container["securityContext"]
        assert pod["runAsNonRoot"] is True, workload.name
        assert pod["runAsUser"] > 0
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert inside == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, workload.name


def test_pods_have_an_account_of_their_own_and_no_token(cluster: Cluster) -> None:
    accounts = {a["metadata"]["name"]: a for a in cluster.of_kind("ServiceAccount")}
    for workload in cluster.workloads():
        assert workload.pod["serviceAccountName"] == workload.name
        assert workload.pod["automountServiceAccountToken"] is False
        assert accounts[workload.name]["automountServiceAccountToken"] is False


def test_pods_say_what_they_need(cluster: Cluster) -> None:
    for workload in cluster.workloads():
        resources = workload.container["resources"]
        assert set(resources["requests"]) == {"cpu", "memory"}, workload.name
        assert set(resources["limits"]) == {"memory"}, workload.name


def test_volumes_have_an_end(cluster: Cluster) -> None:
    for workload in cluster.workloads():
        for volume in workload.pod["volumes"]:
            assert "hostPath" not in volume
            if "emptyDir" in volume:
                assert volume["emptyDir"]["sizeLimit"], workload.name


def test_what_runs_for_long_is_probed(cluster: Cluster) -> None:
    for workload in cluster.workloads():
        if workload.kind != "Job":
            probes = {"startupProbe", "livenessProbe", "readinessProbe"}
            assert probes <= workload.container.keys(), workload.name


def test_images_are_pinned(cluster: Cluster) -> None:
    for workload in cluster.workloads():
        image = workload.container["image"]
        assert re.search(r"@sha256:[0-9a-f]{64}$|:(local|[0-9][\w.-]*)$", image), image


def test_a_disruption_takes_one_pod_and_leaves_one(cluster: Cluster) -> None:
    budgets = cluster.of_kind("PodDisruptionBudget")
    for workload in cluster.workloads():
        found = [b for b in budgets if selects(b["spec"]["selector"], workload.labels)]
        if workload.name in (*SERVICES, "nats"):
            (budget,) = found
            assert budget["spec"]["maxUnavailable"] == 1
        else:
            assert found == []


def test_there_are_two_of_each_service_and_three_servers(production: Cluster) -> None:
    for scaler in production.of_kind("HorizontalPodAutoscaler"):
        assert 2 <= scaler["spec"]["minReplicas"] < scaler["spec"]["maxReplicas"]
    (scaled,) = production.of_kind("ScaledObject")
    assert scaled["spec"]["minReplicaCount"] == 2
    assert all("replicas" not in production.workload(name).spec for name in SERVICES)
    assert production.workload("nats").spec["replicas"] == 3
    (postgres,) = production.of_kind("Cluster")
    assert postgres["spec"]["instances"] >= 3
    assert postgres["spec"]["postgresql"]["synchronous"]["dataDurability"] == "required"


def test_replicas_are_spread(production: Cluster) -> None:
    for name in SERVICES:
        workload = production.workload(name)
        spread = workload.pod["topologySpreadConstraints"]
        keys = {each["topologyKey"] for each in spread}
        assert keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
        assert all(selects(each["labelSelector"], workload.labels) for each in spread)
    nats = production.workload("nats")
    (apart,) = nats.pod["affinity"]["podAntiAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    assert selects(apart["labelSelector"], nats.labels)


def test_a_release_starts_before_the_old_one_goes(cluster: Cluster) -> None:
    for name in SERVICES:
        strategy = cluster.workload(name).spec["strategy"]["rollingUpdate"]
        assert strategy == {"maxSurge": 1, "maxUnavailable": 0}
