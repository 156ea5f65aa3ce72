"""The release before runs on this one's schema, beside its services, and back again, under load."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from deploy.local.programs import CUEAPI, SERVICES, Programs
from deploy.local.service import Service
from tests.e2e.client import Api
from tests.e2e.world import World, running
from tests.faults.balancer import Balancer, balanced
from tests.faults.load import Load

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

Release = Mapping[str, list[str]]


@pytest.fixture
async def world(old_services: dict[str, list[str]], tmp_path: Path) -> AsyncIterator[World]:
    """The services of the release before, on today's schema and streams."""
    programs = Programs(preparations=CUEAPI.preparations, services=old_services)
    replicas = dict.fromkeys(SERVICES, 2)
    async with running(tmp_path, programs=programs, replicas=replicas) as world:
        yield world


async def roll(world: World, load: Load, release: Release, dice: random.Random) -> None:
    """Put one replica after the other on a release, in any order."""
    replicas: list[tuple[str, Service]] = [
        (name, replica) for name in SERVICES for replica in world.stack.services[name]
    ]
    dice.shuffle(replicas)
    for name, replica in replicas:
        await load.progress(10)
        await replica.become(release[name])


async def test_a_release_is_rolled_out_and_back(
    world: World, old_services: dict[str, list[str]], dice: random.Random
) -> None:
    async with balanced(Balancer(world.stack.services["api"])) as http:
        api = await Api(http, world.history, world.receiver).register()
        async with Load(world, api) as load:
            await roll(world, load, CUEAPI.services, dice)
            await load.progress(50)
            await roll(world, load, old_services, dice)
            await load.progress(50)
    bad = [(e.status, e.path) for e in world.history.exchanges if (e.status or 500) >= 500]
    assert bad == []
    assert load.doubled() == []
    rows = await world.rows("select count(*) as count from events where type = 'AttemptLost'")
    assert rows[0]["count"] == 0
    assert world.down() == []
    await world.check()
