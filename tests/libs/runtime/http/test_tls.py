"""Who can't prove to be the host gets nothing."""

import asyncio

import pytest

from libs.runtime.http.client import OutboundClient
from libs.runtime.http.failures import TimedOut, TLSFailed
from libs.runtime.http.names import NameLookup
from libs.runtime.http.urls import check_url
from tests.libs.runtime.http.conftest import INSECURE, Certificates
from tests.libs.runtime.http.receivers import OK, answering, never_reading, receiving

DEADLINE = 0.3


@pytest.mark.parametrize("which", ["good", "other_host", "expired"])
async def test_a_certificate_that_proves_nothing_is_refused(
    names: NameLookup, certificates: Certificates, which: str
) -> None:
    trust = None if which == "good" else certificates.trusting()
    async with (
        receiving(answering(OK), tls=certificates.serving(which)) as receiver,
        OutboundClient(
            INSECURE, names, user_agent="Test/1.0", max_connections=1, tls=trust
        ) as client,
    ):
        with pytest.raises(TLSFailed, match="Could not connect"):
            await client.send(
                "POST", check_url(receiver.url(scheme="https"), INSECURE), {}, b"", DEADLINE
            )


async def test_plain_text_where_tls_is_due_is_refused(client: OutboundClient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await reader.read()

    async with receiving(answer) as receiver:
        url = check_url(receiver.url(scheme="https"), INSECURE)
        with pytest.raises(TLSFailed, match="Could not connect"):
            await client.send("POST", url, {}, b"", DEADLINE)


async def test_a_handshake_that_hangs_ends_with_the_deadline(client: OutboundClient) -> None:
    async with receiving(never_reading) as receiver:
        url = check_url(receiver.url(scheme="https"), INSECURE)
        with pytest.raises(TimedOut):
            await client.send("POST", url, {}, b"", DEADLINE)
