"""The vocabulary of events and the machinery that records and carries them."""
