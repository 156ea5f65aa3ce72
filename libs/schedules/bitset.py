"""A set of small numbers, held as the bits of one integer: bit n is set when n is in it."""

from __future__ import annotations

from collections.abc import Iterable


def bitset(numbers: Iterable[int]) -> int:
    """Return the set of these numbers, each zero or more."""
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits


def members(bits: int) -> tuple[int, ...]:
    """Return what is in the set, ascending."""
    return tuple(number for number in range(bits.bit_length()) if bits >> number & 1)


def smallest(bits: int) -> int:
    """Return the smallest member of a set that is not empty."""
    return (bits & -bits).bit_length() - 1


def largest(bits: int) -> int:
    """Return the largest member of a set that is not empty."""
    return bits.bit_length() - 1


def first_from(bits: int, start: int) -> int | None:
    """Return the smallest member that is `start` or more."""
    rest = bits >> start
    return start + smallest(rest) if rest else None
