"""The operators' hand: `cueapi-admin`, a command line that works on the database itself.

Writes `PlanChanged`. Reads and erases what is an account's in every service's tables, and seals
their secrets anew; it is run by whoever has the database's password, and by nobody else.
"""
