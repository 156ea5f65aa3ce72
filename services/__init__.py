"""The services that we run; each meets the others only through events."""
