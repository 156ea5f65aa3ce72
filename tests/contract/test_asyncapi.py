"""The AsyncAPI document is the one that the code makes, is valid, and its examples fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator

from libs.events import asyncapi
from libs.events.streams import EVENT_TYPES
from libs.events.subjects import COMMAND_TYPES, CONSUMERS
from tests.contract.reference import FOLDER

DOCUMENT = asyncapi.document()
MESSAGES = DOCUMENT["components"]["messages"]


def test_it_is_up_to_date() -> None:
    written = (FOLDER / "asyncapi.json").read_text()
    hint = "run `python -m libs.events asyncapi > docs/reference/asyncapi.json`"
    assert written == asyncapi.as_json(), hint


def test_it_is_one_of_asyncapi_3() -> None:
    ApplicationSchema.model_validate(DOCUMENT)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(_references(DOCUMENT)):
        node: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_has_a_schema_that_its_examples_fit(name: str) -> None:
    whole = {**MESSAGES[name]["payload"], "components": DOCUMENT["components"]}
    Draft202012Validator.check_schema(whole)
    examples = MESSAGES[name].get("examples", [])
    assert examples or name.endswith("Reply")
    for each in examples:
        faults = list(Draft202012Validator(whole).iter_errors(each["payload"]))
        assert not faults, faults[0].message


def test_every_command_and_every_event_has_its_channel() -> None:
    assert set(DOCUMENT["channels"]) == {*COMMAND_TYPES, *EVENT_TYPES, "log", "reply"}


def test_every_consumers_subjects_are_channels() -> None:
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}
    for consumer in CONSUMERS:
        for subject in consumer.subjects:
            begins = subject.removesuffix(">")
            assert any((address or "").startswith(begins) for address in addresses), subject


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
