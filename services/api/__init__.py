"""The HTTP API: the wire of the contract, in front of everything.

Owns (writes): accounts, identities, keys, secrets, sign-ins, tickets, rate windows (`account-...`).
Decides, in place: what concerns the account, its keys and secrets, its sign-ins and its tickets.
Asks others: every other command, over the bus; 2xx means that its owner has committed it.
Reads: the published views (`api_cues`, `api_executions`, ...) and nothing else.
Does not own: any rule about cues, executions, outcomes or alerts; only the shape of what comes in.
"""
