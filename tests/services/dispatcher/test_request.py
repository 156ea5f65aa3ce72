"""What one attempt sends (contract §6, §16), checked by receivers written from the contract."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from libs.runtime.http.signing import canonical_body, signature, standard_signature
from services.dispatcher.rules.request import WebhookRequest, webhook_request

SECRET = "whsec_" + "0123456789abcdef" * 4
PREVIOUS = "whsec_" + "fedcba9876543210" * 4
SLOT = datetime(2026, 3, 28, 9, tzinfo=UTC)
EXECUTION = "550e8400-e29b-41d4-a716-446655440000"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def request(**changes: Any) -> WebhookRequest:
    fields: dict[str, Any] = {
        "method": "POST",
        "custom_headers": {},
        "secrets": (SECRET,),
        "cue_id": "cue_x7k9m2p4q8w1",
        "name": "morning-briefing",
        "execution_id": EXECUTION,
        "attempt": 1,
        "scheduled_for": SLOT,
        "payload": {"task": "generate_briefing"},
        "timestamp": 1_741_871_400,
        "traceparent": None,
        **changes,
    }
    return webhook_request(**fields)


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104 by hand, so that a wrong call of a library cannot agree with itself."""
    block = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()


def seed_verifies(headers: Mapping[str, str], body: bytes, secret: str = SECRET) -> bool:
    """The seed's verifier: over the raw bytes."""
    signed = headers["X-CueAPI-Timestamp"].encode() + b"." + body
    return headers["X-CueAPI-Signature"] == "v1=" + hmac_sha256(secret.encode(), signed).hex()


def sdk_verifies(headers: Mapping[str, str], body: bytes) -> bool:
    """The SDK's: it parses the body, and dumps it again."""
    return seed_verifies(headers, json.dumps(json.loads(body), sort_keys=True).encode())


def standard_verifies(headers: Mapping[str, str], body: bytes, secret: str = SECRET) -> bool:
    """The Standard Webhooks' verifier; one of the signatures must match."""
    key = bytes.fromhex(secret.split("_", 1)[1])
    signed = b".".join(
        [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]
    )
    expected = "v1," + base64.b64encode(hmac_sha256(key, signed)).decode()
    return expected in headers["webhook-signature"].split(" ")


def test_the_body_of_the_contract() -> None:
    assert request().body == (
        b'{"attempt": 1, "cue_id": "cue_x7k9m2p4q8w1",'
        b' "execution_id": "550e8400-e29b-41d4-a716-446655440000", "name": "morning-briefing",'
        b' "payload": {"task": "generate_briefing"}, "scheduled_for": "2026-03-28T09:00:00Z"}'
    )


def test_the_headers_of_the_contract() -> None:
    headers = request().headers
    assert seed_verifies(headers, request().body)
    assert standard_verifies(headers, request().body)
    signatures = ("X-CueAPI-Signature", "webhook-signature")
    assert {name: value for name, value in headers.items() if name not in signatures} == {
        "Content-Type": "application/json",
        "X-CueAPI-Timestamp": "1741871400",
        "X-CueAPI-Cue-Id": "cue_x7k9m2p4q8w1",
        "X-CueAPI-Execution-Id": EXECUTION,
        "X-CueAPI-Scheduled-For": "2026-03-28T09:00:00Z",
        "X-CueAPI-Attempt": "1",
        "webhook-id": EXECUTION,
        "webhook-timestamp": "1741871400",
    }


