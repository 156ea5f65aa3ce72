"""Payload values in commands: there, and never run by the shell."""

from __future__ import annotations

import subprocess

import pytest
from cueapi_worker.templates import filled, shell_line, value_at
from hypothesis import given, settings
from hypothesis import strategies as st

PAYLOAD = {"a": {"b": "deep", "list": ["x", {"y": 1}]}, "n": 1.5, "yes": True, "none": None}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("payload.a.b", "deep"),
        ("a.b", "deep"),
        ("a.list.1.y", "1"),
        ("a.list.9", ""),
        ("a", '{"b": "deep", "list": ["x", {"y": 1}]}'),
        ("n", "1.5"),
        ("yes", "true"),
        ("none", ""),
        ("nowhere.at.all", ""),
    ],
)
def test_a_path_leads_to_a_value(path: str, value: str) -> None:
    assert value_at(path, PAYLOAD) == value


def test_without_a_shell_values_stand_as_they_are() -> None:
    assert filled("--to={{ payload.a.b }};{{n}} {{ none }}", PAYLOAD) == "--to=deep;1.5 "


VALUES = [
    "plain",
    "two words  *",
    "$(echo run)",
    "`echo run`",
    "'; echo run; '",
    '"; echo "',
    "$HOME",
]
TEMPLATES = [
    "printf %s {{ v }}",
    'printf %s "{{ payload.v }}"',
    "printf %s '{{ v }}'",
    'printf %s "it\'s {{ v }}" | sed "s/^it\'s //"',
    "printf %s \\'{{ v }} | cut -c2-",
]


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("value", VALUES)
def test_the_shell_sees_one_word_and_runs_nothing(template: str, value: str) -> None:
    assert _run(template, value) == value


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]), max_size=40))
def test_no_value_at_all_is_run(value: str) -> None:
    assert _run(TEMPLATES[0], value) == value


def _run(template: str, value: str) -> str:
    shell = shell_line(template, {"v": value})
    done = subprocess.run(
        ["/bin/sh", "-c", shell.line],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **shell.variables},
        capture_output=True,
        check=True,
        timeout=30,
    )
    return done.stdout.decode().removesuffix("\n")
