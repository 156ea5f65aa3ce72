"""What is told about one way to be refused."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """A row of the error table (contract §1).

    `meaning` says what is wrong, `cause` how that usually comes about, `hint` what to do next (it
    travels in each answer), `example` is a message as it may be answered. `wire` is the name that
    clients see, when it is not the table's own.
    """

    status: int
    meaning: str
    cause: str
    hint: str
    example: str
    wire: str = ""
