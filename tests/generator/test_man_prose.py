"""The Markdown of descriptions as roff."""

from __future__ import annotations

import pytest

from rpcschema.text import prose, roff


def rendered(*lines: str) -> str:
    """Return a description as roff, without the macro of its first paragraph."""
    return "".join(roff.blocks(lines))


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("*a* **b** `c`", "\\fIa\\fR \\fBb\\fR \\fBc\\fR"),
        ("**a *b* c**", "\\fBa \\f(BIb\\fB c\\fR"),
        ("*a `b`*", "\\fIa \\f(BIb\\fI\\fR"),
        ("`*not* emphasis`", "\\fB*not* emphasis\\fR"),
        ("[text](http://a.b)", "text <http://a.b>"),
        ('[text](http://a.b "title")', 'text <http://a.b> "title"'),
        ("<http://a.b>", "http://a.b"),
        ("[a@b.c](mailto:a@b.c)", "a@b.c"),
        ("![alt](http://a.b)", "!alt <http://a.b>"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("&lt;a&gt; \\*", "<a> *"),
        ("[a]: http://a.b", "[a]: http://a.b"),
        ("a\\nb", "a\\enb"),
        (".SH x", "\\&.SH x"),
        ("'quoted'", "\\(aqquoted\\(aq"),
        ("--dry-run", "\\-\\-dry\\-run"),
        ("é ₿", "\\[u00E9] \\[u20BF]"),
        ("a\x07b", "a\\[uFFFD]b"),
        ("&#32;", "\\&"),
    ],
)
def test_spans_keep_their_text_and_escape_it(markdown: str, expected: str) -> None:
    assert rendered(markdown) == f"{expected}\n"


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [("a\\\nb", "a\n.br\nb\n"), ("\\\nb", "b\n"), ("a\\\n\\\nb", "a\n.br\nb\n"), ("- \\\n  b", ".IP \\(bu 2\nb\n")],
)
def test_a_line_breaks_only_behind_text(markdown: str, expected: str) -> None:
    assert rendered(*markdown.split("\n")) == expected


def test_paragraphs_are_separated_and_lines_kept() -> None:
    assert rendered("a", "b", "", "c") == "a\nb\n.PP\nc\n"


def test_hard_breaks_break() -> None:
    assert rendered("a\\", "b  ", "c") == "a\n.br\nb\n.br\nc\n"


def test_headings_are_bold_paragraphs() -> None:
    assert rendered("# A *b*") == "\\fBA \\f(BIb\\fB\\fR\n"
    assert rendered("Title", "-----", "text") == "\\fBTitle\\fR\n.PP\ntext\n"


def test_tight_lists_have_no_space_between_items() -> None:
    assert rendered("- a", "- b") == ".IP \\(bu 2\na\n.PD 0\n.IP \\(bu 2\n.PD\nb\n"


def test_loose_and_ordered_lists_keep_space_and_numbers() -> None:
    assert rendered("7. a", "", "8. b", "", "   c") == ".IP 7. 4\na\n.IP 8. 4\nb\n.RS 4\n.PP\nc\n.RE\n"


def test_nested_lists_are_indented() -> None:
    assert rendered("- a", "  - b", "- c") == (
        ".IP \\(bu 2\na\n.RS 2\n.IP \\(bu 2\nb\n.RE\n.PD 0\n.IP \\(bu 2\n.PD\nc\n"
    )


def test_empty_list_items_keep_their_mark() -> None:
    assert rendered("-", "- b") == ".IP \\(bu 2\n\\&\n.PD 0\n.IP \\(bu 2\n.PD\nb\n"


def test_lists_indented_by_four_spaces_under_their_sentence_are_lists() -> None:
    lines = ("One of:", "    * a", "    * b", "      * c", "    * d", "", "Or all.")
    assert rendered(*lines) == rendered("One of:", "* a", "* b", "  * c", "* d", "", "Or all.")


def test_four_spaces_under_a_list_item_still_nest() -> None:
    assert rendered("- a", "    - b") == rendered("- a", "  - b")


def test_fences_are_shown_line_by_line() -> None:
    assert rendered("```shell", ".a \\b", "", "\tc", "```") == ".RS 4\n.EX\n\\&.a \\eb\n\n        c\n.EE\n.RE\n"


def test_fences_keep_lists_that_they_show() -> None:
    assert rendered("```", "One of:", "    * a", "```") == ".RS 4\n.EX\nOne of:\n    * a\n.EE\n.RE\n"


def test_quotes_are_indented() -> None:
    assert rendered("> a", ">", "> b") == ".RS 4\n.PP\na\n.PP\nb\n.RE\n"


@pytest.mark.parametrize("text", ["> " * 100 + "deep", "- " * 100 + "deep", "*" * 200 + "deep" + "*" * 200])
def test_what_nests_too_deep_is_shown_with_its_markup(text: str) -> None:
    shown = text.replace("-", "\\-")
    assert rendered(text) == f".RS 4\n.EX\n{shown}\n.EE\n.RE\n"


def test_lines_that_nest_too_deep_are_shown_as_code() -> None:
    text = "*" * 200 + "deep" + "*" * 200
    assert roff.inline(text) == f"\\fB{text}\\fR"


@pytest.mark.parametrize("name", ["a", "`", "``a", " a ", " ", "", "\\"])
def test_code_shows_any_name_as_it_is(name: str) -> None:
    assert roff.inline(prose.code(name)) in {f"\\fB{roff.text(name)}\\fR", f"\\(aq{name}\\(aq"}
