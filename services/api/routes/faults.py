"""What is wrong with a field, in words that tell its author what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

# By pydantic's names of what can be wrong; its facts go in.
_WORDS: Mapping[str, str] = {
    "missing": "is required",
    "int_type": "must be a whole number, without quotes or a fraction",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false, without quotes",
    "string_type": "must be a string",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "literal_error": "must be one of {expected}",
}


def said(fault: Mapping[str, Any], known: Collection[str]) -> str:
    """Say a fault that pydantic found; `known` are the names of the model's own fields."""
    if fault["type"] == "extra_forbidden":
        return _unknown(str(fault["loc"][-1]), known if len(fault["loc"]) == 1 else ())
    words = _WORDS.get(fault["type"])
    if words is not None:
        return words.format(**fault.get("ctx", {}))
    text = str(fault["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _unknown(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"is not a known field; did you mean {near[0]}?" if near else "is not a known field"
