"""Process plumbing: nothing here knows a word of the domain."""
