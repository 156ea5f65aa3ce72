"""The manifests say what the code understands: names of settings, ports, times, SQL."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from sysconfig import get_path

import pytest

from libs.events.bus import STOP_SECONDS
from libs.runtime.postgres import Database
from libs.runtime.settings import Settings
from services.alerts.settings import AlertsSettings
from services.api.settings import ApiSettings
from services.dispatcher.settings import DispatcherSettings
from services.outcomes.settings import OutcomesSettings
from services.scheduler.settings import SchedulerSettings
from tests.deploy.k8s.cluster import FOLDER, JOBS, SERVICES, Cluster, Object

SETTINGS: dict[str, type[Settings]] = {
    "api": ApiSettings,
    "scheduler": SchedulerSettings,
    "dispatcher": DispatcherSettings,
    "outcomes": OutcomesSettings,
    "alerts": AlertsSettings,
    **dict.fromkeys(JOBS, Settings),
}
# What each secret holds, by the names of the files; docs/self-hosting/kubernetes.md makes them.
SECRETS = {
    "connections": {"DATABASE_URL", "NATS_URL"},
    "keys": {"SESSION_SECRET", "CUEAPI_ENCRYPTION_KEY"},
    "mail": {"CUEAPI_SMTP_URL", "RESEND_FROM_EMAIL"},
    "billing": {"STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"},
}
GUIDE = FOLDER.parents[1] / "docs" / "self-hosting" / "kubernetes.md"


def names_of(settings: type[Settings]) -> set[str]:
    return {str(field.alias) for field in settings.model_fields.values()}


def told(cluster: Cluster, name: str) -> dict[str, str]:
    """What a process finds in its environment."""
    container = cluster.workload(name).container
    common = {
        key: value
        for source in container["envFrom"]
        for key, value in cluster.get("ConfigMap", source["configMapRef"]["name"])["data"].items()
    }
    return common | {each["name"]: each["value"] for each in container.get("env", [])}


def secrets_of(cluster: Cluster, name: str) -> dict[str, Object]:
    (volume,) = (v for v in cluster.workload(name).pod["volumes"] if v["name"] == "secrets")
    return {each["secret"]["name"]: each["secret"] for each in volume["projected"]["sources"]}


@pytest.mark.parametrize("name", SETTINGS)
def test_each_process_understands_what_it_is_told(cluster: Cluster, name: str) -> None:
    own = {each["name"] for each in cluster.workload(name).container.get("env", [])}
    assert own <= names_of(SETTINGS[name])
    everyone = set().union(*(names_of(settings) for settings in SETTINGS.values()))
    assert told(cluster, name).keys() <= everyone


@pytest.mark.parametrize("name", SETTINGS)
def test_each_process_starts_with_its_settings(
    cluster: Cluster, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    examples = {
        "DATABASE_URL": "postgresql://cueapi@postgres/cueapi",
        "NATS_URL": "nats://cueapi:password@nats:4222",
        "SESSION_SECRET": "s" * 64,
        "CUEAPI_ENCRYPTION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    for secret, source in secrets_of(cluster, name).items():
        assert SECRETS[secret] <= names_of(SETTINGS[name])
        if not source.get("optional"):
            for each in SECRETS[secret]:
                (tmp_path / each).write_text(examples[each])
    for key, value in told(cluster, name).items():
        monkeypatch.setenv(key, value)
    (mount,) = (
        m for m in cluster.workload(name).container["volumeMounts"] if m["name"] == "secrets"
    )
    assert mount["mountPath"] == os.environ["CUEAPI_SECRETS_DIR"]
    monkeypatch.setenv("CUEAPI_SECRETS_DIR", str(tmp_path))
    settings = SETTINGS[name]()
    assert settings.env == "production"
    assert settings.database_url == examples["DATABASE_URL"]
    assert settings.nats_url == examples["NATS_URL"]


def test_keys_go_only_to_who_opens_secrets(cluster: Cluster) -> None:
    holders = {name for name in SETTINGS if "keys" in secrets_of(cluster, name)}
    needing = {n for n in SETTINGS if "CUEAPI_ENCRYPTION_KEY" in names_of(SETTINGS[n])}
    assert holders == needing


def test_the_guide_makes_every_secret(cluster: Cluster) -> None:
    guide = GUIDE.read_text()
    for name in (*SECRETS, "nats", "postgres"):
        assert f"secret generic {name} " in guide, name
    for name in set().union(*SECRETS.values()):
        assert f"--from-literal={name}=" in guide, name


@pytest.mark.parametrize("name", SETTINGS)
def test_commands_are_modules(cluster: Cluster, name: str) -> None:
    package = f"services.{name}" if name in SERVICES else "libs.events"
    command = cluster.workload(name).container["command"]
    assert command[:3] == ["python", "-m", package]
    assert command[3:] == ([] if name in SERVICES else [name])


@pytest.mark.parametrize("name", SERVICES)
def test_probes_ask_the_health_port(cluster: Cluster, name: str) -> None:
    container = cluster.workload(name).container
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports.pop("health") == Settings.model_fields["health_port"].default
    assert list(ports.values()) == (
        [ApiSettings.model_fields["port"].default] if name == "api" else []
    )
    probed = {kind: container[kind]["httpGet"] for kind in container if kind.endswith("Probe")}
    assert {kind: get["path"] for kind, get in probed.items()} == {
        "startupProbe": "/livez",
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }
    assert all(get["port"] == "health" for get in probed.values())


@pytest.mark.parametrize("name", SERVICES)
def test_pods_may_stop_for_as_long_as_the_code_does(cluster: Cluster, name: str) -> None:
    workload = cluster.workload(name)
    grace = float(told(cluster, name)["CUEAPI_STOP_GRACE_SECONDS"])
    before = workload.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
    needed = before.get("seconds", 0) + grace + STOP_SECONDS
    assert needed + 5 <= workload.pod["terminationGracePeriodSeconds"] <= needed + 30


def test_who_takes_requests_waits_until_none_come(cluster: Cluster) -> None:
    assert cluster.workload("api").container["lifecycle"]["preStop"]["sleep"]["seconds"] >= 5


def test_a_stop_cuts_no_attempt_off(cluster: Cluster) -> None:
    environment = told(cluster, "dispatcher")
    attempt = float(environment["WEBHOOK_TIMEOUT_SECONDS"])
    assert float(environment["CUEAPI_STOP_GRACE_SECONDS"]) > attempt


def test_streams_lie_on_every_server(cluster: Cluster) -> None:
    servers = cluster.workload("nats").spec["replicas"]
    for name in ("provision", "scheduler"):
        assert int(told(cluster, name)["CUEAPI_STREAM_REPLICAS"]) == servers


def test_postgres_has_a_connection_for_every_process(production: Cluster) -> None:
    most = {
        s["metadata"]["name"]: s["spec"]["maxReplicas"]
        for s in production.of_kind("HorizontalPodAutoscaler")
    }
    (scaled,) = production.of_kind("ScaledObject")
    most["dispatcher"] = scaled["spec"]["maxReplicaCount"]
    # One more of each while a release rolls out.
    wanted = sum((most[n] + 1) * int(told(production, n)["CUEAPI_DATABASE_POOL"]) for n in SERVICES)
    (postgres,) = production.of_kind("Cluster")
    assert wanted <= int(postgres["spec"]["postgresql"]["parameters"]["max_connections"]) - 20


def test_the_scaler_reads_the_secret_that_there_is(production: Cluster) -> None:
    (scaled,) = production.of_kind("ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    allowed = production.get("TriggerAuthentication", trigger["authenticationRef"]["name"])
    (reference,) = allowed["spec"]["secretTargetRef"]
    assert reference["key"] in SECRETS[reference["name"]]


@pytest.mark.integration
async def test_the_scaler_asks_how_late_deliveries_are(
    production: Cluster, database: Database
) -> None:
    (scaled,) = production.of_kind("ScaledObject")
    query = scaled["spec"]["triggers"][0]["metadata"]["query"]
    assert await age(database, query) == 0
    async with database.connection() as connection, connection.transaction(force_rollback=True):
        await connection.execute(
            "insert into executions"
            " (id, version, account_id, cue_id, status, transport, triggered_by, scheduled_for,"
            "  created_at, has_evidence, state, delivery_due_at)"
            " select gen_random_uuid(), 1, gen_random_uuid(), 'cue_late', 'pending', 'webhook',"
            "  'manual', now(), now(), false, '{}', due"
            " from (values (now() - interval '12 seconds'), (now() - interval '3 seconds'),"
            "  (now() + interval '1 hour'), (null)) as late(due)"
        )
        cursor = await connection.execute(query)
        assert await cursor.fetchone() == (12.0,)


async def age(database: Database, query: str) -> float:
    async with database.connection() as connection:
        row = await (await connection.execute(query)).fetchone()
        assert row is not None
        return float(row[0])


def test_nats_takes_its_configuration(cluster: Cluster, tmp_path: Path) -> None:
    (volume,) = (v for v in cluster.workload("nats").pod["volumes"] if v["name"] == "config")
    text = cluster.get("ConfigMap", volume["configMap"]["name"])["data"]["nats.conf"]
    path = tmp_path / "nats.conf"
    path.write_text(text)
    done = subprocess.run(
        [f"{get_path('scripts')}/nats-server", "-t", "-c", str(path)],
        env={**nats_environment(cluster), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def nats_environment(cluster: Cluster) -> dict[str, str]:
    """What the kubelet would make of the container's variables, for an awkward password."""
    values = {"SECRET": "12e5", "POD_NAME": "nats-0"}
    for each in cluster.workload("nats").container["env"]:
        if "value" in each:
            values[each["name"]] = each["value"].replace("$(SECRET)", values["SECRET"])
    return values


def test_routes_lead_to_every_server(production: Cluster) -> None:
    nats = production.workload("nats")
    peers = nats.spec["serviceName"]
    routes = [v for k, v in nats_environment(production).items() if k.startswith("ROUTE_")]
    hosts = [route.partition("@")[2] for route in routes]
    assert hosts == [f'nats-{n}.{peers}:6222"' for n in range(nats.spec["replicas"])]
