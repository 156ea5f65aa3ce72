"""The documentation at `/docs`: Markdown files, each made a page when it is first asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.api.routes.html import template
from services.api.routes.static import answer_asset, secured
from services.api.rules.markdown import Rendered, render
from services.api.rules.site import (
    ASSETS,
    ROOT,
    address_of,
    links_from,
    llms_txt,
    names_of,
    search_index,
    sections_of,
)
from services.api.rules.static import Asset, asset

# In the repository as in the installed wheel (see `force-include` in pyproject.toml).
FOLDER = Path(__file__).parents[3] / "docs"
_MISSING = """\
# There is no such page

Search for it above, or start at [the first page](/docs).
"""


def docs_routes(base_url: str) -> Sequence[BaseRoute]:
    """Everything below `/docs`, and `/llms.txt`. They are not part of the API's document."""
    origin = base_url.rstrip("/")

    async def show(request: Request) -> Response:
        return await _answer(request, origin, request.path_params.get("path", ""))

    async def list_for_models(request: Request) -> Response:
        return await _answer(request, origin, "llms.txt")

    return [
        Route("/llms.txt", list_for_models, methods=["GET"]),
        Route(ROOT, show, methods=["GET"]),
        Route(f"{ROOT}/{{path:path}}", show, methods=["GET"]),
    ]


async def docs_page(request: Request, file: str) -> Response:
    """Answer the page of a file of the documentation."""
    return answer_asset(request, await asyncio.to_thread(lambda: site().page(file)))


async def _answer(request: Request, origin: str, path: str) -> Response:
    made = await asyncio.to_thread(site)
    if path == "llms.txt":
        return answer_asset(request, await asyncio.to_thread(made.for_models, origin))
    file = made.names.get(path)
    if file is not None and not path.endswith(".md"):
        if request.url.path != (address := address_of(file)):
            return RedirectResponse(address, status_code=301)
        return await docs_page(request, file)
    found = await asyncio.to_thread(made.file, file or path)
    if found is not None:
        return answer_asset(request, found)
    if "text/html" not in request.headers.get("accept", ""):
        raise HTTPException(404)
    page = await asyncio.to_thread(made.missing)
    return Response(page.plain, 404, headers={**page.headers, "Cache-Control": "no-store"})


@cache
def site() -> Site:
    """The documentation that came with this code; one for the process."""
    return Site(FOLDER)


class Site:
    """The pages of a folder. What was made once is kept: there are as many as there are files.

    To make a page takes tens of milliseconds, so its methods are for threads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        there = (path.relative_to(folder).as_posix() for path in folder.rglob("*.md"))
        self.sections = sections_of((folder / "contents.toml").read_text(), there)
        self.files = [file for section in self.sections for file in section.files]
        self.names = names_of(self.files)
        self.titles = {file: _title(folder / file) for file in self.files}
        self._rendered: dict[str, Rendered] = {}
        self._made: dict[str, Asset] = {}

    def page(self, file: str) -> Asset:
        """The page of a file, with the navigation around it."""
        return self._once(address_of(file), lambda: self._page(file))

    def missing(self) -> Asset:
        """The page where there is none."""
        return self._once("missing", lambda: self._around(render(_MISSING, lambda href: href)))

    def file(self, path: str) -> Asset | None:
        """What is served as it lies there, or made for the search; None if it is not there."""
        if path == "search.json":
            return self._once(path, self._search)
        if path not in self.files and not path.endswith(ASSETS):
            return None
        whole = (self._folder / path).resolve()
        if not whole.is_relative_to(self._folder.resolve()) or not whole.is_file():
            return None
        return self._once(path, lambda: asset(path, whole.read_bytes()))

    def for_models(self, origin: str) -> Asset:
        """The file `llms.txt`, with links to this origin."""

        def made() -> Asset:
            text = llms_txt(self.sections, self.rendered(), origin)
            return asset("llms.txt", text.encode())

        return self._once("llms.txt", made)

    def rendered(self) -> Mapping[str, Rendered]:
        """Every page by its file, in the order of the navigation."""
        return {file: self._render(file) for file in self.files}

    def _render(self, file: str) -> Rendered:
        if (known := self._rendered.get(file)) is None:
            source = (self._folder / file).read_text()
            known = self._rendered[file] = render(source, links_from(file, self.files))
        return known

    def _page(self, file: str) -> Asset:
        at = self.files.index(file)
        before = self.files[at - 1] if at else None
        after = self.files[at + 1] if at + 1 < len(self.files) else None
        return self._around(self._render(file), file, before, after)

    def _around(
        self,
        page: Rendered,
        file: str | None = None,
        before: str | None = None,
        after: str | None = None,
    ) -> Asset:
        content = Markup(page.html)  # noqa: S704 - our own files, reviewed like code
        html = template("docs").render(
            page=page,
            content=content,
            headings=[passage.heading for passage in page.passages[1:]],
            file=file,
            before=before,
            after=after,
            sections=self.sections,
            titles=self.titles,
            address_of=address_of,
        )
        return secured(asset("page.html", html.encode()))

    def _search(self) -> Asset:
        return asset("search.json", msgspec.json.encode(search_index(self.rendered())))

    def _once(self, name: str, make: Callable[[], Asset]) -> Asset:
        if (known := self._made.get(name)) is None:
            known = self._made[name] = make()
        return known


def _title(file: Path) -> str:
    # Without rendering it: a page shows the titles of all.
    with file.open() as lines:
        return next(lines).removeprefix("# ").strip()
