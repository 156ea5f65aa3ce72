"""What people come for, from the first click to the last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.clients.dashboard.browser import LIMIT_MS, Visit, Visitor
from tests.e2e.client import Api, ok
from tests.e2e.mails import mailed_link
from tests.e2e.receiver import Answer
from tests.e2e.waiting import eventually
from tests.e2e.world import World

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("dashboard")]

expect.set_options(timeout=LIMIT_MS)


async def choose(page: Page, menu: str, entry: str) -> None:
    """Open a menu and choose an entry of it."""
    await page.get_by_role("button", name=menu).click()
    await page.get_by_role("menuitem", name=entry).click()


async def test_sign_in_by_mail_and_out_again(visitor: Visitor, dash_world: World) -> None:
    visit = await visitor.stranger()
    page = await visit.open("")
    await page.get_by_label("Email", exact=True).fill("newcomer@example.com")
    await page.get_by_role("button", name="Send me a link").click()
    code = await page.locator(".sign-in-code").inner_text()

    elsewhere = await page.context.new_page()
    await elsewhere.goto(visitor.base_url + await mailed_link(dash_world, "newcomer@example.com"))
    assert code in await elsewhere.content()
    await elsewhere.get_by_role("button").first.click()
    await elsewhere.get_by_role("link", name="Go on").click()
    await expect(elsewhere.get_by_role("heading", name="Overview")).to_be_visible()

    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("newcomer@example.com")).to_be_visible()
    assert await page.evaluate("Object.values(localStorage).join().includes('eyJ')") is False
    assert await page.evaluate("document.cookie") == ""

    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in to CueAPI")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", name="Sign in to CueAPI")).to_be_visible()


async def test_sign_in_by_key_comes_to_the_page_that_was_asked_for(
    visitor: Visitor, api: Api
) -> None:
    page = await (await visitor.stranger()).open("/workers")
    await page.get_by_text("API key", exact=True).click()
    await page.get_by_placeholder("cue_sk_").fill("cue_sk_" + "0" * 32)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("invalid_api_key")
    await page.get_by_placeholder("cue_sk_").fill(api.key or "")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Workers")).to_be_visible()


async def test_create_a_cue_with_a_preview_and_see_it_run(visit: Visit, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"success": True, "result": "Briefing sent"})
    page = await visit.open("/cues/new")
    await page.get_by_label("Name", exact=True).fill("morning-briefing")
    preview = page.get_by_role("list", name="Next runs")

    # The last Sunday of March is among these days: clocks go forward over 02:30.
    await page.get_by_label("Cron").fill("30 2 25-31 3 *")
    await page.get_by_label("Time zone").fill("Europe/Berlin")
    await expect(preview.get_by_role("listitem")).to_have_count(8)
    await expect(preview).to_contain_text("Clocks go forward here")
    await page.get_by_label("Cron").fill("every day")
    await expect(page.locator(".sticky .field-error")).to_be_visible()

    await page.get_by_text("Once", exact=True).click()
    at = datetime.now(UTC) + timedelta(seconds=6)
    await page.get_by_label("Time zone").fill("UTC")
    await page.get_by_label("At", exact=True).fill(at.strftime("%Y-%m-%dT%H:%M:%S"))
    await page.get_by_label("URL", exact=True).fill(hook.url)
    await page.get_by_label("Payload").fill('{"task": }')
    await expect(page.get_by_text("Not JSON yet")).to_be_visible()
    await expect(page.get_by_role("button", name="Create cue")).to_be_disabled()
    await page.get_by_label("Payload").fill('{"task": "brief"}')
    await page.get_by_role("button", name="Create cue").click()

    await expect(page.get_by_role("heading", name="morning-briefing")).to_be_visible()
    await page.locator(".rows .strong-link").first.click()
    await expect(page.get_by_text("Outcome reported")).to_be_visible()
    await expect(page.locator(".page-head").get_by_text("Reported success")).to_be_visible()
    assert (await hook.arrival()).document["payload"]["task"] == "brief"


async def test_send_a_test_shows_request_answer_and_signature(visit: Visit, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(body={"hello": "agent"})
    cue = await api.webhook_cue(hook)
    page = await visit.open(f"/cues/{cue['id']}")
    await page.get_by_role("button", name="Send a test").click()
    shown = page.get_by_role("dialog", name="Test delivery")
    arrived = await hook.arrival()
    await expect(shown).to_contain_text("Answered 200")
    await expect(shown).to_contain_text(arrived.headers["X-CueAPI-Signature"])
    await expect(shown).to_contain_text('"hello"')


async def test_a_failing_cue_alerts_is_acknowledged_and_replayed(visit: Visit, api: Api) -> None:
    hook = api.hook()
    hook.answer = Answer(status=503, body={"error": "agent is overloaded"})
    cue = await api.webhook_cue(
        hook, name="crm-export", retry={"max_attempts": 1}, alerts={"consecutive_failures": 1}
    )
    page = await visit.open(f"/cues/{cue['id']}")
    await page.get_by_role("button", name="Fire now").click()
    await page.get_by_role("dialog").get_by_role("button", name="Fire now").click()
    await expect(page.get_by_text("Delivery failed", exact=True)).to_be_visible()
    await page.get_by_text("Attempt 1: request and answer").click()
    await expect(page.get_by_text("agent is overloaded")).to_be_visible()
    await page.get_by_role("link", name="Open alert").click()

    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator(".badge", has_text="Acknowledged")).to_be_visible()
    alerts = ok(await api.get("/v1/alerts"))["alerts"]
    assert [alert["acknowledged"] for alert in alerts] == [True]

    await page.get_by_role("link", name="Execution", exact=True).click()
    hook.answer = Answer(body={"success": True})
    failed = page.url
    await page.get_by_role("button", name="Replay").click()
    await expect(page.locator(".page-head").get_by_text("Reported success")).to_be_visible()
    assert page.url != failed
    await expect(page.get_by_text("An earlier execution was replayed")).to_be_visible()


async def test_a_worker_execution_comes_to_be_verified(visit: Visit, api: Api) -> None:
    cue = await api.worker_cue(name="video-render", verification={"mode": "require_external_id"})
    execution_id = await api.fire(cue["id"])
    page = await visit.open(f"/executions/{execution_id}")
    head = page.locator(".page-head")
    await expect(head.get_by_text("Pending")).to_be_visible()

    worker = {"worker_id": "mac-studio-1"}
    ok(await api.post(f"/v1/executions/{execution_id}/claim", worker))
    await expect(page.get_by_text("Execution claimed")).to_be_visible()
    ok(await api.post(f"/v1/executions/{execution_id}/outcome", {"success": True, **worker}))
    await expect(head.get_by_text("Verification failed")).to_be_visible()
    evidence = {"external_id": "render-8812"}
    ok(await api.call("PATCH", f"/v1/executions/{execution_id}/evidence", evidence))
    await expect(head.get_by_text("Verified success")).to_be_visible()
    await expect(page.get_by_text("render-8812")).to_be_visible()

    # Time travel: as it was when the worker had claimed it.
    claimed = page.get_by_role("listitem").filter(has_text="Execution claimed")
    await claimed.get_by_role("button", name="See the state here").click()
    await expect(page.get_by_text("You see it as it was")).to_be_visible()
    await expect(head.get_by_text("Delivering")).to_be_visible()
    await page.get_by_role("button", name="Back to now").click()
    await expect(head.get_by_text("Verified success")).to_be_visible()


async def test_rotate_the_secret_with_an_overlap(visit: Visit, api: Api) -> None:
    page = await visit.open("/secrets")
    deliveries = page.locator(".card", has_text="Deliveries")
    await deliveries.get_by_role("button", name="Rotate").click()
    await page.get_by_label("Overlap").select_option("24")
    await page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    await expect(page.get_by_text("signed with the old secret too")).to_be_visible()
    secret = ok(await api.get("/v1/auth/webhook-secret"))["webhook_secret"]
    assert secret != api.webhook_secret
    await deliveries.get_by_role("button", name="Show").click()
    await expect(deliveries.get_by_label("Webhook secret", exact=True)).to_have_text(secret)


async def test_mint_rename_and_revoke_a_key(visit: Visit, api: Api, dash_world: World) -> None:
    page = await visit.open("/keys")
    await page.get_by_role("button", name="New key").click()
    await page.get_by_label("Name").fill("ci-server")
    await page.get_by_role("button", name="Create key").click()
    key = await page.get_by_label("API key", exact=True).inner_text()
    await page.get_by_role("button", name="Done").click()
    minted = dash_world.client(key)
    assert ok(await minted.get("/v1/auth/me"))["email"] == api.email

    await choose(page, "Actions for ci-server", "Rename")
    await page.get_by_role("textbox", name="Name").fill("build-server")
    await page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    await choose(page, "Actions for build-server", "Revoke")
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(page.get_by_text("Revoked", exact=True)).to_be_visible()
    assert (await minted.get("/v1/auth/me")).status == 401


async def test_deleting_a_cue_can_be_undone_until_its_time_is_over(visit: Visit, api: Api) -> None:
    kept = await api.webhook_cue(api.hook(), name="kept")
    gone = await api.webhook_cue(api.hook(), name="gone")
    page = await visit.open("/cues")
    await choose(page, "Actions for kept", "Delete")
    await expect(page.get_by_role("link", name="kept")).to_be_hidden()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("link", name="kept")).to_be_visible()
    await choose(page, "Actions for gone", "Delete")
    # Who closes the page has decided.
    await page.close(run_before_unload=False)
    assert (await api.get(f"/v1/cues/{kept['id']}")).status == 200

    async def deleted() -> bool | None:
        return (await api.get(f"/v1/cues/{gone['id']}")).status == 404 or None

    await eventually(deleted, "the deletion")
