"""The page about the MCP server tells of what there is."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from cueapi_mcp.__main__ import options_of
from cueapi_mcp.tools import TOOLS
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

PAGE = (Path(__file__).parents[3] / "docs/clients/mcp.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


LINES = [line for block in blocks("bash") for line in block.splitlines()]


def test_the_table_names_every_tool_in_order() -> None:
    assert re.findall(r"^\| `(\w+)`", PAGE, re.MULTILINE) == [tool.tool_name() for tool in TOOLS]


async def test_the_configuration_for_desktop_clients_starts_it() -> None:
    [text] = blocks("json")
    server: dict[str, Any] = json.loads(text)["mcpServers"]["cueapi"]
    server["env"]["PATH"] = str(Path(sys.executable).parent)
    async with Client(stdio_client(StdioServerParameters(**server))) as mcp:
        assert len((await mcp.list_tools()).tools) == len(TOOLS)


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("cueapi-mcp ")])
def test_each_command_line_is_one(line: str) -> None:
    assert options_of(shlex.split(line)[1:]).transport == "http"
