"""Work that time starts: attempts and leases that are due, and results that have come."""
