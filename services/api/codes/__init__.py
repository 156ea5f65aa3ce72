"""The error table: every code, its status, what it means and what to do about it (contract §1).

The answers, the OpenAPI document, the page `/docs/errors` and docs/reference/errors.md come of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.api.codes.access import ACCESS
from services.api.codes.base import Code
from services.api.codes.conflicts import CONFLICTS
from services.api.codes.input import INPUT
from services.api.codes.missing import MISSING
from services.api.codes.ours import OURS

CODES: Mapping[str, Code] = {**INPUT, **ACCESS, **MISSING, **CONFLICTS, **OURS}


def code_on_the_wire(code: str) -> str:
    """The code as clients see it: one code of the contract has two statuses, so two names here."""
    return CODES[code].wire or code
