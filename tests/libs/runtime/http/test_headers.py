import pytest

from libs.runtime.http.headers import MAX_VALUE_LENGTH, check_headers

OWN = ("x-own-",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer token"),
        ("Cookie", "a=b"),
        ("X-Api-Key", ""),
        ("x_custom.header~1", "tab\tand space"),
        ("X-Umlaut", "ä 日本 \u200b\u00a0"),
        ("X-Long", "ä" * MAX_VALUE_LENGTH),
        ("Content-Language", "de"),
        ("Connectionless", "x"),
        ("X-Owner", "x"),
        ("Proxy", "x"),
    ],
)
def test_headers_that_the_sender_does_not_set_pass(name: str, value: str) -> None:
    assert check_headers({name: value}, OWN) == []


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "HOST",
        "Content-Length",
        "content-type",
        "Transfer-Encoding",
        "Connection",
        "User-Agent",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "Proxy-Authorization",
        "Proxy-Connection",
        "webhook-id",
        "Webhook-Timestamp",
        "WEBHOOK-SIGNATURE",
        "traceparent",
        "X-Own-Signature",
    ],
)
def test_headers_that_the_sender_sets_are_refused(name: str) -> None:
    assert [problem for problem, _ in check_headers({name: "x"}, OWN)] == [name]


@pytest.mark.parametrize(
    "name", ["", "X A", "X:A", "X\r\nA", "X\0", "Ü", "X(A)", "\u212aey", "Host ", "X/A", '"X"']
)
def test_a_name_is_a_token(name: str) -> None:
    assert [problem for problem, _ in check_headers({name: "x"}, OWN)] == [name]


@pytest.mark.parametrize(
    "value", ["a\rb", "a\nb", "a\r\nX-B: c", "\0", "\x1b", "\x7f", "\x85", "\ud800", "a" * 4097]
)
def test_a_value_is_one_line_of_bounded_length(value: str) -> None:
    assert [problem for problem, _ in check_headers({"X-A": value}, OWN)] == ["X-A"]


def test_every_problem_is_listed() -> None:
    problems = check_headers({"Host": "x", "X-A": "fine", "X B": "x"}, OWN)
    assert [name for name, _ in problems] == ["Host", "X B"]
