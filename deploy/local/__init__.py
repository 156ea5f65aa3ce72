"""The embedded stack: Postgres, nats-server and the five services on one machine.

`python -m deploy.local` is what `make run` starts; `Stack` is the same thing for tests
and benchmarks. No Docker and no root; everything it keeps is in one data folder.
"""
