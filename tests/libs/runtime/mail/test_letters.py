"""What mails look like, and that nothing that somebody chose breaks out of them."""

from __future__ import annotations

from libs.runtime.mail.letters import MAX_SUBJECT, Content, Item, write

EVERYTHING = Content(
    title="Bürö failed",
    paragraphs=("First.", "Second."),
    code="ABCD-EFGH",
    facts=(("Cue", "a <b> & c"),),
    items=(Item("one", "https://api.example/1"),),
    more=2,
    link="https://api.example/?a=1&b=2",
    label="See it",
    footer="Why you get this.",
)


def test_both_forms_say_the_same() -> None:
    letter = write("you@example.com", EVERYTHING)
    assert letter.subject == "Bürö failed"
    for text in (letter.text, letter.html):
        for said in ("Bürö failed", "First.", "Second.", "ABCD-EFGH", "one", "2 more", "Why you"):
            assert said in text
    assert letter.text == (
        "Bürö failed\n\nFirst.\n\nSecond.\n\n    ABCD-EFGH\n\nCue: a <b> & c\n\n"
        "- one\n  https://api.example/1\n... and 2 more.\n\n"
        "See it: https://api.example/?a=1&b=2\n\n--\nWhy you get this.\n"
    )


def test_what_is_empty_is_left_out() -> None:
    letter = write("you@example.com", Content(title="Hello"))
    assert letter.text == "Hello\n"
    for tag in ("<p", "<a", "<ul", "<table"):
        assert tag not in letter.html


def test_html_is_escaped() -> None:
    evil = Content(title="<script>", link='"><script>', label="<b>", facts=(("<i>", "<u>"),))
    html = write("you@example.com", evil).html
    for tag in ("<script>", "<b>", "<i>", "<u>"):
        assert tag not in html
    assert "a &lt;b&gt; &amp; c" in write("you@example.com", EVERYTHING).html


def test_a_subject_is_one_line_of_bounded_length() -> None:
    letter = write("you@example.com", Content(title="a\r\nBcc: all@example.com " + "x" * 500))
    assert letter.subject.startswith("a Bcc: all@example.com x")
    assert len(letter.subject) == MAX_SUBJECT
