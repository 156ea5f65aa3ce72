"""`python -m deploy.local` with stand-ins for the services, for tests of the whole process."""

import sys

from deploy.local.__main__ import main
from tests.deploy.programs import STAND_INS

sys.exit(main(programs=STAND_INS))
