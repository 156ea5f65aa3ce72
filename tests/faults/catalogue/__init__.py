"""The faults, by what they are done to. Importing this puts them all into the catalogue."""

from tests.faults.catalogue import broker, clocks, crashes, database, services, storms

__all__ = ["broker", "clocks", "crashes", "database", "services", "storms"]
