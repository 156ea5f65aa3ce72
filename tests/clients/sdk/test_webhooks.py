"""Which requests are CueAPI's, and what a receiver answers to them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cueapi import Delivery, Outcome, Retry, WebhookReceiver, verify_webhook
from cueapi.webhooks import Answer, MemoryStore, is_authentic

from tests.clients.sdk.signed import OTHER_SECRET, SECRET, webhook

SIGNATURE, TIMESTAMP = "X-CueAPI-Signature", "X-CueAPI-Timestamp"


def verified(payload: Any, sent: Any, secret: Any = SECRET, **options: Any) -> bool:
    headers = sent.headers
    return verify_webhook(payload, headers[SIGNATURE], secret, headers[TIMESTAMP], **options)


def test_the_bytes_as_they_came_are_verified() -> None:
    sent = webhook()
    assert verified(sent.body, sent)
    assert verified(sent.body.decode(), sent)


def test_a_parsed_body_is_verified_too() -> None:
    sent = webhook()
    document = json.loads(sent.body)
    assert verified(document, sent)
    assert verified(json.dumps(document, ensure_ascii=False, separators=(",", ":")), sent)


def test_a_body_that_is_no_json_is_verified_by_its_bytes() -> None:
    sent = webhook(method="GET")
    assert sent.body == b""
    assert verified(b"", sent)


@pytest.mark.parametrize("secret", [OTHER_SECRET, "", [], [""], [OTHER_SECRET, ""]])
def test_other_secrets_do_not_verify(secret: Any) -> None:
    sent = webhook()
    assert not verified(sent.body, sent, secret)


def test_any_one_of_several_secrets_will_do() -> None:
    sent = webhook()
    assert verified(sent.body, sent, [OTHER_SECRET, SECRET])


def test_a_changed_body_does_not_verify() -> None:
    sent = webhook()
    assert not verified(sent.body.replace(b"cue_1", b"cue_2"), sent)
    assert not verified({**json.loads(sent.body), "attempt": 2}, sent)


def test_an_old_timestamp_does_not_verify_beyond_the_tolerance() -> None:
    old, early = webhook(age=310), webhook(age=-310)
    assert not verified(old.body, old)
    assert not verified(early.body, early)
    assert verified(old.body, old, tolerance=600)


@pytest.mark.parametrize("stamp", ["", "now", "1e9", "-1", "٣", "9" * 400])
def test_a_timestamp_that_is_none_does_not_verify(stamp: str) -> None:
    sent = webhook()
    assert not verify_webhook(sent.body, sent.headers[SIGNATURE], SECRET, stamp)


@pytest.mark.parametrize("signature", ["", "v1=", "ü", "v1=" + "0" * 64])
def test_a_signature_that_is_none_does_not_verify(signature: str) -> None:
    sent = webhook()
    assert not verify_webhook(sent.body, signature, SECRET, sent.headers[TIMESTAMP])


@pytest.mark.parametrize("family", ["x-cueapi-", "webhook-"])
def test_one_family_of_headers_is_enough(family: str) -> None:
    sent = webhook()
    headers = {n: v for n, v in sent.headers.items() if n.lower().startswith(family)}
    assert is_authentic(headers, sent.body, SECRET)
    assert not is_authentic(headers, sent.body + b" x", SECRET)
    assert not is_authentic(headers, sent.body, OTHER_SECRET)


def test_while_a_secret_is_rotated_both_verify() -> None:
    sent = webhook(secrets=(SECRET, OTHER_SECRET))
    assert is_authentic(sent.headers, sent.body, SECRET)
    assert is_authentic(sent.headers, sent.body, OTHER_SECRET)
    assert not is_authentic({}, sent.body, SECRET)


def receive(receiver: WebhookReceiver, sent: Any, handler: Any) -> Answer:
    return receiver.handle(sent.headers, sent.body, handler)


def test_a_handler_gets_the_delivery_and_returns_the_outcome() -> None:
    seen: list[Delivery] = []

    def handler(delivery: Delivery) -> dict[str, Any]:
        seen.append(delivery)
        return {"external_id": "run-1", "rows": 5}

    answer = receive(WebhookReceiver(SECRET), webhook(), handler)
    assert answer.status == 200
    assert answer.body == {"success": True, "external_id": "run-1", "metadata": {"rows": 5}}
    (delivery,) = seen
    assert (delivery.execution_id, delivery.name) == ("exec-1", "morgen-grüße")
    assert (delivery.attempt, delivery.payload) == (1, {"task": "t", "text": "ä"})
    assert not delivery.test


def test_a_get_is_read_from_its_headers() -> None:
    def handler(delivery: Delivery) -> str:
        return f"{delivery.execution_id} {delivery.attempt} {delivery.payload}"

    answer = receive(WebhookReceiver(SECRET), webhook(method="GET"), handler)
    assert answer.body["result"] == "exec-1 1 None"


def never(delivery: Delivery) -> None:
    raise AssertionError("this delivery must not be done")


def test_an_unsigned_request_is_turned_away() -> None:
    assert receive(WebhookReceiver(OTHER_SECRET), webhook(), never).status == 401


def test_a_signed_request_that_is_no_delivery_is_refused() -> None:
    alert = b'{"event": "alert.created"}'
    sent = webhook()
    stamp = int(sent.headers[TIMESTAMP])
    from libs.runtime.http.signing import signature

    headers = {SIGNATURE: signature(SECRET, stamp, alert), TIMESTAMP: str(stamp)}
    assert WebhookReceiver(SECRET).handle(headers, alert, never).status == 400


def test_an_execution_is_done_once() -> None:
    receiver = WebhookReceiver(SECRET)
    first = receive(receiver, webhook(), lambda _: "done")
    again = receive(receiver, webhook(attempt=2), never)
    assert (again.status, again.body) == (200, first.body)


def test_a_reported_failure_is_an_outcome_and_final() -> None:
    receiver = WebhookReceiver(SECRET)
    answer = receive(receiver, webhook(), lambda _: Outcome.failure("no rows"))
    assert (answer.status, answer.body) == (200, {"success": False, "error": "no rows"})
    assert receive(receiver, webhook(attempt=2), never).body == answer.body


def test_what_raises_is_done_again() -> None:
    receiver = WebhookReceiver(SECRET)

    def broken(delivery: Delivery) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        receive(receiver, webhook(), broken)
    assert receive(receiver, webhook(attempt=2), lambda _: None).body == {"success": True}


def test_retry_says_when_to_come_back() -> None:
    receiver = WebhookReceiver(SECRET)
    answer = receive(receiver, webhook(), lambda _: Retry(after=90))
    assert (answer.status, answer.headers) == (503, {"Retry-After": "90"})
    assert receive(receiver, webhook(), lambda _: None).status == 200


def test_a_second_attempt_waits_for_the_first() -> None:
    receiver = WebhookReceiver(SECRET)
    during: list[Answer] = []

    def slow(delivery: Delivery) -> None:
        during.append(receive(receiver, webhook(attempt=2), never))

    assert receive(receiver, webhook(), slow).status == 200
    assert during[0].status == 503
    assert "Retry-After" in during[0].headers


def test_a_test_delivery_is_not_remembered() -> None:
    receiver = WebhookReceiver(SECRET)
    sent = webhook(test=True)
    told = [receive(receiver, sent, lambda each: str(each.test)).body for _ in range(2)]
    assert told == [{"success": True, "result": "True"}] * 2


async def test_an_async_handler_is_awaited() -> None:
    receiver = WebhookReceiver(SECRET)
    sent = webhook()

    async def handler(delivery: Delivery) -> str:
        return "async"

    assert (await receiver.handle_async(sent.headers, sent.body, handler)).body["result"] == "async"


def test_the_memory_is_bounded() -> None:
    store = MemoryStore(most=2)
    for execution_id in ("a", "b", "c"):
        assert store.begin(execution_id) is None
        store.finish(execution_id, {"success": True})
    assert store.begin("c") == {"success": True} == store.begin("b")
    assert store.begin("a") is None


def test_the_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUEAPI_WEBHOOK_SECRET", SECRET)
    assert receive(WebhookReceiver(), webhook(), lambda _: None).status == 200
    monkeypatch.delenv("CUEAPI_WEBHOOK_SECRET")
    with pytest.raises(ValueError, match="CUEAPI_WEBHOOK_SECRET"):
        WebhookReceiver()
