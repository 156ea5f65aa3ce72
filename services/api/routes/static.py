"""Static files as answers: by ETag, and compressed for those who ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from services.api.routes.transfer import asks_for_gzip
from services.api.rules.static import Asset, asset, is_served, page_policy


def read_assets(folder: Path) -> Mapping[str, Asset]:
    """Every file of the folder that is for browsers, by its path from there."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: asset(name, path.read_bytes()) for name, path in named.items() if is_served(name)}


def secured(page: Asset) -> Asset:
    """The same page, let do nothing but what it is for."""
    policy = {"Content-Security-Policy": page_policy(page.plain)}
    safety = {"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"}
    return page._replace(headers={**page.headers, **policy, **safety})


def answer_asset(request: Request, found: Asset) -> Response:
    """Answer a file; 304 to those who have it already."""
    # Two representations have two ETags (RFC 9110 §8.8.3.3).
    zipped = asks_for_gzip(request.scope)
    etag = f'"{found.etag}-gzip"' if zipped else f'"{found.etag}"'
    headers = {**found.headers, "ETag": etag}
    if etag in {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}:
        return Response(status_code=304, headers=headers)
    if not zipped:
        return Response(found.plain, headers=headers)
    return Response(found.zipped, headers={**headers, "Content-Encoding": "gzip"})
