"""The demo's receiver takes what CueAPI signed, and nothing else."""

import hashlib
import hmac

import httpx
import pytest

from deploy.local.ports import free_port
from deploy.local.processes import discard
from deploy.local.receiver import Receiver, is_signed
from libs.runtime.clock import unix_now

SECRET = "whsec_" + "a" * 64
BODY = b'{"attempt": 1}'
NOW = 1_741_871_400


def signed(timestamp: int, secret: str = SECRET, body: bytes = BODY) -> dict[str, str]:
    message = f"{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return {"X-CueAPI-Timestamp": str(timestamp), "X-CueAPI-Signature": f"v1={digest}"}


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        (signed(NOW), True),
        (signed(NOW - 299), True),
        (signed(NOW - 301), False),
        (signed(NOW + 301), False),
        (signed(NOW, secret="whsec_other"), False),
        (signed(NOW, body=b"{}"), False),
        (signed(NOW) | {"X-CueAPI-Timestamp": "soon"}, False),
        ({}, False),
    ],
)
def test_only_a_fresh_signature_over_these_bytes_counts(
    headers: dict[str, str], verdict: bool
) -> None:
    assert is_signed(SECRET, headers, BODY, NOW) is verdict


@pytest.mark.integration
async def test_it_answers_with_an_outcome_and_keeps_the_delivery() -> None:
    async with Receiver(SECRET, free_port(), discard) as receiver, httpx.AsyncClient() as client:
        answer = await client.post(receiver.url, content=BODY, headers=signed(unix_now()))
        assert answer.json()["success"] is True
        delivery = receiver.deliveries.get_nowait()
        assert delivery.verified
        assert delivery.body == BODY.decode()

        refused = await client.post(receiver.url, content=BODY)
        assert refused.status_code == 401
        assert not receiver.deliveries.get_nowait().verified
