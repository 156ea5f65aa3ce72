"""An agent that schedules, does and proves work through the MCP server, over stdio."""

import json
import sys
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import TextContent

from tests.e2e.client import Api
from tests.e2e.history import Exchange
from tests.e2e.world import World

pytestmark = pytest.mark.e2e


class Agent:
    """Calls tools and reads what they answer."""

    def __init__(self, mcp: Client) -> None:
        self._mcp = mcp

    async def told(self, tool: str, **arguments: Any) -> str:
        """Call a tool; give the text of its answer, which may be an error."""
        [content] = (await self._mcp.call_tool(f"cueapi_{tool}", arguments)).content
        assert isinstance(content, TextContent)
        return content.text

    async def call(self, tool: str, **arguments: Any) -> Any:
        """Call a tool; give the JSON of its answer."""
        return json.loads(await self.told(tool, **arguments))


async def test_an_agent_does_work_and_proves_it(world: World, api: Api) -> None:
    assert api.key is not None
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "cueapi_mcp", "--base-url", world.stack.base_url],
        env={"CUEAPI_API_KEY": api.key},
    )
    async with Client(stdio_client(server)) as mcp:
        agent = Agent(mcp)
        preview = await agent.call("preview_schedule", cron="0 9 * * 1-5", count=3)
        assert len(preview["next"]) == 3
        cue = await agent.call(
            "create_cue",
            name="mcp",
            cron="0 9 1 1 *",
            worker=True,
            payload={"task": "mcp"},
            verification="require_external_id",
        )
        fired = await agent.call("fire_cue", cue_id=cue["id"], payload_override={"n": 1})
        path = f"/v1/cues/{cue['id']}/fire"
        world.history.exchanges.append(
            Exchange("POST", path, {}, account=api.email, status=200, body=fired)
        )
        claimed = await agent.call("claim_next_execution", worker_id="agent", task_name="mcp")
        assert claimed["execution_id"] == fired["execution_id"]
        assert claimed["payload"] == {"task": "mcp", "n": 1}

        mine = {"execution_id": claimed["execution_id"]}
        kept = await agent.call("execution_heartbeat", worker_id="agent", **mine)
        assert kept["acknowledged"] is True
        reported = await agent.call("report_outcome", success=True, **mine)
        assert reported["outcome_state"] == "verification_failed"
        proven = await agent.call("append_evidence", external_id="ticket-7", **mine)
        assert proven["outcome_state"] == "verified_success"

        again = await agent.told("report_outcome", success=True, **mine)
        assert again.startswith("HTTP 409\n")
        assert "outcome_already_recorded" in again
        story = await agent.call("get_execution_timeline", **mine)
        assert story["total"] > 3
        explained = await agent.call("explain", cue_id=cue["id"], at="2020-06-01T00:00:00Z")
        assert explained["reason"] == "not_yet_created"
        assert await agent.call("delete_cue", cue_id=cue["id"]) == {"ok": True}
        assert (await agent.call("list_cues"))["total"] == 0
