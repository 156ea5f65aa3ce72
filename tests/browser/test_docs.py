"""The documentation in Chromium: every page without a complaint, and the search."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from services.api.routes.docs import site
from services.api.rules.site import address_of
from tests.browser.pages import SCHEMES, SCREENS, Scheme, watched

# One of each kind; the others are made by the same template.
LOOKED_AT = ["/docs", "/docs/quickstart", "/docs/guides/webhooks", "/docs/reference/api/cues"]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", LOOKED_AT)
async def test_a_page_is_sound(
    chromium: Browser, origin: str, path: str, scheme: Scheme, screen: str
) -> None:
    async with watched(chromium, scheme, screen) as seen:
        await seen.page.goto(origin + path)
        await expect(seen.page.locator("h1")).to_be_visible()
        assert await seen.overflow() == 0
        assert await seen.faults() == []
        assert seen.complaints == []
        await seen.picture(f"docs-{path.rpartition('/')[2]}-{scheme}-{screen}")


async def test_no_page_complains_or_is_wider_than_a_phone(chromium: Browser, origin: str) -> None:
    async with watched(chromium, screen="phone") as seen:
        for file in site().files:
            await seen.page.goto(origin + address_of(file))
            assert await seen.overflow() == 0, file
        assert seen.complaints == []


async def test_the_search_is_used_by_keyboard(chromium: Browser, origin: str) -> None:
    async with watched(chromium) as seen:
        await seen.page.goto(f"{origin}/docs")
        await seen.page.keyboard.press("/")
        await seen.page.keyboard.type("signature")
        options = seen.page.get_by_role("option")
        await expect(options.first).to_contain_text("Check the signature")
        assert await seen.faults() == []
        await seen.picture("docs-search")
        await seen.page.keyboard.press("ArrowDown")
        await expect(options.first).to_have_attribute("aria-selected", "true")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page).to_have_url(f"{origin}/docs/guides/webhooks#check-the-signature")
        assert seen.complaints == []


async def test_an_error_leads_to_its_section(chromium: Browser, origin: str) -> None:
    async with watched(chromium) as seen:
        await seen.page.goto(f"{origin}/docs/errors#cue_not_found")
        await expect(seen.page.locator("#cue_not_found")).to_be_in_viewport()


async def test_a_chosen_theme_is_kept(chromium: Browser, origin: str) -> None:
    async with watched(chromium) as seen:
        await seen.page.goto(f"{origin}/docs")
        await seen.page.get_by_role("button", name="Dark or light").click()
        await seen.page.goto(f"{origin}/status-page")
        await expect(seen.page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_on_a_phone_the_contents_are_folded(chromium: Browser, origin: str) -> None:
    async with watched(chromium, screen="phone") as seen:
        await seen.page.goto(f"{origin}/docs")
        guide = seen.page.get_by_role("navigation", name="Documentation").get_by_text("Run workers")
        await expect(guide).to_be_hidden()
        await seen.page.get_by_text("Contents", exact=True).click()
        await guide.click()
        await expect(seen.page).to_have_url(f"{origin}/docs/guides/workers")


async def test_a_page_can_be_read_without_scripts(chromium: Browser, origin: str) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    try:
        page = await context.new_page()
        await page.goto(f"{origin}/docs/quickstart")
        await expect(page.get_by_role("heading", name="Get a key")).to_be_visible()
        await expect(page.get_by_role("link", name="Receive webhooks")).to_be_visible()
    finally:
        await context.close()
