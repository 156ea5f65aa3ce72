"""What the api reads: SELECTs over the published views, one module for each resource."""
