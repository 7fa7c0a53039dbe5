"""Man pages: nothing lost, everything under the right name, and nothing that mandoc has to complain about."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from rpcschema.model.build import build
from rpcschema.model.nodes import Document
from rpcschema.targets.man import TARGET
from rpcschema.targets.subject import Subject
from tests.generator.pages import (
    CONSTRUCTS,
    OWN,
    SETTINGS,
    Raw,
    assert_holds,
    assert_prose_in_place,
    document_about,
    documents,
    hostile_text,
    raw_document,
)
from tests.shared import ROOT, shared_path

needs_mandoc = pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
TITLES = {
    "rpc": ("PARAMETERS", "RETURN VALUE"),
    "notification": ("PARAMETERS", "PAYLOAD"),
    "hook": ("PAYLOAD", "RETURN VALUE"),
}


def render(document: Document) -> tuple[str, bytes]:
    """The path and the roff of a document's page."""
    ((path, content),) = TARGET.document(Subject(document, SETTINGS)).files.items()
    return path, content


def lint(*pages: bytes) -> str:
    """What mandoc has to say about pages, styles aside."""
    return "".join(
        subprocess.run(
            ["mandoc", "-Tlint", "-W", "warning"], input=page, capture_output=True, check=False
        ).stdout.decode()
        for page in pages
    )


def shown(page: bytes) -> str:
    """The page as a terminal shows it, without overstrikes."""
    output = subprocess.run(["mandoc", "-Tutf8"], input=page, capture_output=True, check=True).stdout.decode()
    return re.sub(".\b", "", output)


def sections(page: bytes) -> dict[str, list[str]]:
    """The lines of a shown page by section."""
    found: dict[str, list[str]] = {}
    for line in shown(page).splitlines()[1:-1]:
        if line and not line.startswith(" "):
            found[line] = []
        elif found:
            found[list(found)[-1]].append(line)
    return found


def page_of(**members: object) -> dict[str, list[str]]:
    """The sections of the page of a small command with `members`."""
    raw = {"rpc": "fill", "title": "Fill a tank", "description": ["Fills."], "request": {}, "response": {}, **members}
    return sections(render(build(raw, "fill.json"))[1])


def text_of(lines: list[str]) -> str:
    """Lines as one paragraph."""
    return " ".join(" ".join(lines).split())


def assert_page_is_whole(raw: Raw, page: bytes) -> None:
    """All prose of a document is on its page, in place."""
    found = sections(page)
    kind = next(kind for kind in TITLES if kind in raw)
    for title, half in zip(TITLES[kind], ("request", "response"), strict=True):
        assert_prose_in_place(found.get(title, []), raw[half], lambda name: rf" +{re.escape(name)}(?= \(|$)")
    for title, key in (
        ("NAME", "title"),
        ("DESCRIPTION", "description"),
        *((key.upper(), key) for key in ("errors", "usage")),
    ):
        lines = raw.get(key, [])
        assert_holds(text_of(found.get(title, [])), [lines] if isinstance(lines, str) else lines)


@needs_mandoc
@pytest.mark.parametrize("file", [*OWN, *CONSTRUCTS], ids=lambda file: file.stem)
def test_mandoc_has_no_warning(file: Path) -> None:
    assert not lint(*(render(document)[1] for document in documents(file)))


@needs_mandoc
@pytest.mark.parametrize("file", [*OWN, *CONSTRUCTS], ids=lambda file: file.stem)
def test_page_has_every_word_of_the_descriptions_in_order_under_the_right_name(file: Path) -> None:
    for document in documents(file):
        assert_page_is_whole(raw_document(file), render(document)[1])


@needs_mandoc
@pytest.mark.parametrize("release", ["master-2026-08", "v24.11"])
def test_pages_of_all_upstream_documents_are_whole_and_clean(release: str) -> None:
    root = shared_path(f"corpus/{release}/schemas")
    for document in documents(root):
        page = render(document)[1]
        assert not lint(page), document.file
        assert_page_is_whole(raw_document(root / document.file), page)


@needs_mandoc
def test_a_page_without_one_sentence_is_not_whole() -> None:
    (document,) = documents(ROOT / "schemas" / "invoicerequest.json")
    raw = raw_document(ROOT / "schemas" / "invoicerequest.json")
    page = render(document)[1]
    assert page.count(b"need not be unique") == 1
    with pytest.raises(AssertionError):
        assert_page_is_whole(raw, page.replace(b"need not be unique", b"be unique"))


