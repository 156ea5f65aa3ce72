"""The status page in Chromium: what it says in each state of the service, and of none."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.pages import SCHEMES, SCREENS, Scheme, watched

HEALTHY = {"postgres": "ok", "broker": "ok", "poller": "ok", "worker": "none"}


def history(status: str = "operational", *, since: str | None = None) -> dict[str, Any]:
    today = date(2026, 3, 28)
    days = [today - timedelta(days=back) for back in reversed(range(90))]
    shares: list[float | None] = [None] * 30 + [1.0] * 40 + [0.97, 0.42] + [1.0] * 18
    shown = [
        {"date": day.isoformat(), "uptime": share, "minutes": 0 if share is None else 1440}
        for day, share in zip(days, shares, strict=True)
    ]
    names = {"scheduling": "operational", "delivery": status, "outcomes": "operational"}
    over = {
        "component": "delivery",
        "began_at": "2026-03-10T03:00:00Z",
        "ended_at": "2026-03-10T16:00:00Z",
        "minutes": 780,
    }
    going_on = {"component": "delivery", "began_at": since, "ended_at": None, "minutes": 4}
    return {
        "status": status,
        "generated_at": "2026-03-28T13:00:00Z",
        "components": [
            {"name": name, "status": state, "uptime": 0.99871, "days": shown}
            for name, state in names.items()
        ],
        "incidents": [going_on, over] if since else [over],
    }


async def answering(page: Page, told: Any, services: dict[str, str] = HEALTHY) -> None:
    """Let the API say this."""

    async def tell_history(route: Route) -> None:
        await route.fulfill(json=told)

    async def tell_health(route: Route) -> None:
        await route.fulfill(json={"status": "healthy", "services": services})

    await page.route("**/v1/status/history", tell_history)
    await page.route("**/health", tell_health)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_the_page_is_sound(
    chromium: Browser, origin: str, scheme: Scheme, screen: str
) -> None:
    async with watched(chromium, scheme, screen) as seen:
        await answering(seen.page, history("down", since="2026-03-28T12:56:00Z"))
        await seen.page.goto(f"{origin}/status-page")
        await expect(seen.page.locator("h1")).to_have_text("The service has an outage")
        assert await seen.overflow() == 0
        assert await seen.faults() == []
        assert seen.complaints == []
        await seen.picture(f"status-{scheme}-{screen}")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("operational", "Everything works"),
        ("degraded", "It works, with trouble"),
        ("down", "The service has an outage"),
    ],
)
async def test_the_verdict_is_that_of_the_worst(
    chromium: Browser, origin: str, status: str, verdict: str
) -> None:
    async with watched(chromium) as seen:
        await answering(seen.page, history(status))
        await seen.page.goto(f"{origin}/status-page")
        await expect(seen.page.get_by_role("status")).to_have_text(verdict)


async def test_a_part_that_is_down_is_told_though_the_history_is_good(
    chromium: Browser, origin: str
) -> None:
    async with watched(chromium) as seen:
        await answering(seen.page, history(), {**HEALTHY, "broker": "error"})
        await seen.page.goto(f"{origin}/status-page")
        await expect(seen.page.get_by_role("status")).to_have_text("The service has an outage")
        await expect(seen.page.get_by_text("Message broker")).to_be_visible()


async def test_days_incidents_and_uptime_are_told_in_words_too(
    chromium: Browser, origin: str
) -> None:
    async with watched(chromium) as seen:
        await answering(seen.page, history())
        await seen.page.goto(f"{origin}/status-page")
        await expect(seen.page.locator(".bars").first.locator("li")).to_have_count(90)
        await expect(seen.page.get_by_text("99.871 % of the last 90 days").first).to_be_attached()
        await expect(seen.page.get_by_text("Delivery: over, 13 hours")).to_be_visible()


async def test_where_nothing_is_measured_nothing_is_claimed(chromium: Browser, origin: str) -> None:
    async with watched(chromium) as seen:
        unknown = await (await seen.page.request.get(f"{origin}/v1/status/history")).json()
        await answering(seen.page, unknown)
        await seen.page.goto(f"{origin}/status-page")
        await expect(seen.page.get_by_role("status")).to_have_text("Its parts work")
        await expect(seen.page.get_by_text("no data").first).to_be_visible()
        assert await seen.faults() == []


async def test_it_says_so_when_the_api_is_down_and_recovers_by_itself(
    chromium: Browser, origin: str
) -> None:
    async with watched(chromium) as seen:
        await seen.page.clock.install()
        await answering(seen.page, history())
        await seen.page.goto(f"{origin}/status-page")
        verdict = seen.page.get_by_role("status")
        await expect(verdict).to_have_text("Everything works")

        await seen.page.unroute_all()
        await seen.page.route("**/v1/status/history", lambda route: route.abort())
        await seen.page.route("**/health", lambda route: route.abort())
        await seen.page.clock.run_for(31_000)
        await expect(verdict).to_have_text("The API does not answer")
        await expect(seen.page.get_by_text("what was known before")).to_be_visible()
        assert await seen.faults() == []

        await seen.page.unroute_all()
        await answering(seen.page, history())
        await seen.page.clock.run_for(31_000)
        await expect(verdict).to_have_text("Everything works")
