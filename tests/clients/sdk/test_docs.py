"""The examples of docs/clients/sdk.md, run section by section against the whole stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cueapi import CueAPI

pytestmark = pytest.mark.e2e

PAGE = Path(__file__).parents[3] / "docs/clients/sdk.md"
FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def sections() -> Iterator[tuple[str, list[str]]]:
    """The sections with examples, and these in order."""
    for section in PAGE.read_text().split("\n## ")[1:]:
        blocks = FENCE.findall(section)
        if blocks:
            yield section.partition("\n")[0], blocks


@pytest.mark.parametrize(("title", "blocks"), [*sections()], ids=lambda each: str(each)[:20])
def test_the_examples_run(
    title: str, blocks: list[str], client: CueAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUEAPI_API_KEY", str(client.settings.api_key))
    monkeypatch.setenv("CUEAPI_BASE_URL", client.settings.origin)
    monkeypatch.setenv("CUEAPI_WEBHOOK_SECRET", client.webhook_secret.get().webhook_secret)
    names: dict[str, object] = {"__name__": "docs"}
    for block in blocks:
        exec(compile(block, f"{PAGE.name}: {title}", "exec"), names)
    for made in names.values():
        if isinstance(made, CueAPI):
            made.close()
