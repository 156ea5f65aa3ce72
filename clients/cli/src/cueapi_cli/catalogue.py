"""Every command: what it is for, and the module that holds it. The first page of help is this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    """A command or group: its module in `cueapi_cli.commands`, and its line of help."""

    module: str
    help: str


FAMILIES: Mapping[str, Mapping[str, Entry]] = {
    "Begin": {
        "quickstart": Entry("quickstart", "See a cue fire and arrive, in a minute."),
        "login": Entry("login", "Sign in by mail, or with a key that you have."),
        "logout": Entry("login", "Forget the key of this profile."),
        "whoami": Entry("account", "Show the account."),
        "auth": Entry("account", "Show where key and server come from."),
        "doctor": Entry("doctor", "Find out what is wrong."),
        "dev": Entry("dev", "Run a whole server on this machine."),
    },
    "Cues": {
        "create": Entry("cues", "Create a cue."),
        "list": Entry("cues", "List cues."),
        "get": Entry("cues", "Show a cue and its latest executions."),
        "update": Entry("changing", "Change a cue."),
        "pause": Entry("changing", "Stop scheduling a cue."),
        "resume": Entry("changing", "Schedule a cue again."),
        "delete": Entry("deleting", "Delete a cue."),
        "bulk-delete": Entry("deleting", "Delete up to 100 cues."),
        "fire": Entry("firing", "Run a cue now."),
        "test": Entry("firing", "Send a test delivery to a cue's callback."),
        "explain": Entry("past", "Tell why a cue did or did not run at a time."),
        "schedule": Entry("schedule", "Put a schedule into words, and list its next times."),
        "preview": Entry("schedule", "List the next times of a schedule."),
    },
    "As code": {
        "apply": Entry("declared", "Make the cues those of a file."),
        "diff": Entry("declared", "Show what apply would change; exit 2 if anything."),
        "export": Entry("declared", "Write the cues as such a file."),
    },
    "Runs": {
        "executions": Entry("executions", "List, claim, report and verify executions."),
        "replay": Entry("past", "Run ended executions again."),
        "logs": Entry("logs", "Show what happened; -f to follow."),
        "tail": Entry("logs", "Follow what happens."),
        "workers": Entry("workers", "List or forget workers."),
        "alerts": Entry("alerts", "List and acknowledge alerts."),
    },
    "On your machine": {
        "listen": Entry("listen", "Bring deliveries to a local port."),
        "trigger": Entry("trigger", "Send one signed sample to a URL."),
        "mcp": Entry("mcp", "Serve the tools of agents, over stdio or HTTP."),
    },
    "Account": {
        "usage": Entry("plans", "Show what of the plan is used."),
        "upgrade": Entry("plans", "Choose another plan."),
        "manage": Entry("plans", "Open the billing portal."),
        "key": Entry("keys", "Replace the key or the webhook secret."),
        "keys": Entry("keys", "List, make, rename and revoke keys."),
        "open": Entry("plans", "Open the dashboard."),
        "api": Entry("api", "Call any path of the API."),
    },
}

COMMANDS: Mapping[str, Entry] = {
    name: entry for family in FAMILIES.values() for name, entry in family.items()
}

OPTIONS = (
    ("--api-key KEY", "the key [CUEAPI_API_KEY]"),
    ("--profile NAME", "which saved login [CUEAPI_PROFILE]"),
    ("--base-url URL", "the server [CUEAPI_API_BASE, CUEAPI_BASE_URL]"),
    ("--json", "the answer as JSON"),
    ("--jq PATH", "one part of the answer, such as .cues[].id"),
    ("-q, --quiet", "ids alone"),
    ("--dry-run", "show what would be sent, and send nothing"),
    ("--no-color", "no colours [NO_COLOR]"),
    ("--version", "the version"),
    ("--install-completion", "completion of your shell"),
)
EXIT_CODES = "0 done  1 failed  2 usage  3 not found  4 not signed in  5 limit  130 interrupted"


def overview() -> str:
    """The first page of help."""
    lines = ["Usage: cueapi [OPTIONS] COMMAND [ARGS]...", "", "Scheduling for agents.", ""]
    for family, entries in FAMILIES.items():
        lines += [f"{family}:", *(f"  {name:<13} {e.help}" for name, e in entries.items()), ""]
    lines += ["Options, anywhere on the line:", *(f"  {o:<21} {h}" for o, h in OPTIONS), ""]
    lines += [f"Exit codes: {EXIT_CODES}", "Help on a command: cueapi COMMAND --help"]
    return "\n".join(lines)
