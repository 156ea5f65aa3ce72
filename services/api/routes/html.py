"""HTML pages: rendered with everything escaped, and let do nothing but what they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from libs.runtime.ids import new_link_token

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    undefined=StrictUndefined,
    autoescape=True,
)


def _code(text: str) -> Markup:
    """What stands between backticks as code; everything is escaped."""
    parts = enumerate(text.split("`"))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in parts
    )


_TEMPLATES.filters["code"] = _code


def page(name: str, status: int = 200, **facts: Any) -> Response:
    """Render one of `pages/*.html`. Its own script and style run, and nothing else."""
    nonce = new_link_token()
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(
        _TEMPLATES.get_template(f"{name}.html").render(nonce=nonce, **facts),
        status_code=status,
        headers={
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
