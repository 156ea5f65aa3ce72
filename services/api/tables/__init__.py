"""What the api writes: its own tables (identities, keys, windows, sign-ins, tickets) and blobs."""
