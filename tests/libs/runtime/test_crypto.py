from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.runtime.crypto import CannotOpen, Keyring

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
ACCOUNT, PURPOSE = "0195f0a0-0000-7000-8000-00000000acc0", "webhook secret"


@given(st.text(), st.text(), st.binary())
def test_what_was_sealed_opens(account_id: str, purpose: str, plaintext: bytes) -> None:
    keyring = Keyring([OLD])
    sealed = keyring.seal(account_id, purpose, plaintext)
    assert keyring.open(account_id, purpose, sealed) == plaintext


def test_the_plaintext_does_not_show() -> None:
    sealed = Keyring([OLD]).seal(ACCOUNT, PURPOSE, b"whsec_0123456789")
    assert b"whsec" not in sealed
    assert OLD not in sealed


def test_sealing_twice_never_looks_the_same() -> None:
    keyring = Keyring([OLD])
    assert len({keyring.seal(ACCOUNT, PURPOSE, b"secret") for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("account_id", "purpose"),
    [("another", PURPOSE), (ACCOUNT, "api key"), (ACCOUNT + ":" + PURPOSE, ""), ("", PURPOSE)],
)
def test_it_opens_only_for_the_account_and_purpose_it_was_sealed_for(
    account_id: str, purpose: str
) -> None:
    keyring = Keyring([OLD])
    sealed = keyring.seal(ACCOUNT, PURPOSE, b"secret")
    with pytest.raises(CannotOpen):
        keyring.open(account_id, purpose, sealed)


def test_a_key_is_rotated_by_adding_one_in_front() -> None:
    before, between, after = Keyring([OLD]), Keyring([NEW, OLD]), Keyring([NEW])
    old_sealed = before.seal(ACCOUNT, PURPOSE, b"secret")
    assert between.open(ACCOUNT, PURPOSE, old_sealed) == b"secret"
    new_sealed = between.seal(ACCOUNT, PURPOSE, b"secret")
    assert after.open(ACCOUNT, PURPOSE, new_sealed) == b"secret"
    with pytest.raises(CannotOpen):
        after.open(ACCOUNT, PURPOSE, old_sealed)
    with pytest.raises(CannotOpen):
        before.open(ACCOUNT, PURPOSE, new_sealed)


def test_any_changed_byte_is_noticed() -> None:
    keyring = Keyring([OLD])
    sealed = keyring.seal(ACCOUNT, PURPOSE, b"secret")
    for index in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[index] ^= 1
        with pytest.raises(CannotOpen):
            keyring.open(ACCOUNT, PURPOSE, bytes(damaged))


def test_anything_else_than_a_sealed_value_is_refused() -> None:
    keyring = Keyring([OLD])
    sealed = keyring.seal(ACCOUNT, PURPOSE, b"secret")
    for length in range(len(sealed)):
        with pytest.raises(CannotOpen):
            keyring.open(ACCOUNT, PURPOSE, sealed[:length])
    with pytest.raises(CannotOpen):
        keyring.open(ACCOUNT, PURPOSE, sealed + b"\0")


def test_a_database_may_give_the_sealed_value_as_a_view() -> None:
    keyring = Keyring([OLD])
    sealed = keyring.seal(ACCOUNT, PURPOSE, b"secret")
    assert keyring.open(ACCOUNT, PURPOSE, memoryview(sealed)) == b"secret"  # type: ignore[arg-type]


def test_the_same_text_derives_the_same_key_and_another_another() -> None:
    sealed = Keyring.derived_from("s" * 40).seal(ACCOUNT, PURPOSE, b"secret")
    assert Keyring.derived_from("s" * 40).open(ACCOUNT, PURPOSE, sealed) == b"secret"
    with pytest.raises(CannotOpen):
        Keyring.derived_from("t" * 40).open(ACCOUNT, PURPOSE, sealed)
