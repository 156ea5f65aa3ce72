"""The `cueapi-mcp` command as a process, driven over stdio."""

from __future__ import annotations

import sys

import pytest
from cueapi_mcp.__main__ import main
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

MODULE = ["-m", "cueapi_mcp"]


async def test_an_agent_reads_the_tools_over_stdio() -> None:
    server = StdioServerParameters(
        command=sys.executable, args=[*MODULE, "--read-only"], env={"CUEAPI_API_KEY": "cue_sk_x"}
    )
    async with Client(stdio_client(server)) as mcp:
        names = {tool.name for tool in (await mcp.list_tools()).tools}
        assert mcp.instructions is not None
        assert "cueapi_create_cue" in mcp.instructions
    assert "cueapi_list_cues" in names
    assert "cueapi_create_cue" not in names


def test_without_a_key_it_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CUEAPI_API_KEY", raising=False)
    assert main([]) == 2
    assert "set CUEAPI_API_KEY" in capsys.readouterr().err


def test_a_base_that_is_no_url_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUEAPI_API_KEY", "cue_sk_x")
    assert main(["--base-url", "localhost"]) == 2
    assert "no base URL" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "environment", "complaint"),
    [
        (["--host", "0.0.0.0"], "http", "--allow-host"),
        ([], "carrier-pigeon", "MCP_TRANSPORT"),
    ],
)
def test_what_can_not_be_meant_is_refused(
    arguments: list[str],
    environment: str,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MCP_TRANSPORT", environment)
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert complaint in capsys.readouterr().err
