"""The public status page: static files over `/health` and `/v1/status/history`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.api.routes.static import answer_asset, read_assets, secured

STATUS_PATH = "/status-page"
# In the repository as in the installed wheel (see `force-include` in pyproject.toml).
FOLDER = Path(__file__).parents[3] / "clients" / "status"
_PAGE = "index.html"


def status_routes() -> Sequence[BaseRoute]:
    """The page and its files. They are not part of the API's document."""
    files = dict(read_assets(FOLDER))
    page = secured(files.pop(_PAGE))

    async def show(request: Request) -> Response:
        return answer_asset(request, page)

    async def file(request: Request) -> Response:
        if (found := files.get(request.path_params["name"])) is None:
            raise HTTPException(404)
        return answer_asset(request, found)

    return [
        Route(STATUS_PATH, show, methods=["GET"]),
        Route(f"{STATUS_PATH}/{{name}}", file, methods=["GET"]),
    ]
