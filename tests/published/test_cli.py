"""Each command of the published `cueapi` (clients.md §2)."""

import json
from uuid import uuid4

import pytest

from tests.e2e.client import Api, in_seconds
from tests.e2e.receiver import Answer
from tests.e2e.world import World
from tests.published.leases import LEASE_SECONDS
from tests.published.programs import CommandLine

pytestmark = pytest.mark.e2e

LATER = "2040-01-01T00:00:00Z"


async def created(cueapi: CommandLine, *words: str) -> str:
    """Create a cue, and give its id."""
    return (await cueapi.ok("create", "--name", str(uuid4()), *words)).value("Created")


async def claimable(cueapi: CommandLine, task: str) -> str:
    """Make an execution that waits for a worker, and give its id."""
    payload = json.dumps({"task": task})
    cue_id = await created(cueapi, "--at", LATER, "--worker", "--payload", payload)
    return (await cueapi.ok("fire", cue_id)).value("Execution")


async def test_whoami_and_usage_know_the_account(cueapi: CommandLine, api: Api) -> None:
    who = await cueapi.ok("whoami")
    assert who.value("Email") == api.email
    assert who.value("Active cues").startswith("0 / ")
    await created(cueapi, "--at", LATER, "--worker")
    usage = await cueapi.ok("usage")
    assert usage.value("Active cues").startswith("1 / ")
    assert usage.value("Rate limit").endswith(" req/min")


async def test_create_sends_all_that_it_is_given(cueapi: CommandLine, api: Api) -> None:
    hook = api.hook()
    ended = await cueapi.ok(
        *("create", "--name", "whole", "--cron", "0 9 * * *", "--url", hook.url),
        *("--method", "PUT", "--timezone", "Europe/Berlin", "--payload", '{"a": 1}'),
        *("--description", "each morning", "--on-failure", '{"email": false, "pause": true}'),
    )
    cue = await api.cue(ended.value("Created"))
    assert cue["name"] == "whole"
    assert cue["schedule"]["cron"] == "0 9 * * *"
    assert cue["schedule"]["timezone"] == "Europe/Berlin"
    assert (cue["callback"]["url"], cue["callback"]["method"]) == (hook.url, "PUT")
    assert cue["payload"] == {"a": 1}
    assert cue["description"] == "each morning"
    assert (cue["on_failure"]["email"], cue["on_failure"]["pause"]) == (False, True)
    assert (ended.value("Status"), ended.value("Next run")) == ("active", cue["next_run"])


async def test_get_shows_a_cue_of_either_transport(cueapi: CommandLine, api: Api) -> None:
    hook = api.hook()
    of_webhook = await cueapi.ok("get", await created(cueapi, "--at", LATER, "--url", hook.url))
    assert of_webhook.value("Callback") == f"POST {hook.url}"
    assert of_webhook.value("Next run") == LATER
    of_worker = await cueapi.ok("get", await created(cueapi, "--at", LATER, "--worker"))
    assert of_worker.value("Status") == "active"


