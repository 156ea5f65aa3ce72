"""Reading a mapping of the configuration field by field, with complaints that say where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from cueapi_worker.durations import seconds
from cueapi_worker.errors import ConfigError

T = TypeVar("T")


class Fields:
    """A mapping whose fields are taken once each; `finish` complains of what is left."""

    def __init__(self, where: str, value: object) -> None:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where or 'the file'} has to be a mapping of names to values")
        self._where = where
        self._left = {str(name): each for name, each in value.items()}
        self._known: list[str] = []

    def take(self, name: str, read: Callable[[Any], T], default: T) -> T:
        """Take a field as `read` reads it; `default` where it is absent or null.

        Raises ConfigError where `read` raises ValueError.
        """
        self._known.append(name)
        value = self._left.pop(name, None)
        if value is None:
            return default
        try:
            return read(value)
        except ValueError as error:
            raise ConfigError(f"{self._path(name)}: {error}") from error

    def finish(self) -> None:
        """Raise ConfigError if a field is left which nobody asked for."""
        for name in self._left:
            near = get_close_matches(name, self._known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(self._known)}"
            raise ConfigError(f"{self._path(name)} is unknown", hint)

    def _path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name


def text(value: Any) -> str:
    """Read a non-empty string."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is no text")
    return value


def flag(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def whole(lowest: int, highest: int) -> Callable[[Any], int]:
    """Read a whole number within bounds."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{value!r} is no whole number")
        if not lowest <= value <= highest:
            raise ValueError(f"{value} is not within {lowest} and {highest}")
        return value

    return read


def span(value: Any) -> float:
    """Read a span of time above zero."""
    read = seconds(value)
    if read <= 0:
        raise ValueError("it has to be longer than nothing")
    return read


def environment(value: Any) -> dict[str, str]:
    """Read names and values of environment variables."""
    if not isinstance(value, Mapping):
        raise ValueError("it has to be a mapping of names to values")
    return {str(name): "" if each is None else str(each) for name, each in value.items()}


def command(value: Any) -> str | tuple[str, ...]:
    """Read a command: a line for the shell, or a list that runs without one."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list) and value and all(isinstance(each, (str, int)) for each in value):
        return tuple(str(each) for each in value)
    raise ValueError("it has to be a command line, or a list of words")
