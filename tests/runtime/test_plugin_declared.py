"""What the class of a plugin declares: checked when it is created, and sent to lightningd in the manifest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rpcschema.runtime.plugin.declare import hook, subscribe
from tests.runtime.demo.greeter import Greeter, Service
from tests.runtime.demo.plugin import Plugin
from tests.runtime.talking import talking

GREETER = ("-m", "tests.runtime.demo.greeter")


def declare(*bases: type, **members: Any) -> Any:
    """Create the class of a plugin."""
    return type("Made", bases or (Plugin,), members)


def method(self: object, payload: object, /) -> None: ...


def told(self: object, topic: str, payload: dict[str, Any]) -> None: ...


async def later(self: object, payload: object, /) -> None: ...


async def stream(self: object, payload: object, /) -> Any:
    yield payload


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("on_custommsgs", r"Made.on_custommsgs would never be called: .* 'custommsgs'; did you mean on_custommsg\?"),
        ("hook_rpc_comand", r"Made.hook_rpc_comand .* hook 'rpc_comand'; did you mean hook_rpc_command\?"),
        ("on_xyz", "there is no notification 'xyz'$"),
    ],
)
def test_method_that_matches_nothing_is_an_error(name: str, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        declare(**{name: method})


def test_command_may_begin_like_an_event() -> None:
    class Odd(Service):
        rpc_service_commands = {"on_air": Service.rpc_service_commands["nothing"]._replace(name="on_air")}  # noqa: RUF012

    assert declare(Odd, Plugin, on_air=method)().rpc_manifest()["rpcmethods"][0]["name"] == "on_air"


@pytest.mark.parametrize("name", ["hook_db_write", "rpc_manifest", "rpc_check_greet"])
def test_async_method_where_none_is_allowed_is_an_error(name: str) -> None:
    with pytest.raises(TypeError, match=f"Made.{name} must not be async"):
        declare(Service, Plugin, **{name: later})


@pytest.mark.parametrize("name", ["on_custommsg", "hook_custommsg", "rpc_init", "rpc_options_changed", "greet"])
def test_async_method_is_allowed_elsewhere(name: str) -> None:
    declare(Service, Plugin, **{name: later})


def test_method_that_yields_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"Made.on_custommsg must not yield"):
        declare(on_custommsg=stream)


def filtered(*filters: Any) -> Callable[..., Any]:
    @hook(filters=filters)
    def decorated(self: object, payload: object, /) -> None: ...

    return decorated


@pytest.mark.parametrize(
    ("name", "filters"),
    [("hook_openchannel", ["pay"]), ("hook_custommsg", ["pay"]), ("hook_rpc_command", [5]), ("hook_custommsg", [True])],
)
def test_filters_that_lightningd_would_refuse_are_an_error(name: str, filters: list[Any]) -> None:
    with pytest.raises(TypeError, match="wrong filters"):
        declare(**{name: filtered(*filters)})


def test_hook_has_filters_and_order() -> None:
    hooks = declare(hook_custommsg=filtered(11_009))().rpc_manifest()["hooks"]
    assert hooks == [{"name": "custommsg", "filters": [11_009]}]
    hooks = Greeter().rpc_manifest()["hooks"]
    assert {"name": "openchannel", "before": ["other.py"], "after": ["first.py"]} in hooks


def test_decorator_of_a_hook_on_another_method_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"Made.helper is no hook"):
        declare(helper=filtered())


def test_feature_bits_are_written_as_in_bolt_9_and_fix_the_plugin() -> None:
    manifest = declare(rpc_featurebits={"node": [0, 9], "init": [101]})().rpc_manifest()
    assert manifest["featurebits"] == {"node": "0201", "init": "20" + "00" * 12}
    assert manifest["dynamic"] is False


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"rpc_featurebits": {"nodes": [1]}}, "rpc_featurebits: there is no place 'nodes'"),
        ({"rpc_featurebits": {"node": [-1]}}, "rpc_featurebits: -1 is no feature bit"),
        ({"rpc_custommessages": [1 << 16], "hook_custommsg": method}, "rpc_custommessages: 65536 is no type"),
        ({"rpc_custommessages": [11_008]}, "rpc_custommessages needs a method hook_custommsg"),
        ({"rpc_topics": ["custommsg"]}, "rpc_topics: custommsg is a notification of lightningd"),
        ({"rpc_topics": ["log"]}, "rpc_topics: log is a notification of lightningd"),
    ],
)
def test_declarations_that_lightningd_would_refuse_are_an_error(members: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        declare(**members)


def test_custom_messages_and_own_topics_are_in_the_manifest() -> None:
    manifest = declare(rpc_custommessages=[11_008], hook_custommsg=method, rpc_topics=["news"])().rpc_manifest()
    assert manifest["custommessages"] == [11_008]
    assert manifest["notifications"] == [{"method": "news"}]


def test_command_called_like_a_hook_is_an_error() -> None:
    class Odd(Service):
        rpc_service_commands = {"custommsg": Service.rpc_service_commands["nothing"]._replace(name="custommsg")}  # noqa: RUF012

    with pytest.raises(TypeError, match="the command custommsg has the name of a hook"):
        declare(Odd, Plugin, custommsg=method, hook_custommsg=method)


def test_plugin_with_commands_subscribes_to_what_changes_deprecations() -> None:
    assert Greeter().rpc_manifest()["subscriptions"] == ["custommsg", "greeted", "deprecated_oneshot"]


def test_subscription_to_all_topics_stands_for_the_others() -> None:
    everything = subscribe("*", "news")(told)
    made = declare(everything=everything, on_custommsg=method, on_log=method)
    assert sorted(made().rpc_manifest()["subscriptions"]) == ["*", "log"]


CURIOUS = """
from rpcschema.runtime.plugin.declare import hook, subscribe
from tests.runtime.demo.plugin import Plugin
from tests.runtime.demo.types.tidings import TidingsHookResponse
class Curious(Plugin):
    def on_custommsg(self, payload, /):
        self.rpc_log(f"typed {payload.do}")
    @subscribe("*")
    def everything(self, topic, payload):
        self.rpc_log(f"{topic} {payload}")
    @subscribe("news", "log")
    async def news(self, topic, payload):
        self.rpc_log(f"news {payload}")
    @hook(filters=["pay"])
    def hook_rpc_command(self, request, /):
        return TidingsHookResponse(result="done")