def test_command_page_is_named_as_lightning_cli_help_looks_for_it() -> None:
    paths = [render(document)[0] for document in documents(*CONSTRUCTS)]
    assert paths == [
        "man/lightning-hook-tank_level.7",
        "man/lightning-notification-tank_level.7",
        "man/lightning-tank-fill.7",
    ]


def test_page_is_dated_by_the_newest_release_that_the_document_names() -> None:
    field = {"type": "u8", "added": "v24.11"}
    raw = {
        "rpc": "fill",
        "title": "",
        "description": [],
        "added": "v23.02",
        "request": {"properties": {"a": field}},
        "response": {},
    }
    assert b'.TH "LIGHTNING\\-FILL" "7" "2024-11-01"' in render(build(raw, "fill.json"))[1]
    del raw["added"], field["added"]
    assert b'"2022-11-01"' in render(build(raw, "fill.json"))[1]


@needs_mandoc
def test_synopsis_puts_optional_parameters_in_brackets() -> None:
    request = {"required": ["tank"], "properties": {"tank": {"type": "string"}, "dry_run": {"type": "boolean"}}}
    assert text_of(page_of(request=request)["SYNOPSIS"]) == "fill tank [dry_run]"


@needs_mandoc
@pytest.mark.parametrize(
    ("field", "head"),
    [
        ({"type": "msat"}, "(msat, optional)"),
        (
            {"type": "array", "items": {"type": "array", "items": {"type": "hash"}}},
            "(array of arrays of hashes, optional)",
        ),
        ({"type": "array", "items": {}}, "(array, optional)"),
        ({"oneOf": [{"type": "string"}, {"type": "u64"}]}, "(string or u64, optional)"),
        ({"type": "u8", "added": "v23.02"}, "(u8, optional, added in v23.02)"),
        ({"type": "u8", "added": "pre-v0.10.1"}, "(u8, optional)"),
        (
            {"type": "u8", "deprecated": ["v24.02", "v25.02"]},
            "(u8, optional, deprecated in v24.02, removed after v25.02)",
        ),
        ({"type": "u8", "deprecated": ["v24.02"]}, "(u8, optional, deprecated in v24.02)"),
        ({"type": "u8", "deprecated": "v24.02"}, "(u8, optional, deprecated in v24.02)"),
        ({"type": "u8", "deprecated": True}, "(u8, optional, deprecated)"),
        ({"untyped": True}, "(any, optional)"),
    ],
)
def test_parameter_is_headed_by_type_presence_and_releases(field: Raw, head: str) -> None:
    assert text_of(page_of(request={"properties": {"x": field}})["PARAMETERS"]) == f"x {head}"


@needs_mandoc
@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({"enum": ["a", "b c"]}, 'One of "a", "b c".'),
        ({"enum": [True]}, "Always true."),
        ({"enum": []}, "No value is valid."),
        ({"minLength": 64, "maxLength": 64}, "Exactly 64 characters."),
        ({"minLength": 1}, "At least 1 character."),
        ({"maxItems": 2}, "At most 2 elements."),
        ({"minItems": 1, "maxItems": 2}, "1 to 2 elements."),
        ({"default": "the *current* time."}, "Default: the current time."),
        ({"default": "1, 2, ..."}, "Default: 1, 2, ..."),
        ({"default": " "}, 'Default: " ".'),
        ({"default": None}, "Default: null."),
        ({"default": 5, "enum": [5, 6]}, "One of 5, 6. Default: 5."),
    ],
)
def test_limits_and_default_follow_the_description(limits: Raw, sentence: str) -> None:
    field = {"type": "string", "description": ["How much."], **limits}
    assert (
        text_of(page_of(request={"properties": {"x": field}})["PARAMETERS"])
        == f"x (string, optional) How much. {sentence}"
    )


@needs_mandoc
def test_rules_between_parameters_are_put_into_words() -> None:
    rules = {"oneOfMany": [["a", "b"]], "pairedWith": [["c", "d", "e"]], "dependentUpon": {"a": ["c", "d"], "b": []}}
    assert text_of(page_of(request=rules)["PARAMETERS"]) == (
        "At most one of a and b can be given. c, d and e go together: all of them are given, or none."
        " c and d can only be given together with a."
    )


@needs_mandoc
def test_hidden_fields_and_markers_are_left_out() -> None:
    fields = {
        "seen": {"type": "u8"},
        "ghost": {},
        "secret": {"type": "u8", "hidden": True, "description": ["Nobody knows."]},
    }
    page = page_of(request={"properties": fields}, response={"properties": fields})
    assert text_of(page["SYNOPSIS"]) == "fill [seen]"
    assert text_of(page["PARAMETERS"]) == "seen (u8, optional)"
    assert text_of(page["RETURN VALUE"]) == "On success, an object with these fields: seen (u8, optional)"


