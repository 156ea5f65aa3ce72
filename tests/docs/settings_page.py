"""docs/reference/settings.md: every environment variable, of the settings classes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic.fields import FieldInfo

from libs.runtime.settings import SECRETS_DIR, Settings
from services.alerts.settings import AlertsSettings
from services.api.settings import ApiSettings
from services.dispatcher.settings import DispatcherSettings
from services.outcomes.settings import OutcomesSettings
from services.scheduler.settings import SchedulerSettings

CLASSES: dict[str, type[Settings]] = {
    "api": ApiSettings,
    "scheduler": SchedulerSettings,
    "dispatcher": DispatcherSettings,
    "outcomes": OutcomesSettings,
    "alerts": AlertsSettings,
}
_INTRODUCTION = f"""\
# Settings

Environment variables, read once when a process starts. What makes no sense is refused at the start,
with what to do.

A secret can also be a file: put files named like the variables into a folder, and name the folder
in `{SECRETS_DIR}`. A variable wins over its file.

<!-- Made of the settings classes by `python -m tests.contract.reference`; don't edit. -->

| variable | default | meaning | read by |
|---|---|---|---|
"""


def settings_page() -> str:
    """The page."""
    return _INTRODUCTION + "".join(f"{row}\n" for row in _rows())


def _rows() -> Iterator[str]:
    fields: dict[str, FieldInfo] = {}
    readers: dict[str, list[str]] = {}
    for service, settings in CLASSES.items():
        for field in settings.model_fields.values():
            name = str(field.alias)
            fields.setdefault(name, field)
            readers.setdefault(name, []).append(service)
    for name, field in sorted(fields.items()):
        who = "all" if len(readers[name]) == len(CLASSES) else ", ".join(readers[name])
        meaning = re.sub(r"\s+", " ", field.description or "")
        yield f"| `{name}` | {_default(field)} | {meaning} | {who} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value in ("", None, ()):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
