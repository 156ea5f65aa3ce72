"""Faults of the broker, and of the way to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from shutil import disk_usage
from typing import cast

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import DeliverPolicy

from libs.events.subjects import EVENTS
from libs.runtime.clock import monotonic
from tests.e2e.client import ok, soon
from tests.e2e.receiver import Answer
from tests.e2e.waiting import eventually
from tests.faults.faults import freeze, kill_9, wipe
from tests.faults.scene import Scene, fault
from tests.faults.stacks import BehindProxies, OnCluster, OnSmallDisk, filled

KILLS = 8
PAUSE_SECONDS = 20.0
STOPPED_SECONDS = 150.0  # longer than nats-py tries to reconnect by default
LINK_SECONDS = 10.0
LATENCY_SECONDS = 0.05
REPUBLISHED = 500
POISON = 3


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    """A connection of one's own to the broker."""
    client = await nats.connect(url, connect_timeout=5)
    try:
        yield client
    finally:
        await client.close()


async def stream_created_at(scene: Scene) -> str:
    """When the stream of events was made, as the relay has seen it."""
    rows = await scene.world.rows("select stream_created_at from relay")
    return str(rows[0]["stream_created_at"])


async def answers_503(scene: Scene) -> None:
    """Wait until the API has noticed that the broker is away."""

    async def degraded() -> bool | None:
        status = ok(await scene.world.client().get("/status"))
        return status["status"] == "degraded" or None

    await eventually(degraded, "the API notices that the broker is away")


@fault()
async def nats_killed(scene: Scene) -> None:
    """`kill -9` of nats-server, 8 times."""
    server = scene.world.stack.nats
    pids = {server.pid}
    async with scene.under_load() as load:
        for _ in range(KILLS):
            await kill_9(server)
            pids.add(server.pid)
            await load.progress(scene.dice.randrange(1, 5))
        scene.saw(f"{len(pids) - 1} new servers", len(pids) == KILLS + 1)
        await scene.recovered()


@fault(long=True)
async def nats_stopped_for_150_seconds(scene: Scene) -> None:
    """nats-server is away for 150 s, past the default reconnect budget; due cues are delivered."""
    server = scene.world.stack.nats
    api = await scene.world.account()
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    due = [await api.webhook_cue(hook, schedule=soon(STOPPED_SECONDS * n / 5)) for n in range(1, 5)]
    began = monotonic()
    await server.stop()
    await answers_503(scene)
    for number, cue in enumerate(due, 1):
        await hook.arrival(number)
        await api.only_execution(cue["id"], outcome_state="reported_success")
        await asyncio.sleep(max(0.0, began + STOPPED_SECONDS * (number + 1) / 5 - monotonic()))
    scene.saw(f"the broker was away for {monotonic() - began:.0f} s", not server.running)
    scene.saw(f"{len(hook.arrivals)} deliveries meanwhile", len(hook.arrivals) == len(due))
    await server.start()
    await scene.recovered()
    async with scene.under_load() as load:
        await load.progress()


@fault()
async def nats_paused(scene: Scene) -> None:
    """nats-server is stopped where it stands (SIGSTOP) for 20 s."""
    server = scene.world.stack.nats
    async with scene.under_load():
        pausing = asyncio.create_task(freeze(server, PAUSE_SECONDS))
        await answers_503(scene)
        scene.saw("the API noticed a server that says nothing", not pausing.done())
        await pausing
        await scene.recovered()


@fault()
async def nats_wiped(scene: Scene) -> None:
    """The broker loses all it held."""
    before = await stream_created_at(scene)
    async with scene.under_load() as load:
        await wipe(scene.world.stack.nats)
        await scene.recovered()
        await load.progress()
        after = await stream_created_at(scene)
        scene.saw("the streams are new ones", after != before)


@fault("proxies")
async def nats_link(scene: Scene) -> None:
    """The way to the broker is slow, then half open, then reset."""
    proxy = cast("BehindProxies", scene.world.stack).to_nats
    async with scene.under_load() as load:
        proxy.latency = LATENCY_SECONDS
        await load.progress()
        proxy.dropping = True
        await asyncio.sleep(LINK_SECONDS)
        scene.saw(f"{proxy.dropped} chunks swallowed", proxy.dropped)
        proxy.heal()
        await scene.recovered()
        for _ in range(3):
            proxy.reset()
            await load.progress(3)
        scene.saw(f"{proxy.resets} resets", proxy.resets)
        await scene.recovered()


