"""What Core Lightning does not have is on pages and in services, and clients for its nodes do not offer it."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

from rpcschema.model.build import build
from rpcschema.settings import Settings
from tests.generator.packages import command, event
from tests.generator.rendering import render_one

SETTINGS = Settings(package="p", targets=("man", "markdown"))
REQUEST = {
    "required": ["a", "c"],
    "properties": {
        "a": {"type": "u8"},
        "ours": {"type": "boolean", "description": ["Ours."], "extension": True, "default": "false"},
        "b": {"type": "u8"},
        "c": {"type": "u8"},
        "hash": {"type": "hash", "extension": True},
    },
    "oneOfMany": [["b", "ours"], ["a", "b", "hash"]],
    "pairedWith": [["c", "ours"]],
    "dependentUpon": {"ours": ["a"], "a": ["b", "hash"]},
    "enforced": ["oneOfMany", "pairedWith", "dependentUpon"],
}
RESPONSE = {"properties": {"d": {"type": "u8"}, "e": {"type": "u8", "extension": True}}}


def page(target: str, raw: dict[str, Any]) -> str:
    (content,) = render_one(target, build(raw, "x.json"), SETTINGS).files.values()
    return content.decode()


def binder(made: Any) -> Any:
    return importlib.import_module(f"{made.__name__}.runtime.server.bind").Binder(made.COMMANDS["pay-now"])


def test_an_extension_among_the_parameters_is_none_of_the_clients_method(package: Any) -> None:
    made = package(command(request=REQUEST))
    for client in (made.Client, made.AsyncClient):
        assert list(inspect.signature(client.pay_now).parameters)[1:] == ["a", "c", "b"]
        assert "ours" not in client.pay_now.__doc__
    assert "Hash" not in Path(inspect.getfile(made.Client.pay_now)).read_text()


def test_a_service_receives_a_parameter_that_is_an_extension(package: Any) -> None:
    made = package(command(request=REQUEST))
    request = made.types.PayNowRequest(a=1, c=2)
    assert [field.name for field in dataclasses.fields(request)] == ["a", "ours", "b", "c", "hash"]
    assert request.ours is False
    source = Path(inspect.getfile(made.types.PayNowRequest)).read_text()
    assert '"""Ours.\n\n    An extension: Core Lightning does not have it.\n' in source


def test_an_extension_is_given_by_name_and_takes_no_position(package: Any) -> None:
    made = package(command(request=REQUEST))
    assert binder(made).bind(b"[1, null, 3]") == {"a": 1, "c": 3}
    assert binder(made).bind(b'{"ours": true, "c": 3, "a": 1}') == {"a": 1, "c": 3, "ours": True}
    with pytest.raises(Exception, match="too many parameters: got 4, expected 3"):
        binder(made).bind(b"[1, 2, 3, true]")


def test_usage_shows_extensions_last_and_by_name(package: Any) -> None:
    made = package(command(request=REQUEST))
    assert made.COMMANDS["pay-now"].usage == "pay-now a [b] c [ours=...] [hash=...]"


def test_rules_that_bind_extensions_do_not_bind_a_client(package: Any) -> None:
    made = package(command(request=REQUEST))
    rules = made.COMMANDS["pay-now"]
    assert (rules.at_most_one, rules.all_or_none, rules.needs) == ((("a", "b"),), (), (("b", "a"),))
    assert "At most one of `a` and `b` can be given. `b` can only be given together with `a`." in (
        " ".join((made.Client.pay_now.__doc__ or "").split())
    )


def test_pages_show_an_extension_and_say_what_it_is() -> None:
    text = page("markdown", command(request=REQUEST, response=RESPONSE))
    assert "**pay-now** *a* \\[*b*\\] *c* \\[*ours=...*\\] \\[*hash=...*\\]\n" in text
    assert (
        "- `ours` (boolean, optional): Ours.\n\n  An extension: Core Lightning does not have it. Default: false.\n"
        in text
    )
    assert "\n`ours` and `hash` can only be given by name.\n" in text
    assert "- `e` (u8, optional): An extension: Core Lightning does not have it.\n" in text
    assert "\\-now\\fR \\fIa\\fR [\\fIb\\fR] \\fIc\\fR [\\fIours=...\\fR] [\\fIhash=...\\fR]\n" in page(
        "man", command(request=REQUEST)
    )


def test_the_payload_of_a_hook_has_no_positions_to_speak_of() -> None:
    assert "by name" not in page("markdown", event("hook", "full", request=REQUEST))


def test_a_command_that_is_an_extension_has_no_method_in_clients(package: Any) -> None:
    raw = command("ours-alone", request={"properties": {"a": {"type": "hash"}}}) | {"extension": True}
    made = package(command(), raw)
    assert not hasattr(made.Client, "ours_alone")
    assert not hasattr(made.AsyncClient, "ours_alone")
    said = "An extension: Core Lightning does not have this command."
    for described in (made.Service.ours_alone, made.types.OursAloneRequest, made.types.OursAloneResponse):
        assert said in described.__doc__
    assert made.COMMANDS["ours-alone"].usage == "ours-alone [a]"
    for target in ("man", "markdown"):
        assert said in " ".join(page(target, raw).split())


def test_a_plugin_is_not_offered_events_that_are_extensions(package: Any) -> None:
    raws = [event(kind, f"our_{kind}") | {"extension": True} for kind in ("notification", "hook")]
    made = package(*raws, event("hook", "theirs"))
    assert [name for name in dir(made.Plugin) if name.startswith(("on_", "hook_"))] == ["hook_theirs"]
    assert made.types.OurHookHookRequest
    assert made.types.OurNotificationNotification


def test_notes_for_the_service_are_on_pages_and_in_no_docstring(package: Any) -> None:
    note = {"service_notes": ["Nothing", "here."]}
    field = {"type": "u8", "description": ["A field."], "default": 0} | note
    half = {"properties": {"x": field, "y": {"type": "u8"} | note}, "description": ["A half."]} | note
    raw = command(request=half, response=half) | note
    made = package(raw)
    for path in Path(inspect.getfile(made)).parent.glob("**/*.py"):
        assert "Nothing\n" not in path.read_text()
    text = page("markdown", raw)
    note = "\n\n  Nothing\n  here.\n"
    assert "Pays.\n\nNothing\nhere.\n" in text
    assert f"- `x` (u8, optional): A field.\n\n  Default: 0.{note}- `y` (u8, optional){note}" in text
    assert text.count("A half.\n\nNothing\nhere.\n") == 2
    assert page("man", raw).count("Nothing\nhere.\n") == 7
