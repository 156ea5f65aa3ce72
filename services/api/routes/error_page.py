"""The page to which `doc_url` leads: every code, what it means and what to do."""

from __future__ import annotations

import json

from starlette.responses import Response

from services.api.codes import CODES
from services.api.codes.told import by_code, example
from services.api.errors import ERROR_PAGE
from services.api.routes.call import Call
from services.api.routes.html import page
from services.api.routes.operation import Access, Operations, Page
from services.api.routes.shapes import NoBody, NoQuery

ERRORS_PATH = "/docs/errors"

reference = Operations("Reference")


@reference.add(
    "GET",
    ERRORS_PATH,
    body=NoBody,
    query=NoQuery,
    answers={200: Page},
    access=Access.OPEN,
)
async def show_error_page(call: Call[NoBody, NoQuery]) -> Response:
    """Show every error code: what it means, how it comes about, and what to do.

    The `doc_url` of an error leads to its section of this page.
    """
    rows, error_page = by_code(CODES), call.request.scope[ERROR_PAGE]
    examples = {
        row: json.dumps(example(code, row, error_page), indent=2, ensure_ascii=False)
        for code, meanings in rows.items()
        for row in meanings
    }
    return page("errors", rows=rows, examples=examples)
