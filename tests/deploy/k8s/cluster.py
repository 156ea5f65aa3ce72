"""What an overlay of deploy/k8s renders to, and ways to look at it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "deploy" / "k8s"
SERVICES = ("api", "scheduler", "dispatcher", "outcomes", "alerts")
JOBS = ("migrate", "provision")

Object = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """What makes pods: a Deployment, a StatefulSet or a Job."""

    name: str
    kind: str
    spec: Object

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its pods."""
        return dict(self.spec["template"]["metadata"]["labels"])

    @property
    def pod(self) -> Object:
        """What its pods are made of."""
        spec: Object = self.spec["template"]["spec"]
        return spec

    @property
    def container(self) -> Object:
        """The pod's one container."""
        (container,) = self.pod["containers"]
        return dict(container)


@dataclass(frozen=True)
class Cluster:
    """All objects of one overlay."""

    overlay: str
    objects: tuple[Object, ...]

    def of_kind(self, *kinds: str) -> list[Object]:
        """The objects of these kinds."""
        return [found for found in self.objects if found["kind"] in kinds]

    def get(self, kind: str, name: str) -> Object:
        """The one object of this kind and name."""
        (found,) = (o for o in self.of_kind(kind) if o["metadata"]["name"] == name)
        return found

    def workloads(self) -> Iterator[Workload]:
        """Whatever makes pods, but for what operators make."""
        for found in self.of_kind("Deployment", "StatefulSet", "Job"):
            yield Workload(found["metadata"]["name"], found["kind"], found["spec"])

    def workload(self, name: str) -> Workload:
        """The workload of this name."""
        (found,) = (w for w in self.workloads() if w.name == name)
        return found


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Say whether a label selector takes pods with these labels."""
    wanted = selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", expression
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


@cache
def rendered(overlay: str) -> Cluster:
    """Render an overlay as `kubectl apply -k` would."""
    done = subprocess.run(
        [*_kustomize(), str(FOLDER / "overlays" / overlay)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Cluster(overlay, tuple(yaml.safe_load_all(done.stdout)))


def _kustomize() -> list[str]:
    if kustomize := shutil.which("kustomize"):
        return [kustomize, "build"]
    if kubectl := shutil.which("kubectl"):
        return [kubectl, "kustomize"]
    pytest.fail("make test-k8s needs kubectl or kustomize on the PATH; install one of them")
