"""The error table as it is told: by code, with an example of each answer, in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.api.codes.base import Code

EXAMPLE_REQUEST = "01a2102f-b219-719d-9477-5ae48514a3bc"
EXAMPLE_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_INTRODUCTION = """\
# Errors

Every answer that is not 2xx has one body. `code` and `status` never change their meaning; `message`
is for people and may. `hint` says what to do next, and `doc_url` leads to the code's section here,
which the API also serves at `/docs/errors`. `validation_error` lists every fault in `details`.
Name the `request_id` when you ask for help; it is in the header `X-Request-Id` as well. Under
`trace_id` a self-hoster's tracing finds what the request caused.

<!-- Made of services/api/codes by `python -m tests.contract.reference`; don't edit. -->
"""


def by_code(codes: Mapping[str, Code]) -> dict[str, list[Code]]:
    """The rows under the names that clients see, in the order of the alphabet."""
    found: dict[str, list[Code]] = {}
    for name in sorted(codes, key=lambda name: (codes[name].wire or name, codes[name].status)):
        found.setdefault(codes[name].wire or name, []).append(codes[name])
    return found


def example(code: str, row: Code, error_page: str) -> dict[str, Any]:
    """An answer with this code."""
    error: dict[str, Any] = {
        "code": code,
        "message": row.example,
        "status": row.status,
        "request_id": EXAMPLE_REQUEST,
        "trace_id": EXAMPLE_TRACE,
        "hint": row.hint,
        "doc_url": f"{error_page}#{code}",
    }
    if code == "validation_error":
        field, _, message = row.example.partition(": ")
        error["details"] = [{"field": field, "message": message}]
    return {"error": error}


def markdown(codes: Mapping[str, Code], error_page: str) -> str:
    """The page of all codes."""
    return "\n".join([_INTRODUCTION, *_sections(codes, error_page)])


def _sections(codes: Mapping[str, Code], error_page: str) -> Iterable[str]:
    for code, rows in by_code(codes).items():
        yield f"## {code}\n"
        for row in rows:
            yield f"**{row.status}** · {row.meaning}\n"
            yield f"*Why.* {row.cause}\n"
            yield f"*What to do.* {row.hint}\n"
            shown = json.dumps(example(code, row, error_page), indent=2, ensure_ascii=False)
            yield f"```json\n{shown}\n```\n"
