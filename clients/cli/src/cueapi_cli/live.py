"""The live stream's present position: what comes behind it is not missed."""

from __future__ import annotations

from cueapi_cli.failures import Failure
from cueapi_cli.session import Session


def beginning(session: Session) -> str:
    """Give the position of now. Raises Failure, and CueAPIError if the server refuses."""
    from cueapi.errors import refusal

    client = session.client
    url = client.settings.url("/v1/events/stream")
    headers = {**client.settings.request_headers(), "Accept": "text/event-stream"}
    with client.http.stream("GET", url, headers=headers) as response:
        if not response.is_success:
            response.read()
            raise refusal(response)
        for line in response.iter_lines():
            name, _, value = line.partition(":")
            if name == "id":
                return value.strip()
    raise Failure("The live stream has ended before it began.", "Try again.")
