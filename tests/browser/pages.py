"""A page in the browser, and everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize

AXE = Path(__file__).parents[1] / "clients" / "dashboard" / "vendor" / "axe.min.js"
SCREENS = {
    "desktop": ViewportSize(width=1360, height=900),
    "phone": ViewportSize(width=390, height=844),
}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
# A folder for the pictures, for whoever wants to look at them.
PICTURES = os.environ.get("CUEAPI_SCREENSHOTS")


@dataclass
class Watched:
    """A page, and what its console has complained of: errors, and breaches of the policy."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    async def faults(self) -> list[str]:
        """What axe finds that is serious or critical (https://dequeuniversity.com/rules/axe)."""
        # In a context of its own: the page's policy holds for the page alone.
        await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {node['html'][:120]}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]

    async def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(
            await self.page.evaluate(
                "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    async def picture(self, name: str) -> None:
        """Keep what it looks like, if somebody wants to look."""
        if PICTURES:
            await self.page.screenshot(path=Path(PICTURES) / f"{name}.png")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@asynccontextmanager
async def watched(
    browser: Browser, scheme: Scheme = "light", screen: str = "desktop"
) -> AsyncIterator[Watched]:
    """Open an empty page in a window of its own, without a memory."""
    context = await browser.new_context(
        color_scheme=scheme, viewport=SCREENS[screen], reduced_motion="reduce"
    )
    try:
        seen = Watched(await context.new_page())
        seen.page.on("console", seen._hear)
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        yield seen
    finally:
        await context.close()
