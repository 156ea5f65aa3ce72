"""How long the leases last that the stack lends to workers."""

LEASE_SECONDS = 10