Curious().rpc_run()
"""


def test_each_subscriber_gets_an_event_once() -> None:
    with talking(["-c", CURIOUS]) as talk:
        talk.init()
        talk.tell("custommsg", {"do": "a"})
        talk.send({"method": "news", "origin": "other.py", "params": {"do": "b"}})
        talk.tell("unheard", {"do": "c"})
        talk.send({"method": "log", "params": {"log": {"do": "d"}}})
        talk.call("getmanifest", {})
        talk.end()
    assert [text for _, text in talk.logs] == [
        *("typed a", "custommsg {'do': 'a'}"),
        *("news {'do': 'b'}", "news {'do': 'b'}"),
        "unheard {'do': 'c'}",
        "news {'do': 'd'}",
    ]


@pytest.mark.parametrize(("called", "result"), [("pay", "done"), ("getinfo", "continue")])
def test_filter_holds_where_lightningd_does_not_know_filters(called: str, result: str) -> None:
    with talking(["-c", CURIOUS]) as talk:
        talk.init()
        call = {"do": "x", "rpc_command": {"method": called}}
        assert talk.call("rpc_command", call) == {"result": result}


def test_own_notification_reaches_lightningd_and_an_undeclared_one_is_refused() -> None:
    with talking(GREETER) as talk:
        talk.init()
        talk.call("greet", ["you", 1])
    assert talk.emitted == [{"jsonrpc": "2.0", "method": "greeted", "params": {"name": "you"}}]
    with pytest.raises(ValueError, match="'other' is not among the plugin's rpc_topics"):
        Greeter().rpc_emit("other", {})
