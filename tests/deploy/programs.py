"""Stand-in children for the stack."""

import sys
from pathlib import Path

from deploy.local.programs import SERVICES, Programs

_STAND_IN = str(Path(__file__).with_name("stand_in.py"))

STAND_INS = Programs(
    preparations={"migrate": [sys.executable, "-c", "print('migrated')"]},
    services={name: [sys.executable, "-I", "-S", _STAND_IN, name] for name in SERVICES},
)
