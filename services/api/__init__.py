"""The HTTP API: the wire of the contract, in front of everything.

Owns (writes): accounts, identities, keys, secrets and rate windows (streams `account-...`).
Decides: RegisterAccount, in place.
Asks others: every other command, over the bus; 2xx means that its owner has committed it.
Reads: the published views (`api_cues`, `api_executions`, ...) and nothing else.
Does not own: any rule about cues, executions, outcomes or alerts; only the shape of what comes in.
"""
