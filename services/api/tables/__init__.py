"""The api's own tables (identities, keys, rate windows, sign-ins, tickets) and blobs: what it writes."""
