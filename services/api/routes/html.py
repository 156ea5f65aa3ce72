"""HTML pages: rendered with everything escaped, and let do nothing but what they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from starlette.responses import HTMLResponse, Response

from libs.runtime.ids import new_link_token

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    undefined=StrictUndefined,
    autoescape=True,
)


def template(name: str) -> Template:
    """One of `pages/*.html`; what is put into it is escaped."""
    return _TEMPLATES.get_template(f"{name}.html")


def page(name: str, status: int = 200, **facts: Any) -> Response:
    """Render one of `pages/*.html`. Its own script and style run, and nothing else."""
    nonce = new_link_token()
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(
        template(name).render(nonce=nonce, **facts),
        status_code=status,
        headers={
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
