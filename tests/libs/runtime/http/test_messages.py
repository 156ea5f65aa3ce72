import pytest

from libs.runtime.http.addresses import EgressPolicy
from libs.runtime.http.messages import Headers, request_head
from libs.runtime.http.urls import check_url

URL = check_url("https://example.com:8443/hook?x=1", EgressPolicy())


def head(method: str = "POST", headers: Headers = (), body_length: int = 2) -> list[str]:
    made = request_head(method, URL, headers, user_agent="Test/1.0", body_length=body_length)
    assert made.endswith(b"\r\n\r\n")
    return made.decode().removesuffix("\r\n\r\n").split("\r\n")


def test_a_request_names_its_target_and_its_sender() -> None:
    assert head(headers={"X-A": "ä", "x-b": ""}) == [
        "POST /hook?x=1 HTTP/1.1",
        "Host: example.com:8443",
        "X-A: ä",
        "x-b: ",
        "User-Agent: Test/1.0",
        "Accept-Encoding: identity",
        "Content-Length: 2",
    ]


@pytest.mark.parametrize("name", ["HOST", "content-length", "Transfer-Encoding", "Connection"])
def test_framing_is_the_clients_own(name: str) -> None:
    assert head(headers=[(name, "chunked"), ("X-A", "b")]) == head(headers=[("X-A", "b")])


@pytest.mark.parametrize(
    ("method", "length", "said"), [("GET", 0, False), ("PUT", 0, True), ("GET", 3, True)]
)
def test_an_empty_body_is_said_where_one_is_expected(method: str, length: int, said: bool) -> None:
    assert (head(method, body_length=length)[-1] == f"Content-Length: {length}") == said


@pytest.mark.parametrize("value", ["a\r\nX-B: c", "a\nb", "a\rb", "\ud800"])
def test_what_would_break_the_head_is_never_sent(value: str) -> None:
    with pytest.raises(ValueError, match=r"line break|surrogates"):
        head(headers={"X-A": value})
