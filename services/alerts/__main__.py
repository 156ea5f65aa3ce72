"""`python -m services.alerts`."""

import sys

from services.alerts.app import main

sys.exit(main())
