"""The bytes of a request before its body."""

from collections.abc import Iterable, Mapping

from libs.runtime.http.urls import CheckedURL

Headers = Mapping[str, str] | Iterable[tuple[str, str]]

# Only the client frames a message and names its host and itself, whatever it is handed.
_OWN = frozenset(
    {
        *("host", "connection", "content-length", "transfer-encoding", "te", "trailer"),
        *("expect", "upgrade", "user-agent", "accept-encoding"),
    }
)
_METHODS_WITHOUT_BODY = frozenset({"GET", "HEAD"})


def request_head(
    method: str, url: CheckedURL, headers: Headers, *, user_agent: str, body_length: int
) -> bytes:
    """Give an HTTP/1.1 request up to its body, which is `body_length` bytes.

    `headers` are sent in their order and spelling, as UTF-8, without those that are the client's.

    Raises:
        ValueError: a header holds a line break, or has no UTF-8 form.
    """
    lines = [f"{method} {url.target} HTTP/1.1", f"Host: {url.authority}"]
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines += [f"{name}: {value}" for name, value in pairs if name.lower() not in _OWN]
    lines.append(f"User-Agent: {user_agent}")
    # An answer that never needs decompressing can't grow on being read.
    lines.append("Accept-Encoding: identity")
    if body_length or method not in _METHODS_WITHOUT_BODY:
        lines.append(f"Content-Length: {body_length}")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise ValueError("a header holds a line break")
    return f"{head}\r\n\r\n".encode()
