"""The forms that every message takes, and the values they share.

Messages are frozen msgspec structs: as plain as dataclasses, and decoded twenty times faster
(docs/decisions/0002). Time, ids and randomness are fields, never read from the world.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias, dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, kw_only_default=True)
class _Frozen(msgspec.StructMeta):
    """Makes each struct frozen, with named arguments, and leaves defaults out of its JSON."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any
    ) -> Any:
        options = {"frozen": True, "kw_only": True, "omit_defaults": True, **options}
        return super().__new__(mcs, name, bases, namespace, **options)


class Value(msgspec.Struct, metaclass=_Frozen):
    """A value without identity: equal when its fields are equal."""


class Command(msgspec.Struct, metaclass=_Frozen):
    """A wish, named by a verb and a noun. Its owner answers it, or refuses it with a code."""

    account_id: str


class Event(msgspec.Struct, metaclass=_Frozen):
    """A fact, named by a noun and a past participle. `at` is the database's clock, in UTC."""

    at: datetime


class Rejection(Value):
    """A business refusal: `code` is stable (contract §1), `message` is for people."""

    code: str
    message: str


Decision: TypeAlias = Sequence[Event] | Rejection


class Transport(StrEnum):
    """How an execution reaches the agent."""

    WEBHOOK = "webhook"
    WORKER = "worker"


class VerificationMode(StrEnum):
    """What a reported success must be backed by (contract §8)."""

    NONE = "none"
    REQUIRE_EXTERNAL_ID = "require_external_id"
    REQUIRE_RESULT_URL = "require_result_url"
    REQUIRE_ARTIFACTS = "require_artifacts"
    MANUAL = "manual"


class Reference(Value):
    """A payload that lies in `blobs`, and the two words by which workers choose it.

    `sha256` is hex, or None for the empty object, which needs no row.
    """

    sha256: str | None = None
    task: str | None = None
    agent: str | None = None


def stream_of(category: str, key: str) -> str:
    """Name the stream of one `category` member, e.g. `cue-cue_x7k9m2p4q8w1`."""
    return f"{category}-{key}"


def category_of(stream_id: str) -> str:
    """Give the category in a stream's name."""
    return stream_id.partition("-")[0]


def key_of(stream_id: str) -> str:
    """Give the member's id in a stream's name."""
    return stream_id.partition("-")[2]
