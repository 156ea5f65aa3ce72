"""Archived months of the log, as files: JSON lines in gzip, and a manifest that vouches for them.

A month is a folder such as `2026-04`. What lies in it counts only when `manifest.json` is there,
which is written last and holds every file's number of events and SHA-256.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import msgspec

from libs.events.base import Value

EVENTS_PER_FILE = 100_000
MANIFEST = "manifest.json"
_LEVEL = 6


class ArchiveFile(Value):
    """One file: the events in it, and what it must be; `sha256` is of the file as it lies."""

    name: str
    events: int
    size: int
    sha256: str


class Manifest(Value):
    """A whole month. `content` is the SHA-256 of all its lines, one after the other."""

    month: date
    events: int
    last_pos: int
    content: str
    files: tuple[ArchiveFile, ...]
    format: int = 1


class Damaged(Exception):
    """An archive is not what its manifest says, or has none."""


def folder_of(root: Path, month: date) -> Path:
    """Where a month lies."""
    return root / f"{month:%Y-%m}"


def months_in(root: Path) -> list[date]:
    """The months whose archives are whole, oldest first."""
    folders = [path.parent.name for path in root.glob(f"[0-9]*-[0-9]*/{MANIFEST}")]
    return sorted(date.fromisoformat(f"{name}-01") for name in folders)


class MonthWriter:
    """Writes a month's events, a file at a time; what lay in its folder is gone at once."""

    def __init__(self, root: Path, month: date, *, per_file: int = EVENTS_PER_FILE) -> None:
        self._per_file = per_file
        self._root, self._month = root, month
        self._folder = folder_of(root, month)
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in self._folder.iterdir():
            left.unlink()
        self._content = hashlib.sha256()
        self._files: list[ArchiveFile] = []
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """Take an event, as one line of JSON without its end."""
        self._lines.append(line)
        if len(self._lines) == self._per_file:
            self._end_file()

    def finish(self, last_pos: int) -> Manifest:
        """Put the rest and the manifest on the disk; when this returns, all of it is there."""
        if self._lines:
            self._end_file()
        manifest = Manifest(
            month=self._month,
            events=sum(file.events for file in self._files),
            last_pos=last_pos,
            content=self._content.hexdigest(),
            files=tuple(self._files),
        )
        unfinished = self._folder / f"{MANIFEST}.new"
        _write(unfinished, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        unfinished.rename(self._folder / MANIFEST)
        for path in (self._folder, self._root):
            _sync(path)
        return manifest

    def _end_file(self) -> None:
        text = "".join(f"{line}\n" for line in self._lines).encode()
        self._content.update(text)
        name = f"events-{len(self._files) + 1:05}.jsonl.gz"
        body = gzip.compress(text, _LEVEL, mtime=0)
        _write(self._folder / name, body)
        sha256 = hashlib.sha256(body).hexdigest()
        events = len(self._lines)
        self._files.append(ArchiveFile(name=name, events=events, size=len(body), sha256=sha256))
        self._lines = []


def read_manifest(root: Path, month: date) -> Manifest:
    """Read what a month's archive must be. Raises `Damaged`."""
    path = folder_of(root, month) / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise Damaged(f"{path} cannot be read: {error}") from error
    if manifest.month != month:
        raise Damaged(f"{path} is that of {manifest.month:%Y-%m}")
    return manifest


def verify_month(root: Path, month: date) -> Manifest:
    """Read a whole archive back, and compare it with its manifest. Raises `Damaged`."""
    manifest = read_manifest(root, month)
    content = hashlib.sha256()
    for line in lines_of(root, manifest):
        content.update(f"{line}\n".encode())
    if content.hexdigest() != manifest.content:
        raise Damaged(f"{folder_of(root, month)}: its events are not those of the manifest")
    return manifest


def lines_of(root: Path, manifest: Manifest) -> Iterator[str]:
    """Give a month's events as they were written. Raises `Damaged`, before a bad file's first."""
    folder = folder_of(root, manifest.month)
    for file in manifest.files:
        yield from _lines(folder / file.name, file)


def _lines(path: Path, file: ArchiveFile) -> Sequence[str]:
    try:
        body = path.read_bytes()
        if hashlib.sha256(body).hexdigest() != file.sha256:
            raise Damaged(f"{path} has been changed since it was written")
        lines = gzip.decompress(body).decode().removesuffix("\n").split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise Damaged(f"{path} cannot be read: {error}") from error
    if len(lines) != file.events:
        raise Damaged(f"{path} has {len(lines)} events, not {file.events}")
    return lines


def _write(path: Path, body: bytes) -> None:
    with path.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
