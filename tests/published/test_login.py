"""Signing in from the published `cueapi` and `cueapi-worker`, through the page and the mail."""

import asyncio
import json
import re

import pytest
import yaml

from tests.e2e.client import Api, ok
from tests.e2e.mails import mailed_link
from tests.e2e.waiting import eventually
from tests.e2e.world import World
from tests.published.programs import CommandLine, Daemons

pytestmark = pytest.mark.e2e


async def said(process: asyncio.subprocess.Process, pattern: str) -> str:
    """Wait until a program has printed something, and give its first group."""
    assert process.stdout is not None
    heard = ""
    async with asyncio.timeout(30):
        while (found := re.search(pattern, heard)) is None:
            more = await process.stdout.read(1_000)
            assert more, heard
            heard += more.decode()
    return found[1]


async def approved(world: World, address: str) -> None:
    """Follow the link that is mailed to an address, and press its button."""
    link = await mailed_link(world, address)
    assert (await world.http.get(link)).status_code == 200
    assert (await world.http.post(link)).status_code == 200


async def signed_in(world: World, cueapi: CommandLine, address: str) -> None:
    async with cueapi.running("login") as login:
        page = await said(login, r"(http://\S+/auth/device\?code=\S+)\s")
        assert page.startswith(f"{world.stack.base_url}/")
        code = page.partition("code=")[2]
        assert code in (await world.http.get(page)).text
        body = {"device_code": code, "email": address}
        ok(await world.client().post("/v1/auth/device-code/submit-email", body))
        await approved(world, address)
        assert await asyncio.wait_for(login.wait(), 30) == 0


async def test_a_stranger_signs_in_and_out(world: World, stranger: CommandLine) -> None:
    await signed_in(world, stranger, "published@example.com")
    assert (await stranger.ok("whoami")).value("Email") == "published@example.com"
    credentials = stranger.home / "cueapi" / "credentials.json"
    assert json.loads(credentials.read_text())["default"]["email"] == "published@example.com"
    await stranger.ok("logout")
    assert "Not logged in" in "".join(str(await stranger("whoami")))
    await stranger.ok("logout", "--all")


async def test_who_has_an_account_signs_in_too(
    world: World, stranger: CommandLine, api: Api
) -> None:
    await signed_in(world, stranger, api.email)
    assert (await stranger.ok("whoami")).value("Email") == api.email


async def test_a_worker_signs_in(world: World, api: Api, daemons: Daemons) -> None:
    daemons.configure(api_key=None, handlers={"any": "true"})
    login = asyncio.ensure_future(daemons("login", "--email", api.email))
    await approved(world, api.email)
    ended = await login
    assert ended.code == 0, ended
    assert yaml.safe_load(daemons.config.read_text())["api_key"] == api.key
    assert (await daemons("status")).code == 0


async def test_a_worker_with_an_email_recovers_from_a_key_that_is_gone(
    world: World, api: Api, daemons: Daemons
) -> None:
    cue = await api.worker_cue(payload={"task": "after"})
    config = {"api_key": "cue_sk_" + "0" * 32, "email": api.email, "handlers": {"after": "true"}}
    async with daemons.running(**config):
        await approved(world, api.email)

        async def has_the_key() -> bool | None:
            return yaml.safe_load(daemons.config.read_text())["api_key"] == api.key or None

        await eventually(has_the_key, "the account's key in the configuration")
        await api.when(await api.fire(cue["id"]), status="success")