@needs_mandoc
def test_conditional_fields_stand_below_their_condition() -> None:
    response = {
        "required": ["type"],
        "properties": {"type": {"type": "string"}, "late": {"type": "u8"}},
        "if": {"properties": {"type": {"enum": ["a", "b"]}}},
        "then": {"required": ["more", "late"], "properties": {"type": {}, "more": {"type": "u8"}}},
        "else": {"if": {"required": ["late"]}, "then": {"properties": {"less": {"type": "u8"}}}},
    }
    assert [line for line in page_of(response=response)["RETURN VALUE"] if line] == [
        "       On success, an object with these fields:",
        "       type (string)",
        "       late (u8, optional)",
        '       If type is "a" or "b": late is present.',
        "           more (u8)",
        "       Otherwise, if late is present:",
        "           less (u8, optional)",
    ]


@needs_mandoc
def test_a_condition_with_only_an_else_is_stated_as_its_opposite() -> None:
    response = {"if": {"required": ["late"]}, "then": {}, "else": {"properties": {"why": {"type": "string"}}}}
    assert "If late is absent: why (string, optional)" in text_of(page_of(response=response)["RETURN VALUE"])


@needs_mandoc
def test_what_must_be_present_is_required_of_those_who_write_it() -> None:
    hook = {"hook": "fill", "title": "", "description": [], "request": {}}
    response = {
        "if": {"required": ["a"]},
        "then": {"required": ["b"]},
        "oneOf": [{"required": ["a"]}, {"required": ["c"]}],
    }
    page = sections(render(build({**hook, "response": response}, "fill.json"))[1])
    assert text_of(page["RETURN VALUE"]).startswith(
        "Exactly one of these holds: a is present, or c is present. If a is present: b is required."
    )


@needs_mandoc
def test_elements_with_words_of_their_own_are_an_entry() -> None:
    array = {"type": "array", "items": {"type": "string", "description": ["A name."]}}
    assert text_of(page_of(request={"properties": {"x": array}})["PARAMETERS"]) == (
        "x (array of strings, optional) each element (string) A name."
    )


@needs_mandoc
def test_an_answer_without_fields_is_an_empty_object_unless_notes_say_otherwise() -> None:
    assert text_of(page_of()["RETURN VALUE"]) == "On success, an empty object."
    assert text_of(page_of(response={"pre_return_value_notes": ["It depends."]})["RETURN VALUE"]) == "It depends."


@needs_mandoc
def test_sections_stand_in_the_documents_order_with_the_usual_ones_last() -> None:
    members = {
        "resources": ["r"],
        "see_also": ["lightning-a(7)", "lightning-b(7)"],
        "trivia": ["t"],
        "errors": ["e"],
        "usage": ["u"],
    }
    page = page_of(**members, examples=[{"request": {}, "response": {}}])
    assert list(page)[-6:] == ["TRIVIA", "USAGE", "ERRORS", "EXAMPLES", "SEE ALSO", "RESOURCES"]
    assert "AUTHOR" not in page
    assert text_of(page["SEE ALSO"]) == "lightning-a(7), lightning-b(7)"


@needs_mandoc
@pytest.mark.parametrize(
    ("params", "line"),
    [
        ({}, "lightning-cli fill"),
        ({"a": "x", "b": 1}, "lightning-cli -k fill a=x b=1"),
        ({"a": "it's"}, """lightning-cli -k fill a='it'"'"'s'"""),
        ({"a": "1", "b": "01", "c": "null"}, """lightning-cli -k fill a='"1"' b=01 c='"null"'"""),
        ({"a": [{"b": None}]}, """lightning-cli -k fill a='[{"b":null}]'"""),
        (["x", True], "lightning-cli fill x true"),
        (["SELECT a=1"], "lightning-cli -o fill 'SELECT a=1'"),
    ],
)
def test_example_has_the_line_to_type(params: object, line: str) -> None:
    examples = page_of(examples=[{"request": {"params": params}, "response": {}}])["EXAMPLES"]
    assert examples[1].strip() == line


MACRO = re.compile(r'\.(?:TH .*|nh|ad l|SH ".*"|PP|TP 4|RS \d|RE|IP (?:\\\(bu|\d+\.) \d|PD(?: 0)?|EX|EE|br)')
ESCAPE = re.compile(r"\\(?:[e&-]|\((?:aq|ga|ha|ti|dq|bu)|f[RBI]|f\(BI|\[u[0-9A-F]{4,6}\])")


