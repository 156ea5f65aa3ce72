"""The MCP server: lists the tools, and answers their calls with what the API said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cueapi.errors import CueAPIError
from cueapi.resource import RunsAsync
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
)
from pydantic import ValidationError

from cueapi_mcp import __version__
from cueapi_mcp.tool import Tool
from cueapi_mcp.tools import TOOLS

INSTRUCTIONS = """\
CueAPI schedules work for agents and keeps the proof that it was done. A cue is a schedule with a \
payload; each time it is due it makes an execution, which a webhook receives or a worker claims; \
an execution ends with a reported outcome.
To schedule work: cueapi_create_cue. To do work: cueapi_claim_next_execution, do it, then \
cueapi_report_outcome with evidence (external_id, result_url, artifacts). To find out why \
something did not happen: cueapi_explain, cueapi_get_execution_timeline, cueapi_list_alerts.
Errors carry a `code`, and often a `hint` with the next step."""


ClientOf = Callable[[Any], RunsAsync]
"""Gives the client to call the API with, for an HTTP request; for None on stdio."""


def make_server(client_of: ClientOf, *, read_only: bool = False) -> Server[Any]:
    """Build the server; `read_only` leaves out every tool that changes something."""
    tools = {tool.tool_name(): tool for tool in TOOLS if tool.only_reads() or not read_only}
    listed = [tool.listed() for tool in tools.values()]

    async def list_tools(
        context: ServerRequestContext[Any], params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=listed)

    async def call_tool(
        context: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult:
        tool = tools.get(params.name)
        if tool is None:
            return _refusal(f"There is no tool {params.name}. {_names(tools)}")
        try:
            call = tool.model_validate(params.arguments or {}).call()
        except ValidationError as error:
            return _refusal(_complaints(tool, error))
        try:
            answer = await client_of(context.request).run(call)
        except CueAPIError as error:
            return _refusal(_told(error))
        return CallToolResult(content=[TextContent(text=_json(answer))])

    return Server(
        "cueapi",
        version=__version__,
        title="CueAPI",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _json(answer: Any) -> str:
    return json.dumps({"ok": True} if answer is None else answer, ensure_ascii=False)


def _told(error: CueAPIError) -> str:
    if error.status_code is None:
        return f"No answer from CueAPI: {error}"
    body = error.body if isinstance(error.body, str) else _json(error.body)
    return f"HTTP {error.status_code}\n{body}"


def _refusal(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)], is_error=True)


def _names(tools: Iterable[str]) -> str:
    return "These exist: " + ", ".join(tools)


def _complaints(tool: type[Tool], error: ValidationError) -> str:
    lines = [f"{tool.tool_name()} was not called:"]
    for problem in error.errors(include_url=False, include_input=False):
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(f"- {_place(problem['loc'])}{message}")
    return "\n".join(lines)


def _place(location: Sequence[int | str]) -> str:
    return ".".join(map(str, location)) + ": " if location else ""
