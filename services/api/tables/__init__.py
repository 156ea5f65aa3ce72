"""The api's own tables (`identities`, `api_keys`, `rate_windows`) and blobs: what it writes."""
