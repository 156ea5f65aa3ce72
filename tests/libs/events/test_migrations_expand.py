"""The release before runs on this one's schema: so a migration takes nothing away that it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import libs.events

FOLDER = Path(libs.events.__file__).parent / "migrations"
SCHEMAS = sorted(FOLDER.glob("schema_*.sql"))
# What takes away, renames, or asks more of what the release before writes. A contraction comes one
# release after its expansion, and is listed here with the release that stopped reading it.
TAKES_AWAY = re.compile(
    r"""\b(
        drop \s+ (table|view|column|schema|sequence|default) | rename \s+ (to|column)
      | alter \s+ column \s+ \S+ \s+ (type|set \s+ data \s+ type|set \s+ not \s+ null)
      | truncate
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
CONTRACTIONS: dict[str, str] = {}


def statements(text: str) -> list[str]:
    bare = re.sub(r"--.*", "", text)
    return [" ".join(part.split()) for part in bare.split(";") if part.strip()]


def refused(statement: str) -> bool:
    """Whether the release before could not go on after this statement."""
    if TAKES_AWAY.search(statement):
        return True
    added = re.findall(r"add column [^,]+", statement, re.IGNORECASE)
    return any("not null" in column and "default" not in column for column in added)


@pytest.mark.parametrize("schema", SCHEMAS, ids=[path.stem for path in SCHEMAS])
def test_a_migration_only_expands(schema: Path) -> None:
    taken = [statement for statement in statements(schema.read_text()) if refused(statement)]
    assert [statement for statement in taken if CONTRACTIONS.get(statement) is None] == []


@pytest.mark.parametrize(
    "statement",
    [
        "alter table cues drop column name",
        "DROP VIEW api_cues",
        "alter table cues rename column name to title",
        "alter table cues rename to tasks",
        "alter table cues alter column name set not null",
        "alter table cues alter column name type integer using 1",
        "alter table cues add column mood text not null",
    ],
)
def test_the_check_sees_what_takes_away(statement: str) -> None:
    assert refused(statement)


def test_every_migration_is_one_of_these_files() -> None:
    versions = sorted(path.stem[:4] for path in (FOLDER / "versions").glob("0*.py"))
    assert versions == [path.stem.removeprefix("schema_") for path in SCHEMAS]
    for path in (FOLDER / "versions").glob("0*.py"):
        assert f"schema_{path.stem[:4]}.sql" in path.read_text()
