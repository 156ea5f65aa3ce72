"""What a message costs as a msgspec struct, against the same message as a model of pydantic.

`python -m bench.messages`. The models are made from our structs, field by field, so that both read
the same JSON into the same types.
"""

from __future__ import annotations

import time
import types
from collections.abc import Callable, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pydantic

from libs.events.cues import (
    ActiveCue,
    CueCreated,
)
from libs.events.cues import (
    evolve as evolve_cue,
)
from libs.events.envelope import decode, encode
from libs.events.examples import example
from libs.events.execution_events import AttemptStarted, ExecutionScheduled
from libs.events.execution_states import (
    evolve as evolve_execution,
)
from libs.events.executions import Delivering

ROUNDS, TIMES = 7, 2_000

Work = tuple[Callable[[], Any], Callable[[], Any]]
"""The same work in msgspec and in pydantic."""


def main() -> None:
    """Print microseconds of CPU, and how many times more pydantic takes."""
    print(f"msgspec {msgspec.__version__}, pydantic {pydantic.VERSION}; best of {ROUNDS} rounds")
    for name, (message, kind) in messages().items():
        for action, (ours, theirs) in works(message, kind).items():
            a, b = microseconds(ours), microseconds(theirs)
            print(
                f"{name:<22} {action:<7} msgspec {a:5.2f} µs  pydantic {b:5.2f} µs  {b / a:4.1f}x"
            )


def messages() -> Mapping[str, tuple[Any, type[msgspec.Struct]]]:
    """The messages that are read most: two events, and the two states that locks read."""
    scheduled, created = example(ExecutionScheduled), example(CueCreated)
    delivering = evolve_execution(evolve_execution(None, scheduled), example(AttemptStarted))
    return {
        "AttemptStarted": (example(AttemptStarted), AttemptStarted),
        "ExecutionScheduled": (scheduled, ExecutionScheduled),
        "state of an execution": (delivering, Delivering),
        "state of a cue": (evolve_cue(None, created), ActiveCue),
    }


def works(message: Any, kind: type[msgspec.Struct]) -> Mapping[str, Work]:
    """Read, write and make a message both ways; raises if they do not come to the same."""
    body = encode(message)
    twin = twin_of(kind)
    model = twin.model_validate_json(body)
    written = model.model_dump_json(exclude_unset=True)
    assert msgspec.json.decode(written) == _without_tag(msgspec.json.decode(body))
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    theirs = {name: getattr(model, name) for name in twin.model_fields}
    return {
        "decode": (lambda: decode(body, kind), lambda: twin.model_validate_json(body)),
        "encode": (lambda: encode(message), lambda: model.model_dump_json(exclude_unset=True)),
        "make": (lambda: kind(**fields), lambda: twin(**theirs)),
    }


def twin_of(kind: type[msgspec.Struct]) -> type[pydantic.BaseModel]:
    """Make the model of pydantic that has a struct's fields and types."""
    hints = get_type_hints(kind)
    fields: dict[str, Any] = {
        field.name: (
            _twin_type(hints[field.name]),
            ... if field.required else pydantic.Field(default=None),
        )
        for field in msgspec.structs.fields(kind)
    }
    config = pydantic.ConfigDict(frozen=True)
    made: type[pydantic.BaseModel] = pydantic.create_model(
        kind.__name__, __config__=config, **fields
    )
    return made


def _twin_type(hint: Any) -> Any:
    if get_origin(hint) in (types.UnionType, Union):
        parts = tuple(_twin_type(part) for part in get_args(hint))
        return Union[parts]  # noqa: UP007 - its parts are known at run time alone
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return twin_of(hint)
    return hint


def _without_tag(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "stage"}


def microseconds(work: Callable[[], Any]) -> float:
    """The CPU time of doing it once, in the best round."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(TIMES):
            work()
        best = min(best, time.process_time() - began)
    return best / TIMES * 1e6


if __name__ == "__main__":
    main()
