"""MCP server of CueAPI: tools with which agents create cues and prove their work."""
