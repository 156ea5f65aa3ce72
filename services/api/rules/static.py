"""Static files as values: what they hold, how they are named in caches, how they travel."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
# What is made of other files. Such a file beside the pages is a note, and for nobody's browser.
_MADE = {
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
_VENDORED = "vendor/"
_IMPORT_MAP = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)


class Asset(NamedTuple):
    """One file, plain and compressed, and the headers that both are answered with."""

    plain: bytes
    zipped: bytes
    etag: str
    headers: Mapping[str, str]


def is_served(name: str) -> bool:
    """Whether a file of this name is for browsers; licences and notes beside it are not."""
    return PurePosixPath(name).suffix in _TYPES


def asset(name: str, content: bytes) -> Asset:
    """Make the asset `name`, a relative path for which `is_served`, of what the file holds.

    What is vendored lies in folders named by version, so it never changes under its address;
    everything else is asked for again by its ETag.
    """
    lasting = name.startswith(_VENDORED)
    return Asset(
        plain=content,
        zipped=gzip.compress(content, mtime=0),
        etag=hashlib.sha256(content).hexdigest()[:32],
        headers={
            "Content-Type": (_TYPES | _MADE)[PurePosixPath(name).suffix],
            "Cache-Control": "public, max-age=31536000, immutable" if lasting else "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
        },
    )


def page_policy(page: bytes) -> str:
    """The Content-Security-Policy of a page whose one inline script is its import map.

    An import map cannot be a file of its own, so it is allowed by its hash
    (https://html.spec.whatwg.org/multipage/webappapis.html#import-maps).
    """
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"
        for text in _IMPORT_MAP.findall(page)
    ]
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(["script-src 'self'", *hashes]),
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
