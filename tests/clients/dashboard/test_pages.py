"""Every page: shown in both themes, at desk and phone width, and usable by everybody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.clients.dashboard.browser import LIMIT_MS, Scheme, Visit, Visitor
from tests.e2e.client import Api, ok
from tests.e2e.receiver import Answer
from tests.e2e.world import World

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("dashboard")]

IMAGES = Path(__file__).parents[3] / "docs" / "images"
DESK, PHONE = 1_280, 390

PAGES = {
    "overview": ("", "Overview"),
    "cues": ("/cues", "Cues"),
    "new-cue": ("/cues/new", "New cue"),
    "cue": ("/cues/{cue}", "morning-briefing"),
    "edit-cue": ("/cues/{cue}/edit", "Edit cue"),
    "executions": ("/executions", "Executions"),
    "execution": ("/executions/{execution}", "crm-export"),
    "alerts": ("/alerts", "Alerts"),
    "workers": ("/workers", "Workers"),
    "keys": ("/keys", "API keys"),
    "secrets": ("/secrets", "Webhook secrets"),
    "billing": ("/billing", "Usage and billing"),
    "support": ("/support", "Support"),
    "account": ("/account", "Settings"),
    "not-found": ("/nowhere", "Not found"),
}
PICTURED = {
    ("overview", "light", DESK),
    ("execution", "dark", DESK),
    ("new-cue", "light", DESK),
    ("cues", "dark", PHONE),
}


@pytest.fixture(scope="module")
async def lived_in(dash_world: World) -> tuple[Api, dict[str, str]]:
    """An account with something on every page; and the ids in the addresses of its pages."""
    api = await dash_world.account()
    good, bad = api.hook(), api.hook()
    good.answer = Answer(body={"success": True, "result": "Sent to 3", "external_id": "msg_88"})
    bad.answer = Answer(status=503, body={"error": "agent is overloaded"})
    daily = {"type": "recurring", "cron": "0 9 * * 1-5", "timezone": "America/New_York"}
    named = {"name": "morning-briefing", "payload": {"task": "brief", "limit": 20}}
    cue = await api.webhook_cue(good, schedule=daily, **named)
    failing = await api.webhook_cue(
        bad,
        name="crm-export",
        retry={"max_attempts": 2, "backoff_minutes": [0]},
        alerts={"consecutive_failures": 1},
    )
    for _ in range(5):
        await api.when(await api.fire(cue["id"]), status="success")
    failed = await api.fire(failing["id"])
    await api.when(failed, status="failed")
    await dash_world.alerts(failing["id"])
    worker = await api.worker_cue(name="video-render", payload={"task": "render"})
    await api.fire(worker["id"])
    heartbeat = {"worker_id": "mac-studio-1", "handlers": ["render"]}
    ok(await api.post("/v1/worker/heartbeat", heartbeat))
    return api, {"cue": cue["id"], "execution": failed}


@pytest.mark.timeout(300)  # Fifteen pages, each read whole by axe.
@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_whole(
    lived_in: tuple[Api, dict[str, str]], visitor: Visitor, scheme: Scheme, width: int
) -> None:
    api, ids = lived_in
    visit = await visitor.signed_in(api, scheme=scheme, width=width)
    for name, (path, title) in PAGES.items():
        page = await visit.open(path.format(**ids))
        await expect(page.get_by_role("heading", level=1)).to_have_text(title, timeout=LIMIT_MS)
        await visit.settled()
        assert await page.get_by_role("alert").count() == 0, name
        assert await visit.overflow() <= 0, name
        assert await visit.faults() == [], name
        if (name, scheme, width) in PICTURED:
            await picture(visit, name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_sign_in_is_whole(visitor: Visitor, scheme: Scheme) -> None:
    visit = await visitor.stranger(scheme=scheme, width=PHONE)
    await visit.open("")
    assert await visit.faults() == []
    assert await visit.overflow() <= 0


async def test_dialogs_and_menus_are_whole_and_go_by_keyboard(
    lived_in: tuple[Api, dict[str, str]], visitor: Visitor
) -> None:
    visit = await visitor.signed_in(lived_in[0])
    page = await visit.open("/cues")
    await page.get_by_role("button", name="Actions for crm-export").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Fire now")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("menuitem", name="Edit")).to_be_focused()
    assert await visit.faults() == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Actions for crm-export")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Fire now")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await visit.faults() == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_the_first_key_press_skips_to_the_content(visit: Visit) -> None:
    page = await visit.open("/alerts")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


async def test_search_and_filters_are_in_the_address(
    lived_in: tuple[Api, dict[str, str]], visitor: Visitor
) -> None:
    visit = await visitor.signed_in(lived_in[0])
    page = await visit.open("/cues?q=brief")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.get_by_label("Search cues").fill("crm")
    await expect(page.get_by_role("link", name="crm-export")).to_be_visible()
    assert page.url.endswith("/cues?q=crm")
    await page.get_by_label("Status").select_option("paused")
    await expect(page.get_by_text("No cue matches")).to_be_visible()
    page = await visit.open("/executions?show=failing")
    await expect(page.get_by_role("status").filter(has_text="1 execution")).to_be_visible()
    await page.get_by_label("Status").select_option("success")
    await expect(page.get_by_role("status").filter(has_text="5 executions")).to_be_visible()
    assert page.url.endswith("/executions?status=success")


async def test_a_cue_tells_what_became_of_each_due_time(visit: Visit, api: Api) -> None:
    cue = await api.webhook_cue(api.hook())
    execution_id = await api.fire(cue["id"])
    ended = {"verdict": "ran", "status": "success", "execution_id": execution_id, "reason": None}
    skipped = {"verdict": "skipped", "status": None, "execution_id": None, "reason": "paused"}
    times = [f"2026-03-{day:02}T09:00:00Z" for day in (1, 2)]
    slots = [{**end, "slot": time} for end, time in zip((ended, skipped), times, strict=True)]
    told = {"cue_id": cue["id"], "slots": slots, "total": 2, "truncated": False}
    # A due time of its own would take a minute to come.
    await visit.page.route("**/slots?*", lambda route: route.fulfill(json=told))
    page = await visit.open(f"/cues/{cue['id']}")
    await expect(page.get_by_role("img", name="Skipped, paused")).to_be_visible()
    assert await visit.faults() == []
    await page.get_by_role("link", name="09:00: Success").click()
    await expect(page.get_by_text("The cue was fired by hand")).to_be_visible()


async def test_faults_stand_at_their_fields(visit: Visit) -> None:
    page = await visit.open("/cues/new")
    await page.get_by_role("button", name="Create cue").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_role("alert")).to_contain_text("validation_error")


async def test_the_theme_is_kept(visit: Visit) -> None:
    page = await visit.open("/keys")
    await page.get_by_role("button", name="Dark theme").first.click()
    await page.reload()
    shown = await page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    assert shown == "dark"


async def picture(visit: Visit, name: str) -> None:
    """Take the picture of the docs; it is written when `CUEAPI_WRITE_IMAGES` is set."""
    taken = await visit.page.screenshot(animations="disabled")
    assert len(taken) < 200_000
    if os.environ.get("CUEAPI_WRITE_IMAGES"):
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / f"dashboard-{name}.png").write_bytes(taken)
