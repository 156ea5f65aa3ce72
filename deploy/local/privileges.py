"""Which user a server runs as, and what becomes of it when this process is killed.

Postgres refuses to run as root. Where this process is root (a container, mostly), the
server runs as the owner of the folder it lives in, or as `nobody` when that is root
too. It keeps one capability, to pass over file permissions, so that a checkout below
`/root` works without changing the mode of anybody's folders.
"""

import os
import shutil
from pathlib import Path
from signal import Signals

from deploy.local.errors import StackError

NOBODY = 65534
_KEPT = "-all,+dac_override"


def wrapped(argv: list[str], on_orphaned: Signals, not_root_in: Path | None) -> list[str]:
    """Return `argv` so wrapped that the kernel sends it `on_orphaned` when this process dies.

    With a folder in `not_root_in`, it does not run as root either. Where `setpriv`
    (util-linux) is absent, as on macOS, the signal is not sent. Raises `StackError` when
    we are root and cannot step down.
    """
    argv = _with_parent_death_signal(argv, on_orphaned)
    # Outside the other: a change of user takes the parent-death signal away.
    return argv if not_root_in is None else _without_root(argv, not_root_in)


def _with_parent_death_signal(argv: list[str], signal: Signals) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return argv
    return [setpriv, "--pdeathsig", signal.name.removeprefix("SIG"), *argv]


def _without_root(argv: list[str], folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return argv
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError(
            "Postgres does not run as root, and `setpriv` to step down is missing.",
            "Start as an ordinary user, or install util-linux.",
        )
    owner = _owner(folder)
    return [
        setpriv,
        *("--reuid", str(owner), "--regid", str(owner), "--clear-groups"),
        *("--bounding-set", _KEPT, "--inh-caps", _KEPT, "--ambient-caps", _KEPT),
        *argv,
    ]


def _owner(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return folder.stat().st_uid or NOBODY
