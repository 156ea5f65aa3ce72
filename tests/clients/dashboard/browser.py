"""Chromium, and people who visit the dashboard with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    async_playwright,
    expect,
)

from tests.e2e.client import Api

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LIMIT_MS = 20_000
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()

Scheme = Literal["dark", "light"]


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Run Chromium without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(ARGUMENTS), headless=True
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True)
class Visit:
    """One tab on the dashboard."""

    page: Page
    root: str

    async def open(self, path: str) -> Page:
        """Go to a page of the dashboard, e.g. `/cues`, and wait until it is there."""
        await self.page.goto(self.root + path)
        await self.page.get_by_role("heading", level=1).wait_for()
        return self.page

    async def settled(self) -> None:
        """Wait until nothing is being loaded."""
        await expect(self.page.locator(".skeleton")).to_have_count(0, timeout=LIMIT_MS)

    async def faults(self) -> list[str]:
        """What axe-core finds on the page that is serious or worse."""
        await self.page.evaluate(AXE)
        found = await self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]

    async def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        wider = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return int(wider)


class Visitor:
    """Opens the dashboard in contexts of its own, which share no cookies."""

    def __init__(self, browser: Browser, base_url: str) -> None:
        self.base_url = base_url
        self.complaints: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    async def stranger(
        self, scheme: Scheme = "light", width: int = 1_280, height: int = 860
    ) -> Visit:
        """Open a tab, in Berlin, without an account."""
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            timezone_id="Europe/Berlin",
            locale="en-GB",
            reduced_motion="reduce",  # What is still fading in has no contrast yet.
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(LIMIT_MS)
        self._contexts.append(context)
        page = await context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return Visit(page, f"{self.base_url}/dashboard")

    async def signed_in(self, api: Api, **options: Any) -> Visit:
        """Open a tab whose cookie is of a session of `api`'s account."""
        visit = await self.stranger(**options)
        started = await visit.page.request.post(
            f"{visit.root}/session", headers={"Authorization": f"Bearer {api.key}"}
        )
        assert started.ok
        return visit

    async def close(self) -> None:
        """Close every tab."""
        for context in self._contexts:
            await context.close()

    def _note(self, message: ConsoleMessage) -> None:
        # The browser itself notes each refusal of the API, some of which the tests provoke.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)
