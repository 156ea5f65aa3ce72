"""The one way out to URLs that users give.

Owns: which URLs, addresses and headers are acceptable (`urls`, `addresses`, `headers`: pure),
looking names up (`names`), and the only HTTP client that may send to such a URL (`client`; its
failures are in `failures`, its answers in `exchange`).
The wall is in `connector`: every dialed address is judged at the moment it is dialed, so nothing
that a name server answers later can lead a connection elsewhere.
Does not own: what is sent, when, whether it is tried again.
"""
