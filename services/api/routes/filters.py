"""Filters of lists (contract §1 "Lists")."""

from __future__ import annotations

from collections.abc import Collection

from services.api.errors import ApiError


def one_of(name: str, value: str | None, known: Collection[str]) -> None:
    """Refuse a filter value that is none of the known ones. Raises ApiError."""
    if value is not None and value not in known:
        raise ApiError("invalid_filter", f"{name} must be one of {', '.join(known)}")
