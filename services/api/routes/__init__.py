"""The endpoints: wire models and what each route does with a request that was let in."""