@needs_mandoc
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(hostile_text)
def test_no_text_reaches_roff_as_markup(text: str) -> None:
    page = render(document_about(text))[1]
    for line in page.decode("ascii").split("\n"):
        assert not line.startswith("'")
        assert not line.startswith(".") or MACRO.fullmatch(line)
        assert "\\" not in ESCAPE.sub("", line)
    assert not lint(page)


@needs_mandoc
def test_a_document_nested_to_the_limit_has_a_page() -> None:
    node: Raw = {"type": "u8", "description": ["The core."]}
    for _ in range(60):
        node = {"type": "object", "properties": {"x": {"oneOf": [node]}}}
    page = render(build({"rpc": "a", "title": "", "description": [], "request": node, "response": {}}, "a.json"))[1]
    assert b"The core." in page
    assert not lint(page)


@needs_mandoc
def test_forms_of_an_object_with_fields_of_their_own_are_told_apart() -> None:
    forms = [{"properties": {name: {"type": "u8", "description": [name.upper()]}}} for name in ("a", "b")]
    request = {"properties": {"x": {"type": "object", "oneOf": forms}}}
    assert text_of(page_of(request=request)["PARAMETERS"]) == (
        "x (object, optional) Form 1 of 2: a (u8, optional) A Form 2 of 2: b (u8, optional) B"
    )


@needs_mandoc
def test_form_that_only_requires_says_so_beside_one_that_declares() -> None:
    response = {
        "properties": {"a": {"type": "u8"}},
        "oneOf": [{"required": ["a"]}, {"properties": {"b": {"type": "u8"}}}, {}],
    }
    assert text_of(page_of(response=response)["RETURN VALUE"]).endswith(
        "Form 1 of 3: a is present. Form 2 of 3: b (u8, optional) Form 3 of 3: nothing more."
    )


@needs_mandoc
def test_halves_conditions_sides_and_forms_are_described_in_place() -> None:
    response = {
        "description": ["All of it."],
        "properties": {"a": {"type": "u8"}, "b": {"type": "u8"}},
        "oneOf": [{"required": ["a"], "description": ["With a."]}, {"required": ["b"]}],
        "if": {"required": ["a"], "description": ["On a."]},
        "then": {"properties": {"c": {"type": "u8"}}, "description": ["Then so."]},
        "else": {"description": ["Else so."]},
    }
    page = page_of(request={"description": ["To send."]}, response=response)
    assert text_of(page["PARAMETERS"]) == "To send."
    assert text_of(page["RETURN VALUE"]) == (
        "All of it. On success, an object with these fields: a (u8, optional) b (u8, optional)"
        " Form 1 of 2: a is present. With a. Form 2 of 2: b is present."
        " On a. If a is present: Then so. c (u8, optional) Otherwise: Else so."
    )


@needs_mandoc
@pytest.mark.parametrize(
    ("schema", "parameters", "fields"),
    [
        (
            {"additionalProperties": True, "properties": {}},
            "Parameters of any name are accepted.",
            "On success, an object. Fields of any name may be present.",
        ),
        (
            {"additionalProperties": True, "properties": {"a": {"type": "u8"}}},
            "a (u8, optional) Other parameters are accepted.",
            "On success, an object with these fields: a (u8, optional) Other fields may be present.",
        ),
        (
            {"properties": {"a": {"type": "object", "additionalProperties": True}}},
            "a (object, optional) Fields of any name are accepted.",
            "On success, an object with these fields: a (object, optional) Fields of any name may be present.",
        ),
    ],
    ids=range(3),
)
def test_members_that_are_not_declared_are_announced(schema: Raw, parameters: str, fields: str) -> None:
    page = page_of(request=schema, response=schema)
    assert (text_of(page["PARAMETERS"]), text_of(page["RETURN VALUE"])) == (parameters, fields)


@needs_mandoc
def test_notes_stand_around_the_fields_of_an_answer() -> None:
    notes = {"pre_return_value_notes": ["Before."], "post_return_value_notes": ["After."]}
    page = page_of(response={"properties": {"x": {"type": "u8"}}, **notes})
    assert text_of(page["RETURN VALUE"]) == "Before. On success, an object with these fields: x (u8, optional) After."


@needs_mandoc
def test_examples_show_only_what_they_have() -> None:
    assert text_of(page_of(examples=[{"response": {}}, {"request": "x"}])["EXAMPLES"]) == (
        'Example 1 Response: {} Example 2 Request: "x"'
    )
