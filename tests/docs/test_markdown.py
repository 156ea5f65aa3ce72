"""Markdown becomes HTML that a strict policy lets through, with anchors as on GitHub."""

from __future__ import annotations

import pytest

from services.api.rules.markdown import anchor_of, render


def html(source: str) -> str:
    return render(f"# Title\n\n{source}", lambda href: f"/at/{href}").html


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("Quick start", "quick-start"),
        ("What's up, doc?", "whats-up-doc"),
        ("`retry.max_attempts`", "retrymax_attempts"),
        ("DST — and zones", "dst--and-zones"),
    ],
)
def test_anchors_are_those_of_github(title: str, anchor: str) -> None:
    assert anchor_of(title.replace("`", "")) == anchor
    assert f'<h2 id="{anchor}">' in html(f"## {title}")


def test_a_second_heading_of_the_same_name_has_an_anchor_of_its_own() -> None:
    page = html("## Size\n\n## Size\n\n## Size")
    assert [f'id="size{end}"' in page for end in ("", "-1", "-2", "-3")] == [True] * 3 + [False]


def test_a_page_knows_its_title_and_first_paragraph() -> None:
    page = render("# The `log`\n\nAll of it,\nin order.\n\nMore.", lambda _: None)
    assert (page.title, page.summary) == ("The log", "All of it, in order.")


def test_what_is_searched_lies_under_its_heading() -> None:
    page = render("# One\n\nFirst.\n\n## Two\n\n- second\n\n```sh\nls -l\n```", lambda _: None)
    assert [(each.heading.title, each.text) for each in page.passages] == [
        ("One", "First."),
        ("Two", "second ls -l\n"),
    ]


def test_a_page_without_a_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with a heading"):
        render("Nothing.", lambda _: None)


def test_links_are_followed_and_those_that_lead_off_the_site_become_text() -> None:
    assert '<a href="/at/b.md">b</a>' in html("[b](b.md)")
    off = render("# T\n\n[code](../x.py), [out](https://example.com)", lambda _: None).html
    assert "<span>code</span>" in off
    assert '<a href="https://example.com">out</a>' in off


def test_nothing_needs_an_inline_style() -> None:
    page = html("| a | b |\n|:--|--:|\n| 1 | 2 |")
    assert "style" not in page
    assert '<td class="align-right">2</td>' in page


def test_code_is_coloured_by_classes_and_escaped() -> None:
    page = html('```python run\nprint("<b>")\n```')
    assert 'class="language-python"' in page
    assert '<span class="nb">print</span>' in page
    assert "<b>" not in page
    assert "&lt;b&gt;" in html("```no-such-language\n<b>\n```")


def test_what_scrolls_can_be_reached_by_the_keyboard() -> None:
    page = html("```sh\nls\n```\n\n| a |\n|---|\n| 1 |")
    assert page.count('tabindex="0"') == 2
