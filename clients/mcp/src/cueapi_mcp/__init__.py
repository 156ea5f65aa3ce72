"""MCP server of CueAPI: tools with which agents create cues and prove their work.

Each tool is a frozen model of its input (`tools/`), which says what HTTP call it means. `server`
lists them and sends their calls through the SDK; `transports` serves that over stdio and HTTP.
"""

__version__ = "1.0.0"
