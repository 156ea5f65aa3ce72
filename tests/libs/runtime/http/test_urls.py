import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.runtime.http.addresses import EgressPolicy, TrustedOrigin
from libs.runtime.http.urls import MAX_LENGTH, InvalidURL, check_url

STRICT = EgressPolicy()
INSECURE = EgressPolicy(allow_insecure=True)


@pytest.mark.parametrize(
    ("text", "authority", "target"),
    [
        ("https://example.com", "example.com", "/"),
        ("https://example.com/", "example.com", "/"),
        ("HTTPS://EXAMPLE.com/Path", "example.com", "/Path"),
        ("https://example.com:443/a", "example.com", "/a"),
        ("https://example.com:8443/a", "example.com:8443", "/a"),
        ("https://example.com:/a", "example.com", "/a"),
        ("https://example.com:1/", "example.com:1", "/"),
        ("https://example.com:65535/", "example.com:65535", "/"),
        ("https://example.com?q=1", "example.com", "/?q=1"),
        ("https://example.com/p?", "example.com", "/p?"),
        ("https://example.com/p?q=%20+a&b#part", "example.com", "/p?q=%20+a&b"),
        ("https://example.com/a%2e/..//b;x=1/./", "example.com", "/a%2e/..//b;x=1/./"),
        ("https://example.com/%zz|{}[]\"<>^`'", "example.com", "/%zz|{}[]\"<>^`'"),
        ("https://example.com/ü?é", "example.com", "/%C3%BC?%C3%A9"),
        ("https://example.com./", "example.com", "/"),
        ("https://bücher.example/", "xn--bcher-kva.example", "/"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", "/"),
        ("https://under_score.example/", "under_score.example", "/"),
        ("https://intranet/", "intranet", "/"),
        ("https://127.0.0.1.nip.io/", "127.0.0.1.nip.io", "/"),
        ("https://0x7f.example/", "0x7f.example", "/"),
        ("https://8.8.8.8:9/", "8.8.8.8:9", "/"),
        ("https://[2606:4700:4700:0::1111]/", "[2606:4700:4700::1111]", "/"),
        ("https://[2606:4700:4700::1111]:8443/", "[2606:4700:4700::1111]:8443", "/"),
        ("https://example.com/" + "a" * (MAX_LENGTH - 20), "example.com", "/" + "a" * 2028),
    ],
)
def test_a_url_is_read_once_and_its_text_kept(text: str, authority: str, target: str) -> None:
    checked = check_url(text, STRICT)
    assert (checked.text, checked.authority, checked.target) == (text, authority, target)
    assert not checked.trusted


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "absolute"),
        ("/path", "absolute"),
        ("example.com/path", "absolute"),
        ("https:/example.com", "absolute"),
        ("https:example.com", "absolute"),
        ("//example.com/", "absolute"),
        ("http://example.com/", "https://"),
        ("ftp://example.com/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("gopher://example.com/", "https://"),
        ("javascript://example.com/", "https://"),
        ("http\u017f://example.com/", "https://"),
        ("https://user@example.com/", "user name"),
        ("https://user:word@example.com/", "user name"),
        ("https://@example.com/", "user name"),
        ("https://example.com@127.0.0.1/", "user name"),
        ("https:///path", "name a host"),
        ("https://?q", "name a host"),
        ("https://:443/", "name a host"),
        ("https://example.com:80:80/", "name a host"),
        ("https://example.com:a/", "name a host"),
        ("https://example.com:-1/", "name a host"),
        ("https://example.com:٤٤٣/", "name a host"),
        ("https://::1/", "name a host"),
        ("https://[::1/", "name a host"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "port"),
        ("https://example.com:" + "9" * 400 + "/", "port"),
        ("https://exam ple.com/", "spaces"),
        (" https://example.com/", "spaces"),
        ("https://example.com/ ", "spaces"),
        ("https://example.com/\u00a0", "spaces"),
        ("https://example.com/\r\nX-A:b", "spaces"),
        ("https://example.com/\t", "spaces"),
        ("https://example.com/\0", "spaces"),
        ("https://example.com/\x7f", "spaces"),
        ("https://example.com/\ud800", "spaces"),
        ("https://exam\u200bple.com/", "spaces"),
        ("https://example.com\\@127.0.0.1/", "spaces"),
        ("https:\\\\example.com/", "spaces"),
        ("https://example.com/" + "a" * (MAX_LENGTH - 19), "2048"),
        ("https://example..com/", "DNS name"),
        ("https://.example.com/", "DNS name"),
        ("https://example.com../", "DNS name"),
        ("https://./", "DNS name"),
        ("https://exa%6dple.com/", "DNS name"),
        ("https://exam!ple.com/", "DNS name"),
        ("https://[::1]a/", "name a host"),
        ("https://" + "a" * 64 + ".com/", "DNS name"),
        ("https://" + "a.b" * 90 + "/", "DNS name"),
        ("https://b\u00fc..example/", "internationalized"),
        ("https://a\uff0fb.example/", "internationalized"),
        ("https://a\uff20b.example/", "internationalized"),
        ("https://[v1.fe80::a]/", "IPv6"),
        ("https://[127.0.0.1]/", "IPv6"),
        ("https://[]/", "IPv6"),
        ("https://[2606:4700::1%25eth0]/", "IPv6"),
        ("https://[2606:4700::1%eth0]/", "zone"),
        ("https://8.8.8.8./", "decimal numbers"),
        ("https://134744072/", "decimal numbers"),
        ("https://1.2.3.4.5/", "decimal numbers"),
        ("https://example.256/", "decimal numbers"),
    ],
)
def test_a_malformed_url_is_refused_with_the_fix(text: str, reason: str) -> None:
    for policy in (STRICT, EgressPolicy(trusted_origins=(TrustedOrigin("http://api/e/"),))):
        with pytest.raises(InvalidURL, match=reason) as caught:
            check_url(text, policy)
        assert caught.value.reason == str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LocalHost", "localhost.", "a.localhost", "a.b.localhost", "ⓛocalhost"),
        *("127.0.0.1", "10.1.2.3", "100.64.0.1", "172.16.0.1", "192.168.1.1", "[::1]", "[fd12::1]"),
        "[::ffff:192.168.1.1]",
    ],
)
def test_private_hosts_are_blocked_unless_permitted(host: str) -> None:
    with pytest.raises(InvalidURL, match="blocked"):
        check_url(f"https://{host}/", STRICT)
    for scheme in ("http", "https"):
        assert check_url(f"{scheme}://{host}:8080/", INSECURE).port == 8080


