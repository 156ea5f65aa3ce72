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


def with_parent_death_signal(argv: list[str], signal: Signals) -> list[str]:
    """Return `argv` so wrapped that the kernel sends `signal` when this process dies.

    Where `setpriv` (util-linux) is absent, as on macOS, `argv` comes back as it is.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return argv
    return [setpriv, "--pdeathsig", signal.name.removeprefix("SIG"), *argv]


def without_root(argv: list[str], folder: Path) -> list[str]:
    """Return `argv` so wrapped that it does not run as root; unchanged if we are not root.

    Raises `StackError` when we are root and cannot step down.
    """
    if os.geteuid() != 0:
        return argv
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError(
            "Postgres does not run as root, and `setpriv` to step down is missing.",
            "Start as an ordinary user, or install util-linux.",
        )
    owner = folder_owner(folder)
    return [
        setpriv,
        *("--reuid", str(owner), "--regid", str(owner), "--clear-groups"),
        *("--bounding-set", _KEPT, "--inh-caps", _KEPT, "--ambient-caps", _KEPT),
        *argv,
    ]


def folder_owner(folder: Path) -> int:
    """Return the uid that owns `folder`, or its nearest parent that exists; never root's."""
    while not folder.exists():
        folder = folder.parent
    return folder.stat().st_uid or NOBODY
