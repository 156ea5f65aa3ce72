"""What is due gets on the wire: nobody takes it all, and who fails again and again waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest
from starlette.types import ASGIApp

from deploy.local.waiting import until
from libs.events.execution_events import AttemptPostponed, AttemptStarted, AttemptSucceeded
from libs.events.log import PostgresLog
from libs.runtime.crypto import Keyring
from libs.runtime.http.names import NameLookup
from services.api.routes.ports import Rules
from services.dispatcher.rules.circuit import FAILURES
from services.dispatcher.rules.slots import Slots
from services.dispatcher.timers.due import TAKE
from tests.services.api.bodies import CRON
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.real import User, application, registered
from tests.services.dispatcher.delivering import BROKEN, OK, Dispatcher, dispatching
from tests.services.dispatcher.life import check

pytestmark = pytest.mark.integration

SECONDS = 20.0
_numbers = count()


@pytest.fixture(scope="module")
def lookup() -> Iterator[NameLookup]:
    names = NameLookup(addresses_of)
    yield names
    names.close()


@pytest.fixture(scope="module")
def app(postgres_log: PostgresLog, lookup: NameLookup) -> ASGIApp:
    rules = Rules(default_plan="scale", session_secret=SECRET, enforce_quotas=False)
    return application(postgres_log, lookup, rules)


@pytest.fixture
async def dispatcher(
    request: pytest.FixtureRequest, postgres_log: PostgresLog
) -> AsyncIterator[Dispatcher]:
    slots = Slots(*getattr(request, "param", (16, 8, 16)))
    async with dispatching(postgres_log, Keyring.derived_from(SECRET), slots) as running:
        yield running


async def fires(user: User, path: str, times: int = 1, attempts: int = 1) -> list[str]:
    """Fire a cue of its own; give the executions."""
    cue = {
        "name": f"cue {next(_numbers)}",
        "schedule": CRON,
        "callback": {"url": f"https://agent.example{path}"},
        "retry": {"max_attempts": attempts, "backoff_minutes": [0]},
    }
    cue_id = (await user.ok("POST", "/v1/cues", cue))["id"]
    return [(await user.ok("POST", f"/v1/cues/{cue_id}/fire"))["id"] for _ in range(times)]


async def test_an_execution_that_cannot_be_read_does_not_stop_the_others(
    app: ASGIApp, dispatcher: Dispatcher, postgres_log: PostgresLog
) -> None:
    user = await registered(app)
    fired = [execution for _ in range(5) for execution in await fires(user, "/hook")]
    spoil = "update executions set state = '{}' where id = %s"
    assert await postgres_log.database.execute(spoil, [fired[2]]) == 1
    await dispatcher.serve()
    assert {attempt.facts.id for attempt in dispatcher.receivers.heard} == {*fired} - {fired[2]}
    # Nobody can read it: it is in the way of the tests after this one.
    await postgres_log.database.execute("delete from executions where id = %s", [fired[2]])


async def test_who_hangs_has_its_share_and_everybody_else_is_served(
    app: ASGIApp, dispatcher: Dispatcher
) -> None:
    noisy, others = await registered(app), [await registered(app) for _ in range(5)]
    hanging = await fires(noisy, "/hang", times=60)
    await dispatcher.look()
    share = len(dispatcher.receivers.waiting)
    assert share == 8, "the account's bound"
    quick = [execution for user in others for execution in await fires(user, "/hook")]
    await dispatcher.look()
    assert await dispatcher.serve() == len(quick)
    for execution in quick:
        assert isinstance((await dispatcher.history(execution))[-1], AttemptSucceeded)
    assert len(dispatcher.receivers.waiting) == share
    begun = Counter(attempt.facts.id for attempt in dispatcher.receivers.heard)
    assert max(begun.values()) == 1
    assert sum(begun[execution] for execution in hanging) == share


@pytest.mark.parametrize("dispatcher", [(512, 256, 512)], indirect=True)
async def test_very_many_of_one_account_delay_another_by_a_look(
    app: ASGIApp, dispatcher: Dispatcher
) -> None:
    many = await fires(await registered(app), "/hook", times=2 * TAKE + 1)
    [last] = await fires(await registered(app), "/hook")
    looks = 0
    while len(await dispatcher.history(last)) == 1:
        await dispatcher.step()
        looks += 1
    assert looks == 2
    assert len(dispatcher.receivers.heard) == TAKE + 1

    async def all_arrived() -> bool:
        await dispatcher.serve()
        return len(dispatcher.receivers.heard) == len(many) + 1

    await until(all_arrived, SECONDS)


async def test_many_who_hang_leave_room_for_a_newcomer(
    app: ASGIApp, dispatcher: Dispatcher
) -> None:
    for _ in range(3):
        await fires(await registered(app), "/hang", times=20)
    await dispatcher.look()
    [execution] = await fires(await registered(app), "/hook")
    await dispatcher.look()
    assert await dispatcher.serve() == 1
    assert isinstance((await dispatcher.history(execution))[-1], AttemptSucceeded)


@pytest.mark.parametrize("dispatcher", [(4, 1, 4)], indirect=True)
async def test_a_destination_that_fails_is_probed_until_it_answers(
    app: ASGIApp, dispatcher: Dispatcher
) -> None:
    user = await registered(app)
    executions = await fires(user, "/hook", times=FAILURES + 3)
    dispatcher.receivers.result = BROKEN
    for _ in range(FAILURES):
        assert await dispatcher.serve() == 1
    assert dispatcher.circuits.open == 1
    waiting = executions[FAILURES:]
    assert await dispatcher.look() == len(waiting), "each is put off, and says so"
    assert len(dispatcher.receivers.heard) == FAILURES
    for execution in waiting:
        told = await user.ok("GET", f"/v1/executions/{execution}")
        assert (told["status"], told["attempts"]) == ("pending", 0)
        timeline = await user.ok("GET", f"/v1/executions/{execution}/timeline")
        assert timeline["events"][-1]["type"] == "AttemptPostponed"
        assert "Put off until" in timeline["events"][-1]["summary"]
    dispatcher.receivers.result = OK

    async def all_arrived() -> bool:
        await dispatcher.serve()
        return len(dispatcher.receivers.heard) == len(executions)

    await until(all_arrived, SECONDS)
    await dispatcher.serve()
    assert dispatcher.circuits.open == 0
    for execution in waiting:
        history = await dispatcher.history(execution)
        check(history)
        assert isinstance(history[-1], AttemptSucceeded)
        assert sum(isinstance(event, AttemptStarted) for event in history) == 1
        assert any(isinstance(event, AttemptPostponed) for event in history)


@pytest.mark.parametrize("dispatcher", [(4, 1, 4)], indirect=True)
async def test_a_neighbour_on_the_same_host_is_not_slowed_down(
    app: ASGIApp, dispatcher: Dispatcher
) -> None:
    await fires(await registered(app), "/hook", times=FAILURES)
    dispatcher.receivers.result = BROKEN
    for _ in range(FAILURES):
        await dispatcher.serve()
    dispatcher.receivers.result = OK
    [execution] = await fires(await registered(app), "/hook")
    assert await dispatcher.serve() == 1
    assert isinstance((await dispatcher.history(execution))[-1], AttemptSucceeded)
