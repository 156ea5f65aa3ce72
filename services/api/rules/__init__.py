"""Pure calculations on what clients send and what they are shown; no IO, no clock, no ids."""
