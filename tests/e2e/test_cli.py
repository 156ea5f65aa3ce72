"""The command line against the whole stack, as processes."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.client import Api
from tests.e2e.command_line import CommandLine
from tests.e2e.mails import mailed_link
from tests.e2e.receiver import Answer, Hook, Receiver
from tests.e2e.world import World, running

pytestmark = pytest.mark.e2e


@pytest.fixture
def cli(world: World, api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(world, tmp_path, api)


async def test_a_cue_from_the_command_line(cli: CommandLine, world: World, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True, "result": "sent"})
    line = ("create", "--name", "cli", "--cron", "0 9 1 1 *", "--url", hook.url)
    cue_id = (await cli.ok(*line, "--payload", '{"a": 1}', "-q")).strip()
    assert (await cli.ok("list")).startswith(f"{cue_id}\tcli\tactive\t")
    fired = await cli("fire", cue_id, "--payload-override", '{"b": 2}', "--wait", "--json")
    assert fired.code == 0, fired
    run = json.loads(fired.out)
    cli.has_fired({**run, "execution_id": run["id"], "triggered_by": "manual_fire"})
    assert run["outcome"]["result"] == "sent"
    assert (await hook.arrival()).document["payload"] == {"a": 1, "b": 2}
    attempts = await cli.json("executions", "attempts", run["id"])
    assert attempts["attempts"][0]["http_status"] == 200
    story = await cli.ok("executions", "timeline", run["id"])
    assert "OutcomeReported" in story
    assert (await cli.ok("logs")).split("\t")[3] == run["id"]
    assert (await cli.json("whoami"))["email"] == api.email
    assert "Executions:" in await cli.ok("usage")
    assert (await cli.ok("pause", cue_id)) == f"Paused: {cue_id} (cli)\n"
    assert (await cli.ok("explain", cue_id)).startswith("not_due")
    assert "Deleted.\n" in await cli.ok("delete", cue_id, "--yes")
    gone = await cli("get", cue_id)
    assert (gone.code, "cue_not_found" in gone.err) == (3, True)


async def test_waiting_for_an_agent_that_fails(cli: CommandLine, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": False, "error": "no paper"})
    cue = await api.webhook_cue(hook)
    ended = await cli("fire", cue["id"], "--wait", "--json")
    run = json.loads(ended.out)
    cli.has_fired({**run, "execution_id": run["id"], "triggered_by": "manual_fire"})
    assert (ended.code, run["outcome"]["error"]) == (1, "no paper")


async def test_the_live_tail(cli: CommandLine, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True})
    cue = await api.webhook_cue(hook)
    before = await cli.json("tail", "--after", "0-0", "-n", "1")
    assert before["type"] == "AccountRegistered"
    async with cli.running("tail", "--cue", cue["id"], "--after", before["position"]) as tail:
        await tail.says("CueCreated")
        execution_id = await api.fire(cue["id"])
        assert execution_id in await tail.says("ExecutionScheduled")
        assert "delivered" in await tail.says("AttemptSucceeded")
        assert "success" in await tail.says("OutcomeReported")


@pytest.fixture
async def here(api: Api) -> AsyncIterator[Hook]:
    """A handler on this machine, which the invariants of deliveries do not know."""
    async with Receiver() as receiver:
        yield receiver.hook(api.webhook_secret)


async def test_listening_without_a_public_address(cli: CommandLine, api: Api, here: Hook) -> None:
    """The copy that reaches the local handler is, to the byte, what went out and verifies."""
    there = api.hook()
    cue = await api.webhook_cue(there)
    words = ("listen", "--forward-to", here.url, "--cue", cue["id"])
    async with cli.running(*words) as listening:
        await listening.says("Ready.")
        execution_id = await api.fire(cue["id"])
        assert execution_id in await listening.says("200 in")
    copy, sent = here.arrivals[0], there.arrivals[0]
    assert copy.verified
    assert copy.body == sent.body
    assert copy.headers["X-CueAPI-Signature"] == sent.headers["X-CueAPI-Signature"]
    assert copy.headers["webhook-signature"] == sent.headers["webhook-signature"]
    assert "X-Canary" not in copy.headers


async def test_claimed_work_comes_to_a_local_handler(
    cli: CommandLine, api: Api, here: Hook
) -> None:
    here.answer = Answer(body={"success": True, "result": "done here"})
    cue = await api.worker_cue(payload={"task": "local"})
    execution_id = await api.fire(cue["id"])
    told = await cli.ok("listen", "--forward-to", here.url, "--task", "local", "-n", "1")
    assert f"{execution_id}  200 in" in told
    assert here.arrivals[0].verified
    ended = await api.when(execution_id, status="success")
    assert ended["outcome"]["result"] == "done here"


async def test_cues_as_code(cli: CommandLine, api: Api, tmp_path: Path) -> None:
    file = tmp_path / "cues.yaml"
    cue = 'cues: [{name: coded, cron: "0 9 * * *", worker: true, payload: {task: a}}]'
    file.write_text(cue)
    assert (await cli("diff")).code == 2
    assert "1 to create" in await cli.ok("apply", "--yes")
    assert (await cli.ok("diff", "--prune")) == "No difference.\n"
    file.write_text(cue.replace("task: a", "task: b"))
    assert "1 to change" in await cli.ok("apply", "--yes")
    (tmp_path / "exported.yaml").write_text(await cli.ok("export"))
    assert (await cli.ok("diff", "-f", "exported.yaml", "--prune")) == "No difference.\n"
    file.write_text("cues: []")
    assert "1 to delete" in await cli.ok("apply", "--prune", "--yes")
    assert (await cli.ok("list")) == ""


async def test_a_handler_is_put_to_the_test(cli: CommandLine, here: Hook) -> None:
    assert "Right." in await cli.ok("trigger", "--url", here.url)
    assert here.arrivals[0].verified
    believes_all = await cli("trigger", "--url", here.url, "--bad-signature")
    assert believes_all.code == 1
    assert not here.arrivals[1].verified


async def test_signing_in_by_mail(world: World, api: Api, tmp_path: Path) -> None:
    stranger = CommandLine(world, tmp_path, None)
    async with stranger.running("login", "--email", api.email, "--no-browser") as login:
        code = re.findall(r"[A-Z0-9]{4}-[A-Z0-9]{4}", await login.says("Compare the code"))
        link = await mailed_link(world, api.email)
        assert code[0] in (await world.http.get(link)).text
        assert (await world.http.post(link)).status_code == 200
        assert api.email in await login.says("Logged in as")
        assert (await login.ended()).code == 0
    assert (await stranger.json("whoami"))["email"] == api.email
    status = await stranger.json("auth", "status")
    assert (status["key_from"], status["server"]) == ("profile default", world.stack.base_url)
    healthy = await stranger("doctor", "--json")
    assert healthy.code == 0, healthy
    await stranger.ok("logout")
    assert (await stranger("whoami")).code == 4


async def test_quickstart(tmp_path: Path) -> None:
    """On a stack of its own: its delivery goes to the echo, where no receiver is to be asked."""
    async with running(tmp_path / "stack") as own:
        first_user = CommandLine(own, tmp_path, await own.account())
        assert "Delivered." in await first_user.ok("quickstart")
        assert await first_user.ok("list") == ""