def test_the_standard_webhooks_own_vector() -> None:
    # From the specification's reference libraries; theirs keep the key in base64, ours in hex.
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = standard_signature(
        "whsec_" + key.hex(),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_wrong_secret_body_or_time_does_not_verify() -> None:
    sent = request()
    assert not seed_verifies(sent.headers, sent.body, PREVIOUS)
    assert not seed_verifies(sent.headers, sent.body + b" ")
    later = {**sent.headers, "X-CueAPI-Timestamp": "1741871401"}
    assert not seed_verifies(later, sent.body)
    assert not standard_verifies({**sent.headers, "webhook-id": "another"}, sent.body)


def test_a_new_attempt_signs_anew() -> None:
    first, second = request(), request(attempt=2, timestamp=1_741_871_460)
    assert json.loads(second.body)["attempt"] == 2
    assert second.headers["X-CueAPI-Attempt"] == "2"
    assert first.headers["X-CueAPI-Signature"] != second.headers["X-CueAPI-Signature"]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert seed_verifies(second.headers, second.body)


def test_both_secrets_sign_while_they_overlap() -> None:
    sent = request(secrets=(SECRET, PREVIOUS))
    assert seed_verifies(sent.headers, sent.body)
    old = {**sent.headers, "X-CueAPI-Signature": sent.headers["X-CueAPI-Signature-Previous"]}
    assert seed_verifies(old, sent.body, PREVIOUS)
    assert standard_verifies(sent.headers, sent.body)
    assert standard_verifies(sent.headers, sent.body, PREVIOUS)
    assert "X-CueAPI-Signature-Previous" not in request().headers


def test_a_get_sends_no_body_and_signs_the_empty_one() -> None:
    sent = request(method="GET")
    assert (sent.method, sent.body) == ("GET", b"")
    assert seed_verifies(sent.headers, b"")
    assert standard_verifies(sent.headers, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_every_other_method_sends_the_body(method: str) -> None:
    assert request(method=method) == WebhookRequest(
        method=method, headers=request().headers, body=request().body
    )


def test_custom_headers_are_added_and_never_win() -> None:
    custom = {"Authorization": "Bearer x", "X-CueAPI-Signature": "v1=forged", "webhook-id": "x"}
    headers = request(custom_headers=custom).headers
    assert headers["Authorization"] == "Bearer x"
    assert seed_verifies(headers, request().body)
    assert headers["webhook-id"] == EXECUTION


def test_the_trace_goes_on_at_the_receiver() -> None:
    assert request(traceparent=TRACE).headers["traceparent"] == TRACE
    assert "traceparent" not in request().headers


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (SLOT, "2026-03-28T09:00:00Z"),
        (SLOT + timedelta(microseconds=500_000), "2026-03-28T09:00:00.500000Z"),
        (datetime(2026, 3, 28, 5, tzinfo=timezone(timedelta(hours=-4))), "2026-03-28T09:00:00Z"),
    ],
)
def test_the_slot_is_told_in_utc(instant: datetime, text: str) -> None:
    sent = request(scheduled_for=instant)
    assert sent.headers["X-CueAPI-Scheduled-For"] == text
    assert json.loads(sent.body)["scheduled_for"] == text


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
payloads = st.dictionaries(
    texts,
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**299), 10**299)
        | st.floats(allow_nan=False, allow_infinity=False)
        | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)
secrets = st.binary(min_size=32, max_size=32).map(lambda key: "whsec_" + key.hex())


@hypothesis_settings(max_examples=60, deadline=None)
@for_all(payload=payloads, name=texts, secret=secrets, timestamp=st.integers(0, 2**40))
def test_every_receiver_verifies_every_payload(
    payload: dict[str, Any], name: str, secret: str, timestamp: int
) -> None:
    sent = request(payload=payload, name=name, secrets=(secret,), timestamp=timestamp)
    body = {
        "attempt": 1,
        "cue_id": "cue_x7k9m2p4q8w1",
        "execution_id": EXECUTION,
        "name": name,
        "payload": payload,
        "scheduled_for": "2026-03-28T09:00:00Z",
    }
    assert sent.body == json.dumps(body, sort_keys=True).encode()
    assert sent.body.isascii()
    assert json.loads(sent.body) == body
    again = json.dumps(json.loads(sent.body), sort_keys=True).encode()
    assert again == sent.body
    assert seed_verifies(sent.headers, again, secret)
    assert standard_verifies(sent.headers, sent.body, secret)


def test_the_sdk_verifies_too() -> None:
    payload = {"z": 1.0, "a": {"ü": "😀\u2028", "b": [1e16, -0.0, 10**40]}}
    sent = request(payload=payload)
    assert sdk_verifies(sent.headers, sent.body)


@hypothesis_settings(max_examples=60, deadline=None)
@for_all(key=st.binary(max_size=200), message=st.binary(max_size=200))
def test_the_receivers_hmac_is_the_standard_one(key: bytes, message: bytes) -> None:
    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")


def test_the_pieces_stand_alone() -> None:
    assert canonical_body({"b": 1, "a": "ü"}) == b'{"a": "\\u00fc", "b": 1}'
    expected = hmac_sha256(SECRET.encode(), b"17." + b"x").hex()
    assert signature(SECRET, 17, b"x") == f"v1={expected}"
