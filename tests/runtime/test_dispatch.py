"""Requests are checked in the node's order and answered in its form, byte for byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpcschema.runtime.errors import GENERIC, RpcError, unknown_command
from rpcschema.runtime.jsontext import Framer, FramingError
from rpcschema.runtime.server.convert import raw_text
from rpcschema.runtime.server.dispatch import Answer, Dispatcher
from rpcschema.runtime.server.envelope import QUOTED_BYTES
from rpcschema.runtime.server.stubs import stub
from rpcschema.runtime.values.encode import finish, to_wire
from rpcschema.runtime.values.written import FinishedJson
from tests.runtime import demo
from tests.runtime.demo.types.check import CheckRequest, CheckResponse
from tests.runtime.demo.types.greet import GreetRequest, GreetResponse
from tests.runtime.demo.types.nothing import NothingRequest, NothingResponse
from tests.runtime.demo.types.pay_all import PayAllFee, PayAllRequest, PayAllResponse
from tests.runtime.demo.types.travel import TravelRequest, TravelResponse

HIDDEN = "invalid token (see logs for details)"


class Service:
    """Answers `greet` and `travel` at once, `pay-all` later, and `nothing` not at all."""

    def greet(self, request: GreetRequest) -> GreetResponse:
        if request.name == "nobody":
            raise RpcError(GENERIC, 'nobody is "here"\n', {"name": request.name})
        if request.name == "bug":
            raise ZeroDivisionError
        return GreetResponse(greeting=f"hello {request.name}", amount_msat=request.amount, returned=request.return_)

    def travel(self, _request: TravelRequest) -> TravelResponse:
        return TravelResponse()

    async def pay_all(self, request: PayAllRequest) -> PayAllResponse:
        if not request.outputs:
            raise RpcError(301, "nothing to pay")
        return PayAllResponse(paid=sum(output.amount for output in request.outputs), fees=[PayAllFee(per_kw=1)])

    def nothing(self, _request: NothingRequest) -> None:
        raise unknown_command("nothing")


def dispatcher(*, developer: bool = False) -> Dispatcher:
    return Dispatcher(Service(), demo.COMMANDS, developer=developer, package=demo.NAME)


def answer(message: str) -> Answer:
    found = dispatcher().answer(message.encode())
    assert isinstance(found, Answer)
    return found


def request(method: str, params: str, identity: str = '"a"') -> str:
    return f'{{"jsonrpc":"2.0","id":{identity},"method":"{method}","params":{params}}}'


def error(code: int, message: str, identity: str = "null") -> str:
    return f'{{"jsonrpc":"2.0","id":{identity},"error":{{"code":{code},"message":{json.dumps(message)}}}}}\n\n'


def test_a_result_is_one_line_without_spaces_and_two_line_feeds() -> None:
    expected = b'{"jsonrpc":"2.0","id":"a","result":{"greeting":"hello you","amount_msat":1000}}\n\n'
    assert answer(request("greet", '["you", "1sat"]')) == Answer(expected)
    assert answer(request("greet", '{"amount":1000,"name":"you"}')) == Answer(expected)


@pytest.mark.parametrize("identity", ['"a\\"b\\u0041"', "1", "1.50", "-0", "true", "null", '""', '"é"'])
def test_the_id_is_echoed_as_it_was_written(identity: str) -> None:
    assert f'"id":{identity},'.encode() in answer(request("greet", '["you", 1]', identity)).data
    assert f'"id":{identity},'.encode() in answer(request("nosuch", "[]", identity)).data


@pytest.mark.parametrize("only", ["", ',"filter":{"amount_msat":true}'])
def test_a_method_that_returns_finished_json_is_answered_as_with_its_response(only: str) -> None:
    class Finishing(Service):
        def greet(self, request: GreetRequest) -> FinishedJson:
            return finish(to_wire(super().greet(request)))

    message = (request("greet", '["you", 1]')[:-1] + only + "}").encode()
    finishing = Dispatcher(Finishing(), demo.COMMANDS, package=demo.NAME)
    assert finishing.answer(message) == dispatcher().answer(message)


def test_an_rpc_error_is_an_answer_with_its_data() -> None:
    told = answer(request("greet", '["nobody", 1]')).data
    assert told == (
        b'{"jsonrpc":"2.0","id":"a","error":'
        b'{"code":-1,"message":"nobody is \\"here\\"\\n","data":{"name":"nobody"}}}\n\n'
    )


@pytest.mark.parametrize(
    ("message", "expected", "close"),
    [
        ("{}", error(-32600, "JSON-RPC message does not contain \"jsonrpc\" field: '{}'"), True),
        ('{"id":1}', error(-32600, 'JSON-RPC message does not contain "jsonrpc" field: \'{"id":1}\''), True),
        ('{"jsonrpc":"2.0"}', error(-32600, "No id"), False),
        ('{"jsonrpc":"1.0"}', error(-32600, "No id"), False),
        ('{"jsonrpc":"1.0","id":[1]}', error(-32600, "Expected string/primitive for id"), False),
        ('{"jsonrpc":"2.0","id":{}}', error(-32600, "Expected string/primitive for id"), False),
        ('{"jsonrpc":"1.0","id":1}', error(-32600, 'jsonrpc: "2.0" must be specified in the request'), False),
        ('{"jsonrpc":2.0,"id":1}', error(-32600, 'jsonrpc: "2.0" must be specified in the request'), False),
        ('{"jsonrpc":"2.0","id":1}', error(-32600, "No method", "1"), False),
        ('{"jsonrpc":"2.0","id":1,"params":[]}', error(-32600, "No method", "1"), False),
        ('{"jsonrpc":"2.0","id":1,"method":"greet"}', error(-32600, "No params", "1"), False),
        ('{"jsonrpc":"2.0","id":1,"method":5,"params":[]}', error(-32600, "Expected string for method", "1"), False),
        (request("Greet", "[]"), error(-32601, "Unknown command 'Greet'", '"a"'), False),
        (request("\\u0067reet", "[]"), error(-32601, "Unknown command '\\u0067reet'", '"a"'), False),
        (request("pay_all", "[]"), error(-32601, "Unknown command 'pay_all'", '"a"'), False),
        (request("nosuch", "null"), error(-32601, "Unknown command 'nosuch'", '"a"'), False),
        (request("nothing", "[]"), error(-32601, "Unknown command 'nothing'", '"a"'), False),
        (request("greet", "null"), error(-32602, "Expected array or object for params", '"a"'), False),
        (request("greet", "[]"), error(-32602, "missing required parameter: name", '"a"'), False),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_told_why(message: str, expected: str, close: bool) -> None:
    assert answer(message) == Answer(expected.encode(), close)


def test_of_duplicate_members_the_first_counts() -> None:
    message = (
        '{"jsonrpc":"2.0","jsonrpc":"1.0","id":1,"id":2,"method":"nosuch","method":"greet","params":[],"params":5}'
    )
    assert answer(message).data == error(-32601, "Unknown command 'nosuch'", "1").encode()


def test_other_members_are_passed_over() -> None:
    message = '{"zzz":[1],"jsonrpc":"2.0","id":"a","method":"greet","params":["you",1],"extra":{}}'
    assert b'"result"' in answer(message).data


def test_nested_parameters_become_the_classes_of_the_request() -> None:
    pending = dispatcher().answer(
        request("pay-all", '[[{"pay-to":"x","amount":3},{"pay-to":"y","amount":4}]]').encode()
    )
    assert isinstance(pending, Awaitable)
    assert asyncio.run(awaited(pending)).data == (
        b'{"jsonrpc":"2.0","id":"a","result":{"paid":7,"fees":[{"per-kw":1}]}}\n\n'
    )
    refused = error(-32602, "outputs[0]: missing required member: pay-to", '"a"').encode()
    assert answer(request("pay-all", '[[{"amount":3}]]')).data == refused


@pytest.mark.parametrize(
    ("hop", "message"),
    [
        ('{"from":"a","fare":"x"}', "routes[0][0].fare: should be a millisatoshi amount: " + HIDDEN),
        ('{"from":"a","fare":null}', "routes[0][0].fare: should be a millisatoshi amount: " + HIDDEN),
        (
            '{"from":"a","fare":1,"stop":{"wait":-1}}',
            "routes[0][0].stop.wait: should be an unsigned 8 bit integer: " + HIDDEN,
        ),
        ('"hop"', "routes[0][0]: should be an object: " + HIDDEN),
        ('{"from":"a"}', "routes[0][0]: missing required member: fare"),
        ('{"from_":"a","fare":1}', "routes[0][0]: missing required member: from"),
        ('{"from":"a","fare":1,"seat":true}', "routes[0][0].seat: should be text or an integer"),
        ('{"from":"a","fare":1,"by":"air"}', "routes[0][0].by: should be one of bus, train"),
    ],
)
def test_what_is_wrong_inside_of_a_parameter_is_told_with_its_place(hop: str, message: str) -> None:
    assert answer(request("travel", f"[[[{hop}]]]")) == Answer(error(-32602, message, '"a"').encode())


async def awaited(pending: Awaitable[Answer]) -> Answer:
    return await pending


def test_an_array_that_comes_in_pieces_is_one_array_in_the_answer() -> None:
    class Pieces(Service):
        def greet(self, request: GreetRequest) -> Iterator[dict[str, object]]:  # type: ignore[override]
            yield from ({"list": ["[", number, "]}"]} for number in range(int(request.name)))

    def whole(count: int) -> bytes:
        made = Dispatcher(Pieces(), demo.COMMANDS, package=demo.NAME).answer(
            request("greet", f'["{count}", 1]').encode()
        )
        assert isinstance(made, Answer)
        assert made.rest is not None
        return made.data + b"".join(made.rest)

    assert whole(1) == b'{"jsonrpc":"2.0","id":"a","result":{"list":["[",0,"]}"]}}\n\n'
    assert whole(2) == b'{"jsonrpc":"2.0","id":"a","result":{"list":["[",0,"]}","[",1,"]}"]}}\n\n'


def test_an_error_that_comes_later_is_an_answer_too() -> None:
    pending = dispatcher().answer(request("pay-all", "[[]]").encode())
    assert isinstance(pending, Awaitable)
    assert asyncio.run(awaited(pending)) == Answer(error(301, "nothing to pay", '"a"').encode())


def test_a_bug_of_the_service_is_not_hidden_and_can_be_answered() -> None:
    message = request("greet", '["bug", 1]', "7").encode()
    with pytest.raises(ZeroDivisionError):
        dispatcher().answer(message)
    refused = dispatcher().refuse(message, RpcError(GENERIC, "internal error"))
    assert refused == Answer(error(-1, "internal error", "7").encode())
    assert dispatcher().refuse(b"{}", RpcError(GENERIC, "busy")) == Answer(error(-1, "busy").encode())


def test_a_command_whose_method_is_a_stub_is_unknown_before_its_parameters_are_looked_at() -> None:
    class Stubs:
        @stub
        def greet(self, _request: GreetRequest) -> GreetResponse:
            raise NotImplementedError

        @stub
        def nothing(self, _request: NothingRequest) -> NothingResponse:
            raise NotImplementedError

    class Filled(Stubs):
        def nothing(self, _request: NothingRequest) -> NothingResponse:
            return NothingResponse()

    made = Dispatcher(Filled(), demo.COMMANDS, package=demo.NAME)
    for method in ("greet", "find"):  # a stub, and no method at all
        found = made.answer(request(method, '{"bad":1}').encode())
        assert found == Answer(error(-32601, f"Unknown command '{method}'", '"a"').encode())
    assert made.answer(request("nothing", "{}").encode()) == Answer(b'{"jsonrpc":"2.0","id":"a","result":{}}\n\n')


def test_a_parameter_may_be_converted_in_a_way_of_its_own() -> None:
    converters = {"greet": {"name": raw_text}}
    found = Dispatcher(Service(), demo.COMMANDS, converters=converters, package=demo.NAME).answer(
        request("greet", r'["\u0041", 1]').encode()
    )
    assert isinstance(found, Answer)
    assert json.loads(found.data)["result"]["greeting"] == r"hello \u0041"


def filtered(method: str, params: str, only: str, *, developer: bool = False) -> dict[str, object]:
    message = request(method, params)[:-1] + f',"filter":{only}}}'
    found = dispatcher(developer=developer).answer(message.encode())
    answered = found if isinstance(found, Answer) else asyncio.run(awaited(found))
    told: dict[str, object] = json.loads(answered.data)
    return told


def test_a_filter_leaves_of_an_answer_what_it_names_at_once_or_later() -> None:
    assert filtered("greet", '["you",1]', '{"amount_msat":true}')["result"] == {"amount_msat": 1}
    assert filtered("pay-all", '[[{"pay-to":"x","amount":3}]]', '{"fees":[{"per-kw":true}]}')["result"] == {
        "fees": [{"per-kw": 1}]
    }
    assert filtered("greet", '["nobody",1]', '{"amount_msat":true}')["error"]


def test_a_filter_is_looked_at_before_the_parameters_and_behind_the_method() -> None:
    bad = {"code": -32602, "message": f"filter: Expected object: {HIDDEN}"}
    assert filtered("greet", "[]", "true")["error"] == bad
    assert filtered("nosuch", "[]", "true")["error"] == {"code": -32601, "message": "Unknown command 'nosuch'"}
    shown = {"code": -32602, "message": "filter: value must be true: invalid token '\"x\"'"}
    assert filtered("greet", "[]", '{"a":"x"}', developer=True)["error"] == shown


def test_a_command_may_be_deaf_to_filters_but_not_to_bad_ones() -> None:
    deaf = Dispatcher(Service(), demo.COMMANDS, unfiltered={"greet"}, package=demo.NAME)
    message = request("greet", '["you",1]')[:-1] + ',"filter":%s}'
    found = deaf.answer((message % "{}").encode())
    assert isinstance(found, Answer)
    assert json.loads(found.data)["result"] == {"greeting": "hello you", "amount_msat": 1}
    refused = deaf.answer((message % "1").encode())
    assert isinstance(refused, Answer)
    assert b"Expected object" in refused.data


class CheckedService(Service):
    """Has `check` too."""

    def check(self, request: CheckRequest) -> CheckResponse:
        return CheckResponse(command_to_check=request.command_to_check)

    def rpc_check_greet(self, request: GreetRequest) -> None:
        if request.name == "nobody":
            raise RpcError(GENERIC, "nobody is here")


def checked(params: str) -> dict[str, object]:
    converters = {"check": {"command_to_check": raw_text}}
    commands = {**demo.COMMANDS, "check": demo.CHECK}
    through = Dispatcher(CheckedService(), commands, converters=converters, package=demo.NAME)
    found = through.answer(request("check", params).encode())
    assert isinstance(found, Answer)
    told: dict[str, object] = json.loads(found.data)
    return told


@pytest.mark.parametrize(
    "params",
    [
        '["greet","you",1]',
        '{"command_to_check":"greet","name":"you","amount":1}',
        '{"amount":1,"command_to_check":"greet","name":"you"}',
    ],
)
def test_check_says_that_a_call_would_be_taken(params: str) -> None:
    assert checked(params)["result"] == {"command_to_check": "greet"}


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ("[]", -32602, "missing required parameter: command_to_check"),
        ('["nosuch"]', -32601, "Unknown command 'nosuch'"),
        ("[5]", -32601, "Unknown command '5'"),
        ('["greet"]', -32602, "missing required parameter: name"),
        ('["greet","you",1,true,1,2]', -32602, "too many parameters: got 5, expected 4"),
        ('["greet","you","zz"]', -32602, "amount: should be a millisatoshi amount: invalid token '\"zz\"'"),
        ('["pay-all",[{"amount":3}]]', -32602, "outputs[0]: missing required member: pay-to"),
        ('["greet","nobody",1]', -1, "nobody is here"),
        ('{"name":"x","name":"y","amount":1,"command_to_check":"greet"}', -32602, "duplicate json names: name"),
    ],
)
def test_check_says_what_a_call_would_be_told(params: str, code: int, message: str) -> None:
    assert checked(params)["error"] == {"code": code, "message": message}


def malformed(text: bytes, framer: Framer | None = None) -> Answer:
    framer = framer or Framer()
    framer.feed(text)
    with pytest.raises(FramingError) as refused:
        list(framer)
    return dispatcher().malformed(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"hello\n", "Failed to parse RPC JSON response 'hello\n'"),
        (b'{"a":1,}', "Failed to parse RPC JSON response '{\"a\":1,}'"),
        (b'{"a":"\xff\xfe"}', 'Failed to parse RPC JSON response \'{"a":"��"}\''),
        (b'[{"a":1}]', 'JSON-RPC message does not contain "jsonrpc" field: \'[{"a":1}]\''),
    ],
)
def test_what_is_no_object_is_quoted_and_the_connection_closes(text: bytes, message: str) -> None:
    found = malformed(text)
    assert found.close
    assert json.loads(found.data) == {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": message}}


def test_only_the_beginning_of_a_long_text_is_quoted() -> None:
    found = malformed(b"x" * 100_000)
    assert json.loads(found.data)["error"]["message"] == f"Failed to parse RPC JSON response '{'x' * QUOTED_BYTES}'"
    message = b'{"a":"' + b"x" * 100_000 + b'"}'
    assert len(answer(message.decode()).data) < QUOTED_BYTES + 200


def test_what_passes_a_limit_is_told_the_limit() -> None:
    found = malformed(b'{"a":[[[[]]]]}', Framer(max_depth=3))
    assert found == Answer(error(-32600, "Request refused: the message is nested deeper than 3 levels").encode(), True)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["2.0", "greet", "pay-all"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "jsonrpc": st.just("2.0") | json_values,
            "id": json_values,
            "method": st.sampled_from(["greet", "pay-all", "nothing"]) | json_values,
            "params": json_values,
            "x": json_values,
        },
    )
)
def test_every_object_gets_one_answer(message: dict[str, object]) -> None:
    found = dispatcher().answer(json.dumps(message).encode())
    data = (found if isinstance(found, Answer) else asyncio.run(awaited(found))).data
    assert data.endswith(b"}\n\n")
    told = json.loads(data)
    assert list(told) in (["jsonrpc", "id", "result"], ["jsonrpc", "id", "error"])
    if "result" in told or told["error"]["code"] != -32600:
        assert told["id"] == message["id"]