async def test_get_shows_what_was_delivered(cueapi: CommandLine, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    cue_id = await created(cueapi, "--at", in_seconds(1), "--callback", hook.url)
    await api.only_execution(cue_id, status="success")
    assert "success" in (await cueapi.ok("get", cue_id)).out


async def test_list_pages_and_filters(cueapi: CommandLine) -> None:
    first = await created(cueapi, "--at", LATER, "--worker")
    second = await created(cueapi, "--at", LATER, "--worker")
    await cueapi.ok("pause", first)
    assert "2 cues" in (await cueapi.ok("list")).out
    paused = (await cueapi.ok("list", "--status", "paused")).out
    assert first in paused
    assert second not in paused
    page = (await cueapi.ok("list", "--limit", "1", "--offset", "1")).out
    assert first in page
    assert second not in page


async def test_update_merges_what_it_does_not_name(cueapi: CommandLine, api: Api) -> None:
    old, new = api.hook(), api.hook()
    cue_id = await created(
        *(cueapi, "--cron", "0 9 * * *", "--timezone", "Asia/Tokyo"),
        *("--url", old.url, "--method", "PUT"),
    )
    ended = await cueapi.ok(
        *("update", cue_id, "--name", "renamed", "--cron", "0 8 * * *", "--url", new.url),
        *("--payload", '{"b": 2}', "--description", "earlier", "--on-failure", '{"pause": true}'),
    )
    assert ended.out == f"Updated: {cue_id} (renamed)\n"
    cue = await api.cue(cue_id)
    assert (cue["schedule"]["cron"], cue["schedule"]["timezone"]) == ("0 8 * * *", "Asia/Tokyo")
    assert (cue["callback"]["url"], cue["callback"]["method"]) == (new.url, "PUT")
    assert (cue["payload"], cue["description"]) == ({"b": 2}, "earlier")
    assert cue["on_failure"]["pause"] is True


async def test_pause_resume_delete(cueapi: CommandLine, api: Api) -> None:
    cue_id = await created(cueapi, "--cron", "0 9 * * *", "--worker")
    assert (await cueapi.ok("pause", cue_id)).value("Paused").startswith(cue_id)
    assert (await api.cue(cue_id))["status"] == "paused"
    assert (await cueapi.ok("resume", cue_id)).value("Resumed").startswith(cue_id)
    assert (await api.cue(cue_id))["status"] == "active"
    assert "Cancelled." in (await cueapi.ok("delete", cue_id, stdin="n\n")).out
    assert (await api.cue(cue_id))["status"] == "active"
    assert (await cueapi.ok("delete", cue_id, "--yes")).out == "Deleted.\n"
    assert await cueapi.refused("get", cue_id) == f"Cue not found: {cue_id}"


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ((), {"a": 1, "b": 1}),
        (("--payload-override", '{"b": 2}'), {"a": 1, "b": 2}),
        (("--payload-override", '{"b": 2}', "--merge-strategy", "merge"), {"a": 1, "b": 2}),
        (("--payload-override", '{"b": 2}', "--merge-strategy", "replace"), {"b": 2}),
    ],
)
async def test_fire_overrides_the_payload(
    cueapi: CommandLine, api: Api, words: tuple[str, ...], sent: dict[str, int]
) -> None:
    hook = api.hook()
    cue_id = await created(
        cueapi, "--at", LATER, "--url", hook.url, "--payload", '{"a": 1, "b": 1}'
    )
    fired = await cueapi.ok("fire", cue_id, *words)
    arrival = await hook.arrival()
    assert arrival.execution_id == fired.value("Execution")
    assert arrival.document["payload"] == sent


async def test_a_worker_by_hand(cueapi: CommandLine, api: Api) -> None:
    execution_id = await claimable(cueapi, "by-hand")
    listed = (await cueapi.ok("executions", "list-claimable", "--task", "by-hand")).out
    assert execution_id in listed
    assert "by-hand" in listed
    claimed = await cueapi.ok("executions", "claim", execution_id, "--worker-id", "me")
    assert (claimed.value("Claimed"), claimed.value("Lease")) == (execution_id, f"{LEASE_SECONDS}s")
    beaten = await cueapi.ok("executions", "heartbeat", execution_id, "--worker-id", "me")
    assert execution_id in beaten.out
    await cueapi.refused("executions", "claim", execution_id, "--worker-id", "other")
    await cueapi.refused("executions", "heartbeat", execution_id, "--worker-id", "other")
    reported = await cueapi.ok(
        *("executions", "report-outcome", execution_id, "--success", "--external-id", "e-1"),
        *("--result-url", "https://example.com/r", "--summary", "fine"),
    )
    assert reported.value("Outcome recorded").startswith(execution_id)
    outcome = (await api.execution(execution_id))["outcome"]
    assert (outcome["success"], outcome["external_id"]) == (True, "e-1")
    assert (outcome["result_url"], outcome["summary"]) == ("https://example.com/r", "fine")
    await cueapi.refused("executions", "report-outcome", execution_id, "--failure")
    shown = await cueapi.ok("executions", "get", execution_id)
    assert shown.value("Status") == "success"
    await cueapi.refused("executions", "heartbeat", execution_id, "--worker-id", "me")


