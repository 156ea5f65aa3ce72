"""The garbage collector, set for processes that live long and answer fast."""

from __future__ import annotations

import gc


def settle_memory() -> None:
    """Let the collector leave alone what lives as long as the process, and look less often.

    Call once, when everything is built. Nearly all garbage here is freed by counting references;
    to walk the whole heap for the rest cost a fifth of a core, and 80 ms of silence at a time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
