"""The dashboard: static files over the public API, and the cookie that outlives a reload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.api.routes.dashboard_session import session_routes
from services.api.routes.gate import Gate
from services.api.routes.ports import Ports
from services.api.routes.static import answer_asset, read_assets, secured
from services.api.rules.static import Asset

DASHBOARD_PATH = "/dashboard"
# In the repository as in the installed wheel (see `force-include` in pyproject.toml).
FOLDER = Path(__file__).parents[3] / "clients" / "dashboard"
_PAGE = "index.html"


def dashboard_routes(ports: Ports, gate: Gate) -> Sequence[BaseRoute]:
    """Everything below `/dashboard`. It is not part of the API's document."""
    files = Files(read_assets(FOLDER))
    return [
        *session_routes(f"{DASHBOARD_PATH}/session", ports, gate),
        Route(DASHBOARD_PATH, files.page, methods=["GET"]),
        Route(f"{DASHBOARD_PATH}/{{path:path}}", files.file, methods=["GET"]),
    ]


class Files:
    """Answers from memory, by ETag and compressed; the whole of it is smaller than one photo."""

    def __init__(self, files: Mapping[str, Asset]) -> None:
        self._files = files
        self._page = secured(files[_PAGE])

    async def page(self, request: Request) -> Response:
        """Answer the page, whose script shows what the address names."""
        return answer_asset(request, self._page)

    async def file(self, request: Request) -> Response:
        """Answer a file, or the page for an address that is no file's."""
        name = request.path_params["path"]
        if found := self._files.get(name):
            return answer_asset(request, found)
        if "." in name:
            raise HTTPException(404)
        return await self.page(request)
