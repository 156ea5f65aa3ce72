"""One realistic example of each model that is sent or answered, by the model's name.

Together they tell one story: of a cue, its execution and its account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.routes.examples.account import ACCOUNTS
from services.api.routes.examples.cues import CUES
from services.api.routes.examples.executions import EXECUTIONS

EXAMPLES: Mapping[str, Any] = {
    "NoFields": {},
    **CUES,
    **EXECUTIONS,
    **ACCOUNTS,
}
