"""The API's resources: every call, written once for the sync and the async client."""
