"""`python -m services.outcomes`."""

import sys

from services.outcomes.app import main

sys.exit(main())
