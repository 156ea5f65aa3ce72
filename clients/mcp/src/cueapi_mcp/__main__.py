"""`cueapi-mcp`: serve the tools over stdio, or over HTTP for many."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from cueapi_mcp import __version__
from cueapi_mcp.http import LOOPBACK
from cueapi_mcp.running import ConfigurationError, Options, serve_http, serve_stdio

_EPILOG = """\
environment:
  CUEAPI_API_KEY   the account's key; needed on stdio. Over HTTP clients send their own
                   (Authorization: Bearer ...); on loopback it stands in for a missing one.
  CUEAPI_BASE_URL  where CueAPI is (default: https://api.cueapi.ai)
  MCP_TRANSPORT    as --transport
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until the client hangs up or a signal comes. Returns 0, or 2 if it can't begin."""
    options = options_of(arguments)
    serve = serve_http if options.transport == "http" else serve_stdio
    try:
        asyncio.run(serve(options))
    except ConfigurationError as error:
        print(f"cueapi-mcp: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def options_of(arguments: Sequence[str] | None) -> Options:
    """Read the command line and the environment; leaves with 2 for what can't be meant."""
    parser = argparse.ArgumentParser(
        prog="cueapi-mcp",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--transport",
        choices=["stdio", "http"],
        default=os.environ.get("MCP_TRANSPORT", "stdio"),
        help="how clients speak to it (default: stdio)",
    )
    parser.add_argument("--base-url", help="where CueAPI is; before CUEAPI_BASE_URL")
    parser.add_argument("--read-only", action="store_true", help="leave out tools that change")
    parser.add_argument("--host", default="127.0.0.1", help="HTTP: address to listen on")
    parser.add_argument("--port", type=int, default=8765, help="HTTP: port to listen on")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME[:PORT]",
        help="HTTP: Host header to answer to, besides loopback's; may be repeated",
    )
    given = parser.parse_args(arguments)
    if given.transport not in ("stdio", "http"):
        parser.error(f"MCP_TRANSPORT is {given.transport!r}: it may be stdio or http")
    if given.host not in LOOPBACK and not given.allow_host:
        parser.error(f"with --host {given.host}, say what names it answers to: --allow-host")
    return Options(
        transport=given.transport,
        api_key=os.environ.get("CUEAPI_API_KEY", "").strip() or None,
        base_url=given.base_url,
        read_only=given.read_only,
        host=given.host,
        port=given.port,
        allowed_hosts=tuple(given.allow_host),
    )


if __name__ == "__main__":
    sys.exit(main())
