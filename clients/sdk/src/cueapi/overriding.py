"""`override`, which the standard library has since Python 3.12 only."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing_extensions import override as override
else:
    T = TypeVar("T")

    def override(method: T) -> T:
        """Mark a method that takes the place of its base class's; type checkers look at it."""
        return method