@pytest.mark.parametrize(
    "host",
    [
        *("metadata.google.internal", "METADATA.google.internal.", "metadata.internal"),
        *("169.254.169.254", "168.63.129.16", "100.100.100.200", "0.0.0.0", "224.0.0.1"),
        *("[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]"),
        *("[2002:a9fe:a9fe::]", "[::]"),
    ],
)
def test_metadata_and_link_local_hosts_are_always_blocked(host: str) -> None:
    for policy in (STRICT, INSECURE):
        with pytest.raises(InvalidURL, match="blocked"):
            check_url(f"https://{host}/", policy)


ECHO = EgressPolicy(
    trusted_origins=(
        TrustedOrigin(
            "http://localhost:8000/v1/echo/", send_to="http://api.internal:8000/v1/echo/"
        ),
    )
)


def test_a_trusted_url_passes_and_is_sent_to_where_the_operator_says() -> None:
    checked = check_url("http://localhost:8000/v1/echo/abc?x=1", ECHO)
    assert checked.trusted
    assert checked.text == "http://localhost:8000/v1/echo/abc?x=1"
    assert (checked.authority, checked.target) == ("api.internal:8000", "/v1/echo/abc?x=1")


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:8000/v1/echo",
        "http://localhost:8000/v1/echo/../cues",
        "http://localhost:8000/v1/echo/a/..",
        "http://localhost:8000/v1/echo/%2e%2e/cues",
        "http://localhost:8000/v1/echo/..%2fcues",
        "http://localhost:8000/v1/ECHO/a",
        "http://localhost:8000@evil.example/v1/echo/",
        "http://localhost:80000/v1/echo/a",
        "http://api.internal:8000/v1/echo/a",
    ],
)
def test_trust_ends_where_its_prefix_ends(text: str) -> None:
    with pytest.raises(InvalidURL):
        check_url(text, ECHO)


@given(st.text(max_size=60), st.booleans())
def test_any_text_is_read_or_refused(text: str, insecure: bool) -> None:
    for candidate in (text, f"https://{text}", f"https://example.com/{text}"):
        try:
            checked = check_url(candidate, EgressPolicy(allow_insecure=insecure))
        except InvalidURL:
            continue
        assert checked.text == candidate
        for part in (checked.authority, checked.target):
            assert part.isascii()
            assert part.isprintable()
            assert " " not in part
