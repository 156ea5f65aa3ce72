"""The faults, by what they are done to; importing this puts all of them into the catalogue."""

from tests.faults.catalogue import broker, clocks, crashes, database, services, storms

__all__ = ["broker", "clocks", "crashes", "database", "services", "storms"]
