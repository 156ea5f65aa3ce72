"""The live stream of the account's events (contract §16)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from cueapi.events import follow, follow_async, subscription
from cueapi.models.events import StreamEvent

if TYPE_CHECKING:
    from cueapi.async_client import AsyncCueAPI
    from cueapi.client import CueAPI


class EventsResource:
    """`client.events`."""

    def __init__(self, client: CueAPI) -> None:
        self._client = client

    def stream(
        self,
        *,
        cue_id: str | None = None,
        type: str | None = None,
        last_event_id: str | None = None,
    ) -> Iterator[StreamEvent]:
        """Give the account's events as they happen, without end.

        A stream that breaks is opened again after the last event, so none is missed or seen
        twice; `last_event_id` is the `position` of the last one of an earlier stream. Raises
        CueAPIError if the server refuses, or stays away.
        """
        stream = subscription(self._client.settings, cue_id, type, last_event_id)
        return follow(stream, self._client.http, self._client.sleep)


class AsyncEventsResource:
    """`client.events` of an async client."""

    def __init__(self, client: AsyncCueAPI) -> None:
        self._client = client

    def stream(
        self,
        *,
        cue_id: str | None = None,
        type: str | None = None,
        last_event_id: str | None = None,
    ) -> AsyncIterator[StreamEvent]:
        """Give the account's events as they happen; see the sync one."""
        stream = subscription(self._client.settings, cue_id, type, last_event_id)
        return follow_async(stream, self._client.http, self._client.sleep)
