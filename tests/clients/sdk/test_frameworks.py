"""The receivers of FastAPI, Starlette and Flask, called as their servers call them."""

from __future__ import annotations

from typing import Any

import httpx
from cueapi import Delivery, WebhookReceiver
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Route

from tests.clients.sdk.signed import SECRET, webhook


async def posted(app: Any) -> list[httpx.Response]:
    """A delivery, the same again, and a forged one."""
    sent = webhook()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://me") as http:
        answers = [
            await http.post("/hook", content=sent.body, headers=sent.headers) for _ in range(2)
        ]
        return [*answers, await http.post("/hook", content=b"{}")]


def check(answers: list[Any], done: list[str]) -> None:
    first, again, forged = answers
    assert (first.status_code, again.status_code, forged.status_code) == (200, 200, 401)
    told = [each.json if isinstance(each.json, dict) else each.json() for each in (first, again)]
    assert told == [{"success": True, "result": "exec-1"}] * 2
    assert done == ["exec-1"]


async def test_fastapi_in_three_lines() -> None:
    app, done = FastAPI(), []
    cueapi = WebhookReceiver(SECRET)

    @app.post("/hook")
    @cueapi.fastapi
    async def on_delivery(delivery: Delivery) -> str:
        done.append(delivery.execution_id)
        return delivery.execution_id

    check(await posted(app), done)
    assert app.openapi()["paths"]["/hook"]["post"]["summary"] == "On Delivery"


async def test_fastapi_runs_a_sync_handler() -> None:
    app, done = FastAPI(), []

    @app.post("/hook")
    @WebhookReceiver(SECRET).fastapi
    def on_delivery(delivery: Delivery) -> str:
        done.append(delivery.execution_id)
        return delivery.execution_id

    check(await posted(app), done)


async def test_starlette() -> None:
    done = []

    async def on_delivery(delivery: Delivery) -> str:
        done.append(delivery.execution_id)
        return delivery.execution_id

    endpoint = WebhookReceiver(SECRET).starlette(on_delivery)
    check(await posted(Starlette(routes=[Route("/hook", endpoint, methods=["POST"])])), done)


def test_flask_in_three_lines() -> None:
    app, done = Flask("test"), []
    cueapi = WebhookReceiver(SECRET)

    @app.post("/hook")
    @cueapi.flask
    def on_delivery(delivery: Delivery) -> str:
        done.append(delivery.execution_id)
        return delivery.execution_id

    sent, client = webhook(), app.test_client()
    answers = [client.post("/hook", data=sent.body, headers=sent.headers) for _ in range(2)]
    check([*answers, client.post("/hook", data=b"{}")], done)