async def test_claim_next_with_and_without_a_task(cueapi: CommandLine) -> None:
    def next_of(*words: str) -> tuple[str, ...]:
        return ("executions", "claim-next", "--worker-id", "me", *words)

    assert "No executions available" in (await cueapi.ok(*next_of())).out
    first, second = await claimable(cueapi, "one"), await claimable(cueapi, "two")
    assert (await cueapi.ok(*next_of("--task", "two"))).value("Claimed") == second
    assert (await cueapi.ok(*next_of())).value("Claimed") == first


async def test_executions_are_listed_by_cue_and_status(cueapi: CommandLine, api: Api) -> None:
    execution_id = await claimable(cueapi, "listed")
    cue_id = (await api.execution(execution_id))["cue_id"]
    words = ("executions", "list", "--cue-id", cue_id, "--limit", "5", "--offset", "0")
    assert execution_id in (await cueapi.ok(*words, "--status", "pending")).out
    assert execution_id not in (await cueapi.ok(*words, "--status", "failed")).out


async def test_quickstart_delivers_to_the_echo(cueapi: CommandLine) -> None:
    assert "Callback delivered!" in (await cueapi.ok("quickstart")).out
    assert "quickstart-test" not in (await cueapi.ok("list")).out


async def test_key_regenerate_saves_the_new_key(
    cueapi: CommandLine, stranger: CommandLine, api: Api, world: World
) -> None:
    credentials = stranger.home / "cueapi" / "credentials.json"
    credentials.parent.mkdir()
    base = f"{world.stack.base_url}/v1"
    profile = {"api_key": api.key, "email": api.email, "api_base": base}
    credentials.write_text(json.dumps({"default": profile}))
    await stranger.ok("key", "regenerate", "--yes")
    assert json.loads(credentials.read_text())["default"]["api_key"] != api.key
    assert (await stranger.ok("whoami")).value("Email") == api.email
    assert "401" in await cueapi.refused("whoami"), "the old key is in its environment"


@pytest.mark.parametrize("words", [("upgrade",), ("manage",)])
async def test_without_stripe_billing_is_refused(
    cueapi: CommandLine, words: tuple[str, ...]
) -> None:
    refusal = await cueapi.refused(*words, stdin="pro\nmonthly\n")
    assert refusal.endswith("Failed (HTTP 503)")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("get", "cue_none"), "Cue not found: cue_none"),
        (("fire", "cue_none"), "Cue not found: cue_none"),
        (("delete", "cue_none", "--yes"), "Cue not found: cue_none"),
        (("executions", "get", "none"), "Execution not found: none"),
        # It looks for the reason at `detail.error`, where this API has none (clients.md, 3).
        (("create", "--name", "x", "--cron", "no", "--worker"), "Failed (HTTP 400)"),
        (("list", "--limit", "1000"), "Failed to list cues (HTTP 422)"),
    ],
)
async def test_refusals_end_with_1(cueapi: CommandLine, words: tuple[str, ...], said: str) -> None:
    assert await cueapi.refused(*words) == said


async def test_a_line_that_is_wrong_ends_with_2(cueapi: CommandLine) -> None:
    assert (await cueapi("create", "--name", "x")).code == 2
    assert (await cueapi("create", "--name", "x", "--at", LATER, "--payload", "{")).code == 2
    assert (await cueapi("executions", "report-outcome", "x")).code == 2


async def test_who_is_not_signed_in_is_told_so_with_0(stranger: CommandLine) -> None:
    # A fault of its own: nothing was done, and a script is told that all is well (clients.md §6).
    for words in (("whoami",), ("list",), ("usage",)):
        ended = await stranger(*words)
        assert ended.code == 0
        assert "Not logged in" in ended.out + ended.err
