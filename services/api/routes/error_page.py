"""The page to which `doc_url` leads: every code, what it means and what to do."""

from __future__ import annotations

from starlette.responses import Response

from services.api.routes.call import Call
from services.api.routes.docs import docs_page
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
    return await docs_page(call.request, "reference/errors.md")
