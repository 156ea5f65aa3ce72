"""The mails of the api: sign-in links, and what was done to an account. Pure (contract §11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from libs.runtime.mail.letters import Content


def sign_in(*, code: str, link: str) -> Content:
    """The link that approves a sign-in, with the code to compare it by."""
    return Content(
        title=f"Sign in to CueAPI: {code}",
        paragraphs=(
            "Somebody, you we hope, wants to sign in to CueAPI with the code below. If this is the"
            " code that you see in your terminal, open the link and confirm. It works once, within"
            " 15 minutes.",
        ),
        code=code,
        link=link,
        label="Sign in",
        footer="If the code is not yours, do nothing: without your confirmation nobody gets in.",
    )


def key_regenerated(*, prefix: str, base_url: str) -> Content:
    """The default key was replaced."""
    return Content(
        title="Your CueAPI key was replaced",
        paragraphs=(
            f"The API key {prefix}... of this account was replaced by a new one just now."
            " The old key no longer works.",
        ),
        footer=f"If this was not you, sign in and replace the key again: {base_url}",
    )


def webhook_secret_rotated(*, which: str, until: str | None, base_url: str) -> Content:
    """A signing secret was replaced; `until` the old one signs too."""
    if until is None:
        what_now = "The old one no longer signs anything; update your receivers."
    else:
        what_now = f"The old one signs too until {until}; update your receivers before then."
    return Content(
        title="Your CueAPI webhook secret was replaced",
        paragraphs=(f"The {which} of this account was replaced by a new one just now.", what_now),
        footer=f"If this was not you, replace your API key at once: {base_url}",
    )


def address_changed(*, old: str, new: str, base_url: str) -> Content:
    """The account's address is another one; told to both."""
    return Content(
        title="The address of your CueAPI account was changed",
        paragraphs=(f"The address of this account was changed from {old} to {new} just now.",),
        footer=f"If this was not you, replace your API key at once: {base_url}",
    )


CONTENTS: Mapping[str, Callable[..., Content]] = {
    "sign_in": sign_in,
    "key_regenerated": key_regenerated,
    "webhook_secret_rotated": webhook_secret_rotated,
    "address_changed": address_changed,
}
