"""Signing in by device code, as a person does it: terminal, page, mail, page, terminal."""

import pytest

from tests.e2e.client import Api, JsonObject, ok
from tests.e2e.mails import mailed_link
from tests.e2e.world import World

pytestmark = pytest.mark.e2e


async def signed_in(world: World, address: str) -> JsonObject:
    """Sign in from a terminal with an address; give what the terminal gets."""
    terminal = world.client()
    begun = ok(await terminal.post("/v1/auth/device-code", {}), 201)
    code = {"device_code": begun["device_code"]}
    assert begun["verification_url"].startswith(f"{world.stack.base_url}/auth/device?code=")
    assert begun["device_code"] in (await world.http.get(begun["verification_url"])).text
    ok(await terminal.post("/v1/auth/device-code/submit-email", {**code, "email": address}))
    assert ok(await terminal.post("/v1/auth/device-code/poll", code)) == {"status": "email_sent"}
    link = await mailed_link(world, address)
    asked = await world.http.get(link)
    assert begun["device_code"] in asked.text
    assert ok(await terminal.post("/v1/auth/device-code/poll", code)) == {"status": "email_sent"}
    approved = await world.http.post(link)
    assert approved.status_code == 200
    polled: JsonObject = ok(await terminal.post("/v1/auth/device-code/poll", code))
    assert ok(await terminal.post("/v1/auth/device-code/poll", code))["status"] != "approved"
    return polled


async def test_a_stranger_gets_an_account_by_mail(world: World) -> None:
    polled = await signed_in(world, "stranger@example.com")
    assert (polled["status"], polled["email"]) == ("approved", "stranger@example.com")
    client = world.client(polled["api_key"])
    assert ok(await client.get("/v1/auth/me"))["email"] == "stranger@example.com"


async def test_who_has_an_account_gets_its_key(api: Api, world: World) -> None:
    polled = await signed_in(world, api.email)
    assert polled["api_key"] == api.key
    session = ok(await world.client().post("/v1/auth/session", {"token": polled["session_token"]}))
    assert session["email"] == api.email
