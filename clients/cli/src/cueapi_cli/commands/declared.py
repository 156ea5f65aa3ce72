"""`apply`, `diff` and `export`: the cues of an account as a file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cueapi_cli.commands.deleting import confirmed
from cueapi_cli.commands.fields import Yes
from cueapi_cli.declarations import declared
from cueapi_cli.failures import Failure
from cueapi_cli.output import Output
from cueapi_cli.plan import DEFAULTS, Change, Create, Delete, Step, exported, lines_of, plan
from cueapi_cli.session import Session, session_of

app = typer.Typer()

File = Annotated[str, typer.Option("-f", "--file", help="a YAML file, or - for standard input")]
Prune = Annotated[bool, typer.Option("--prune", help="delete cues that the file does not name")]
DRIFT = 2
PAGE = 100


@app.command()
def apply(
    ctx: typer.Context, file: File = "cues.yaml", prune: Prune = False, yes: Yes = False
) -> None:
    """Make the cues those of a file: shows the plan, asks, and does it."""
    session = session_of(ctx)
    steps = _plan(session, file, prune)
    told = {"steps": [_told(step) for step in steps], "applied": False}
    if not steps:
        session.output.show(told, "Nothing to do: the cues are as the file says.")
        return
    for line in _lines(steps, session.output):
        session.output.note(line)
    if session.wishes.dry_run:
        session.output.show(told, _counted(steps))
        return
    if not yes:
        confirmed(session, f"{_counted(steps)} Do it?")
    for step in steps:
        _do(session, step)
        session.output.note(session.output.good(f"Done: {step.name}"))
    session.output.show({**told, "applied": True}, _counted(steps))


@app.command()
def diff(ctx: typer.Context, file: File = "cues.yaml", prune: Prune = False) -> None:
    """Show what apply would change; exit 2 if there is anything."""
    session = session_of(ctx)
    steps = _plan(session, file, prune)
    told = {"steps": [_told(step) for step in steps]}
    lines = _lines(steps, session.output) or ["No difference."]
    session.output.show(told, *lines)
    if steps:
        raise typer.Exit(DRIFT)


@app.command()
def export(ctx: typer.Context) -> None:
    """Write the cues as such a file, to standard output. Values of headers are not told."""
    import yaml

    session = session_of(ctx)
    cues = [exported(cue, DEFAULTS) for cue in reversed(_present(session))]
    text = yaml.safe_dump({"cues": cues}, sort_keys=False, allow_unicode=True)
    session.output.show({"cues": cues}, text.rstrip(), id_of="cues")


def _plan(session: Session, file: str, prune: bool) -> list[Step]:
    steps = plan(declared(file, session.environment), _present(session), prune=prune)
    for step in steps:
        if isinstance(step, Change) and "transport" in step.fields:
            hint = f"Delete it first: cueapi delete {step.cue_id}"
            raise Failure(f"{step.name}: a cue's transport cannot change.", hint)
    return steps


def _present(session: Session) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        wanted = {"limit": PAGE, "offset": len(found)}
        page = session.client.request("GET", "/v1/cues", params=wanted)
        found += page["cues"]
        if not page["cues"] or len(found) >= page["total"]:
            return found


def _do(session: Session, step: Step) -> None:
    match step:
        case Create(cue=cue):
            body = {name: value for name, value in cue.items() if name != "status"}
            made = session.client.request("POST", "/v1/cues", json=body)
            if cue.get("status") == "paused":
                session.client.cues.pause(made["id"])
        case Change(cue_id=cue_id, fields=fields):
            session.client.request("PATCH", f"/v1/cues/{cue_id}", json=dict(fields))
        case Delete(cue_id=cue_id):
            session.client.cues.delete(cue_id)


def _told(step: Step) -> dict[str, Any]:
    match step:
        case Create(name=name):
            return {"action": "create", "name": name}
        case Change(name=name, cue_id=cue_id, fields=fields):
            return {"action": "update", "name": name, "id": cue_id, "fields": [*fields]}
        case Delete(name=name, cue_id=cue_id):
            return {"action": "delete", "name": name, "id": cue_id}


def _lines(steps: list[Step], out: Output) -> list[str]:
    marks = {"+": out.good, "-": out.bad}
    lines = [line for step in steps for line in lines_of(step)]
    return [marks.get(line.lstrip()[0], str)(line) for line in lines]


def _counted(steps: list[Step]) -> str:
    kinds = [type(step) for step in steps]
    return (
        f"{kinds.count(Create)} to create, {kinds.count(Change)} to change,"
        f" {kinds.count(Delete)} to delete."
    )
