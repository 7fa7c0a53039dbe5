"""What a man page says of parameters, fields, conditions, sections and examples."""

from __future__ import annotations

import pytest

from rpcschema.model.build import build
from tests.generator.manpages import needs_mandoc, page_of, render, sections, text_of
from tests.generator.pages import (
    Raw,
)


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
        "At most one of a and b can be given. c, d and e must be given together or not at all."
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
        "Form 1 of 3: a is present. Form 2 of 3: b (u8, optional) Form 3 of 3: no other fields."
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