@fault("cluster")
async def nats_leader_lost(scene: Scene) -> None:
    """Of three nats-servers, the one that leads the stream of events is killed."""
    cluster = cast("OnCluster", scene.world.stack).cluster

    async def leader() -> str | None:
        """Ask a server that runs."""
        url = next(node.url for node in cluster.nodes if node.running)
        async with connected(url) as client:
            info = await client.jetstream(timeout=5).stream_info(EVENTS)
            assert info.config.num_replicas == len(cluster.nodes)
            return info.cluster.leader if info.cluster is not None else None

    async with scene.under_load() as load:
        old = await leader()
        [victim] = [node for node in cluster.nodes if node.name == old]
        await victim.kill()

        async def another() -> str | None:
            try:
                new = await leader()
            except NatsError:  # nobody answers while nobody leads
                return None
            return new if new != old else None

        new = await eventually(another, "the others choose a leader")
        scene.saw(f"{new} leads in the place of {old}", not victim.running)
        await scene.recovered()
        await load.progress()
        await victim.start()
        await load.progress()


@fault("small disk")
async def nats_disk_full(scene: Scene) -> None:
    """The broker's disk (a tmpfs; needs root) is full; then it is not, and NATS is restarted."""
    stack = cast("OnSmallDisk", scene.world.stack)
    async with scene.under_load() as load:
        with filled(stack.disk) as taken:
            left = disk_usage(stack.disk).free
            scene.saw(f"no byte left after {taken // 2**20} MiB", left < 4096)
            await load.progress(5)

            async def complains() -> bool | None:
                return any("no space left" in line for line in stack.logs("nats")) or None

            await eventually(complains, "the broker runs into its full disk")
        # JetStream stays off until a restart, which is its liveness probe's to make.
        await stack.nats.stop()
        await stack.nats.start()
        await scene.recovered()


@fault()
async def events_doubled_and_shuffled(scene: Scene) -> None:
    """What the broker holds of events is published twice again, in any order."""
    async with scene.under_load() as load, connected(scene.world.stack.nats.url) as client:
        jetstream = client.jetstream(timeout=5)
        last = (await jetstream.stream_info(EVENTS)).state.last_seq
        copies: list[tuple[str, bytes]] = []
        subscription = await jetstream.subscribe(
            "events.>", ordered_consumer=True, deliver_policy=DeliverPolicy.ALL
        )
        while len(copies) < REPUBLISHED:
            message = await subscription.next_msg(timeout=5)
            copies += [(message.subject, message.data)] * 2
            if message.metadata.sequence.stream >= last:
                break
        await subscription.unsubscribe()
        scene.dice.shuffle(copies)
        for subject, data in copies:
            await jetstream.publish(subject, data, stream=EVENTS)
        stored = (await jetstream.stream_info(EVENTS)).state.last_seq - last
        scene.saw(f"{len(copies)} copies were stored again", stored >= len(copies))
        await scene.recovered()
        await load.progress()


@fault()
async def poison_messages(scene: Scene) -> None:
    """Messages that nobody can read are put aside, and hold nobody up."""
    world = scene.world
    async with scene.under_load() as load, connected(world.stack.nats.url) as client:
        jetstream = client.jetstream(timeout=5)
        subjects = ["events.execution.ExecutionScheduled", "events.execution.OutcomeReported"]
        for number in range(POISON):
            junk = scene.dice.randbytes(64)
            await jetstream.publish(subjects[number % 2], junk, stream=EVENTS)
        await scene.recovered()
        await load.progress()

        async def parked() -> int | None:
            [row] = await world.rows("select count(*) as count from parked_messages")
            return row["count"] if row["count"] >= POISON else None

        count = await eventually(parked, "the poison is put aside", 120)
        scene.saw(f"{count} messages are parked", count)
        await load.progress()
        # As an operator would who has looked at them: the check wants none.
        await world.rows("delete from parked_messages returning id")
