"""The options of a plugin: its manifest, the values of `init`, and `setconfig`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, make_dataclass
from typing import Any

import pytest

from rpcschema.runtime.plugin.options import OptionTable, option
from tests.runtime.demo.greeter import Greeter, Options
from tests.runtime.talking import Talk, talking

GREETER = ("-m", "tests.runtime.demo.greeter")


@pytest.fixture
def talk() -> Iterator[Talk]:
    with talking(GREETER) as running:
        yield running


def greeting(talk: Talk) -> str:
    said: str = talk.call("greet", ["you", 1])["greeting"]
    return said


def test_manifest_describes_options() -> None:
    assert Greeter().rpc_manifest()["options"] == [
        {"name": "greeting", "type": "string", "description": "The first word", "default": "hello", "dynamic": True},
        {"name": "greet-times", "type": "int", "description": "How often", "default": 1, "dynamic": True},
        {"name": "loud", "type": "flag", "description": "Whether to shout"},
        {"name": "greet-names", "type": "string", "description": "Who may be greeted", "dynamic": True, "multi": True},
        {
            "name": "greet-secret",
            "type": "string-conceal",
            "description": "What nobody sees",
            "deprecated": ["v26.06"],
        },
        {"name": "polite", "type": "bool", "description": "Whether to be polite", "default": True, "dynamic": True},
    ]


def test_options_have_their_defaults_until_init_gives_others(talk: Talk) -> None:
    assert talk.init() == {}
    assert greeting(talk) == "hello you"
    talk.init(greeting="hi", **{"greet-times": 2})
    assert greeting(talk) == "hi hi you"


def test_init_fills_every_type() -> None:
    table = OptionTable.of(Options())
    given = {"loud": True, "greet-names": ["a", "b"], "greet-secret": "s", "polite": False, "greet-times": 3}
    filled = Options(loud=True, greet_names=["a", "b"], secret="s", polite=False, greet_times=3)
    assert table.filled({**given, "unknown": 1}) == filled


def test_defaults_that_are_lists_are_not_shared() -> None:
    assert Options().greet_names is not Options().greet_names


def test_value_that_the_dataclass_refuses_disables_the_plugin(talk: Talk) -> None:
    assert talk.init(**{"greet-times": 0}) == {"disable": "greet-times must be positive"}
    assert talk.logs == []


def test_plugin_that_disables_itself_says_why(talk: Talk) -> None:
    assert talk.init(greeting="none") == {"disable": "there is nothing to say"}
    assert talk.logs == []


@pytest.mark.parametrize("value", [2, "2"])
def test_setconfig_changes_a_dynamic_option(talk: Talk, value: Any) -> None:
    talk.init()
    assert talk.call("setconfig", {"config": "greet-times", "val": value}) == {}
    assert greeting(talk) == "hello hello you"


def test_setconfig_calls_the_method_for_changes(talk: Talk) -> None:
    talk.init()
    talk.call("setconfig", {"config": "greeting", "val": "hey"})
    assert talk.logs == [("info", "hello -> hey")]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"config": "greet-times", "val": "0"}, "greet-times must be positive"),
        ({"config": "greet-times", "val": "many"}, "greet-times takes an integer of 64 bits, not 'many'"),
        ({"config": "greet-times", "val": True}, "greet-times takes an integer of 64 bits, not True"),
        ({"config": "greet-times", "val": str(2**63)}, f"greet-times takes an integer of 64 bits, not '{2**63}'"),
        ({"config": "polite", "val": "maybe"}, "polite takes true or false, not 'maybe'"),
        ({"config": "greeting"}, "greeting takes text, not None"),
        ({"config": "greet-names", "val": "one"}, "greet-names takes a list, not 'one'"),
        ({"config": "loud"}, "loud is no dynamic option of this plugin"),
        ({"config": "nosuch", "val": "1"}, "nosuch is no dynamic option of this plugin"),
    ],
)
@pytest.mark.parametrize("checks", [False, True], ids=["setconfig", "check"])
def test_wrong_setconfig_is_refused_and_changes_nothing(
    talk: Talk, params: dict[str, Any], message: str, checks: bool
) -> None:
    talk.init()
    error = talk.refused("check", {"command_to_check": "setconfig", **params}) if checks else None
    error = error or talk.refused("setconfig", params)
    assert error == {"code": -32602, "message": message}
    assert greeting(talk) == "hello you"


def test_check_of_a_right_setconfig_changes_nothing(talk: Talk) -> None:
    talk.init()
    params = {"command_to_check": "setconfig", "config": "greeting", "val": "hey"}
    assert talk.call("check", params) == {"command_to_check": "setconfig"}
    assert greeting(talk) == "hello you"


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("refused", {"code": 5, "message": "not this one"}),
        ("bug", {"code": -1, "message": "rpc_options_changed failed, see the log"}),
    ],
)
def test_change_that_the_method_refuses_is_undone(talk: Talk, value: str, error: Any) -> None:
    talk.init()
    assert talk.refused("setconfig", {"config": "greeting", "val": value}) == error
    assert greeting(talk) == "hello you"


@dataclass(frozen=True)
class Plain:
    number: int = 3


@pytest.mark.parametrize(
    ("defaults", "message"),
    [
        (5, "must be an instance of a dataclass, not 5"),
        (Plain, "must be an instance of a dataclass"),
        (Plain(), "the option number has no description: write number = option"),
        (make_dataclass("O", [("a", float, option(1.0, "D"))])(), "the option a cannot be a <class 'float'>"),
        (make_dataclass("O", [("a", list[bool], option([], "D"))])(), "the option a cannot be a list"),
        (make_dataclass("O", [("a", int, option(1, "D", name="A"))])(), "the option a cannot be called 'A'"),
        (make_dataclass("O", [("a", int, option(1, "D", flag=True))])(), "a flag is a bool that is False"),
        (make_dataclass("O", [("a", bool, option(True, "D", flag=True))])(), "a flag is a bool that is False"),
        (make_dataclass("O", [("a", int, option(1, "D", conceal=True))])(), "only text is concealed"),
    ],
)
def test_options_that_lightningd_would_refuse_are_an_error_of_the_class(defaults: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        OptionTable.of(defaults)


def test_values_of_multi_options_are_converted_one_by_one() -> None:
    made = make_dataclass("O", [("a", list[int], option([7], "D", dynamic=True))])
    table = OptionTable.of(made())
    assert table.changed(made(), "a", ["1", "2"]).a == [1, 2]
    assert table.changed(made(), "a", []).a == []
    assert "default" not in table.described()[0]


def test_dynamic_flag_is_set_without_a_value() -> None:
    made = make_dataclass("O", [("a", bool, option(default=False, description="D", flag=True, dynamic=True))])
    assert OptionTable.of(made()).changed(made(), "a", None).a is True
