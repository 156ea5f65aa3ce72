"""Each object is one that a cluster takes, and objects that name each other fit."""

from __future__ import annotations

import json
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from jsonschema import Draft7Validator

from tests.deploy.k8s.cluster import JOBS, SERVICES, Cluster, selects

# By hand, from the documentation of KEDA and CloudNativePG: the parts that we use, and no more.
CUSTOM = {path.stem: path for path in (Path(__file__).parent / "schemas").glob("*.json")}
OLDEST, NEWEST = "1.30.0", kubernetes_validate.latest_version()


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_objects_are_what_kubernetes_takes(cluster: Cluster, version: str) -> None:
    ours = [found for found in cluster.objects if found["kind"] not in CUSTOM]
    assert len(ours) > 40
    for found in ours:
        kubernetes_validate.validate(found, version, strict=True)


def test_custom_objects_are_what_their_operators_take(production: Cluster) -> None:
    found = production.of_kind(*CUSTOM)
    assert {each["kind"] for each in found} == set(CUSTOM)
    for each in found:
        Draft7Validator(json.loads(CUSTOM[each["kind"]].read_text())).validate(each)


def test_everything_is_in_one_restricted_namespace(cluster: Cluster) -> None:
    (namespace,) = cluster.of_kind("Namespace")
    name = namespace["metadata"]["name"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    others = [found for found in cluster.objects if found is not namespace]
    assert {found["metadata"]["namespace"] for found in others} == {name}


def test_services_and_jobs_are_all_there(cluster: Cluster) -> None:
    names = {w.name: w.kind for w in cluster.workloads()}
    assert {name: names[name] for name in SERVICES} == dict.fromkeys(SERVICES, "Deployment")
    assert {name: names[name] for name in JOBS} == dict.fromkeys(JOBS, "Job")


def test_a_service_takes_the_pods_of_one_workload(cluster: Cluster) -> None:
    for service in cluster.of_kind("Service"):
        selector = {"matchLabels": service["spec"]["selector"]}
        (workload,) = (w for w in cluster.workloads() if selects(selector, w.labels))
        ports = {port["name"] for port in workload.container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_the_ingress_leads_to_the_api(cluster: Cluster) -> None:
    (ingress,) = cluster.of_kind("Ingress")
    for rule in ingress["spec"]["rules"]:
        (path,) = rule["http"]["paths"]
        assert path["backend"]["service"] == {"name": "api", "port": {"name": "http"}}


def test_selectors_take_their_own_pods(cluster: Cluster) -> None:
    for workload in cluster.workloads():
        if workload.kind != "Job":
            assert selects(workload.spec["selector"], workload.labels)


def test_no_secret_is_written_down(cluster: Cluster) -> None:
    assert cluster.of_kind("Secret") == []


def test_autoscalers_scale_what_is_there(cluster: Cluster) -> None:
    scaled = [
        found["spec"]["scaleTargetRef"]["name"]
        for found in cluster.of_kind("HorizontalPodAutoscaler", "ScaledObject")
    ]
    assert len(scaled) == len(set(scaled))
    assert set(scaled) <= set(SERVICES)
    assert set(scaled) == set(SERVICES) or cluster.overlay == "local"
