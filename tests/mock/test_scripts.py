"""Scripts: which rule answers a call, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clnrpc import Client, ConnectionLostError, RpcError
from lnstandin.mock import ANY, Mock, ScriptError
from lnstandin.mock.rules import Rule

INVOICE = {"payment_preimage": "00" * 32, "amount_msat": 1000, "amount_sent_msat": 1001, "failed_parts": 0}
PAID = {**INVOICE, "successful_parts": 1}


def test_rule_answers_with_its_object(mock: Mock, client: Client) -> None:
    mock.on("xpay", invstring=ANY).answer(PAID)
    assert client.rpc_call("xpay", {"invstring": "lni1"}) == PAID


def test_rule_answers_with_an_error(mock: Mock, client: Client) -> None:
    mock.on("xpay").fail(205, "No route", {"hops": 3})
    with pytest.raises(RpcError, match="No route") as error:
        client.xpay(invstring="lni1")
    assert (error.value.code, error.value.data) == (205, {"hops": 3})


def test_steps_follow_each_other_and_the_last_one_stays(mock: Mock, client: Client) -> None:
    mock.on("xpay").fail(205, "No route").then.answer(PAID)
    with pytest.raises(RpcError):
        client.xpay(invstring="lni1")
    assert [client.xpay(invstring="lni1").amount_msat for _ in range(2)] == [1000, 1000]


def test_fields_replace_those_of_the_default_answer(mock: Mock, client: Client) -> None:
    usual = client.rpc_call("listfunds")
    mock.on("listfunds").answer(outputs=[])
    assert client.rpc_call("listfunds") == {**usual, "outputs": []}


def test_function_answers_and_keeps_state(mock: Mock, client: Client) -> None:
    paid: list[str] = []

    def pay(params: Any) -> Any:
        if params["invstring"] in paid:
            raise RpcError(207, "Already paid")
        paid.append(params["invstring"])
        return PAID

    mock.on("xpay").answer(pay)
    assert client.xpay(invstring="lni1").successful_parts == 1
    with pytest.raises(RpcError, match="Already paid"):
        client.xpay(invstring="lni1")


def test_asynchronous_function_answers(mock: Mock, client: Client) -> None:
    async def pay(_: Any) -> Any:
        return PAID

    mock.on("xpay").answer(pay)
    assert client.xpay(invstring="lni1").amount_msat == 1000


def test_exception_of_a_function_becomes_an_error(mock: Mock, client: Client) -> None:
    mock.on("xpay").answer(lambda params: params["nothing"])
    with pytest.raises(RpcError, match="the script raised KeyError"):
        client.xpay(invstring="lni1")
    assert mock.calls[-1].error is not None


def test_outcome_of_a_test_in_a_script_becomes_an_error(mock: Mock, client: Client) -> None:
    mock.on("xpay").answer(lambda _: pytest.fail("no handler"))
    with pytest.raises(RpcError, match="the script raised Failed: no handler"):
        client.xpay(invstring="lni1")
    mock.on("xpay").when(lambda _: pytest.fail("no condition"))
    with pytest.raises(RpcError, match="the script raised Failed: no condition"):
        client.xpay(invstring="lni1")


def test_what_is_no_json_becomes_an_error(mock: Mock, client: Client) -> None:
    mock.on("xpay").answer({"paid": object()}, check=False).then.fail(205, "No route", object())
    for _ in range(2):
        with pytest.raises(RpcError, match="the script raised") as error:
            client.xpay(invstring="lni1")
        assert error.value.code == -1
        assert mock.calls[-1].answer is None


def test_error_that_is_no_json_becomes_an_error(mock: Mock, client: Client) -> None:
    mock.on("xpay").fail(205, object())  # type: ignore[arg-type]
    with pytest.raises(RpcError, match="the script raised EncodeError"):
        client.xpay(invstring="lni1")


@pytest.mark.parametrize(
    "write",
    [
        lambda rule: rule.message(object()),
        lambda rule: rule.message("half a surrogate pair: \ud800"),
        lambda rule: rule.message("Looking", level=object()),
        lambda rule: rule.progress(object(), 2),
        lambda rule: rule.delay(-1),
        lambda rule: rule.delay(float("nan")),
        lambda rule: rule.delay("soon"),
    ],
)
def test_what_no_notification_or_delay_can_be_is_refused_where_it_is_written(
    mock: Mock, client: Client, write: Callable[[Rule], Rule]
) -> None:
    rule = mock.on("xpay").answer(PAID)
    with pytest.raises(ScriptError, match=r"^xpay: "):
        write(rule)
    assert client.xpay(invstring="lni1").amount_msat == 1000


def test_rule_applies_only_to_calls_with_its_parameters(mock: Mock, client: Client) -> None:
    mock.on("xpay", invstring="lni1other").fail(205, "No route")
    client.xpay(invstring="lni1")
    with pytest.raises(RpcError):
        client.xpay(invstring="lni1other")


def test_parameters_are_compared_as_the_node_reads_them(mock: Mock, client: Client) -> None:
    mock.on("xpay", amount_msat=10_000).fail(205, "No route")
    with pytest.raises(RpcError):
        client.xpay(invstring="lni1", amount_msat="10sat")


def test_any_needs_the_parameter(mock: Mock, client: Client) -> None:
    mock.on("xpay", amount_msat=ANY).fail(205, "No route")
    client.xpay(invstring="lni1")
    with pytest.raises(RpcError):
        client.xpay(invstring="lni1", amount_msat=1)


def test_condition_decides_whether_a_rule_applies(mock: Mock, client: Client) -> None:
    mock.on("xpay").when(lambda params: params.get("amount_msat", 0) > 5).fail(206, "Too expensive")
    client.xpay(invstring="lni1", amount_msat=5)
    with pytest.raises(RpcError):
        client.xpay(invstring="lni1", amount_msat=6)


def test_newest_rule_has_precedence_until_its_calls_are_used_up(mock: Mock, client: Client) -> None:
    mock.on("xpay").answer(PAID)
    mock.on("xpay").times(1).fail(205, "No route")
    with pytest.raises(RpcError):
        client.xpay(invstring="lni1")
    assert client.xpay(invstring="lni1").amount_msat == 1000


def test_rule_without_an_outcome_leaves_the_answer_to_earlier_rules(mock: Mock, client: Client) -> None:
    mock.on("getinfo").answer(alias="first").then.fail(-1, "Second").then.answer(alias="third")
    mock.on("getinfo").delay(0)
    mock.on("getinfo").when(lambda _: True).message("Looking")
    assert client.getinfo().alias == "first"
    with pytest.raises(RpcError, match="Second"):
        client.getinfo()
    assert client.getinfo().alias == "third"


def test_rule_for_fields_leaves_the_others_to_earlier_rules(mock: Mock, client: Client) -> None:
    mock.on("getinfo").answer(alias="earlier", num_peers=7)
    mock.on("getinfo").answer(alias="later")
    mock.on("*").delay(0)
    info = client.getinfo()
    assert (info.alias, info.num_peers, info.id) == ("later", 7, mock.node_id)


def test_lost_answer_uses_no_step_of_earlier_rules(mock: Mock, client: Client) -> None:
    mock.on("xpay").fail(205, "No route").then.answer(PAID)
    mock.on("xpay").times(1).drop()
    with pytest.raises(ConnectionLostError):
        client.xpay(invstring="lni1")
    with pytest.raises(RpcError, match="No route"):
        client.xpay(invstring="lni1")


def test_times_counts_the_calls_of_all_steps(mock: Mock, client: Client) -> None:
    mock.on("xpay").answer(PAID)
    mock.on("xpay").fail(205, "No route").times(2).then.fail(206, "Too expensive")
    for code in (205, 206):
        with pytest.raises(RpcError) as error:
            client.xpay(invstring="lni1")
        assert error.value.code == code
    assert client.xpay(invstring="lni1").amount_msat == 1000


def test_rule_for_all_commands(mock: Mock, client: Client) -> None:
    mock.on("*").fail(-1, "Not today")
    with pytest.raises(RpcError, match="Not today"):
        client.listfunds()


def test_answer_that_contradicts_the_document_is_refused_where_it_is_written(mock: Mock) -> None:
    with pytest.raises(ScriptError, match="amount_msat: 'all' is no msat"):
        mock.on("xpay").answer({**PAID, "amount_msat": "all"})


def test_answer_of_a_function_that_contradicts_the_document_is_an_error(mock: Mock, client: Client) -> None:
    mock.on("xpay").answer(lambda _: INVOICE)
    with pytest.raises(RpcError, match="successful_parts: missing"):
        client.xpay(invstring="lni1")


def test_unchecked_answer_may_contradict_the_document(mock: Mock, client: Client) -> None:
    mock.on("xpay").answer({"paid": True}, check=False)
    assert client.rpc_call("xpay", {"invstring": "lni1"}) == {"paid": True}


def test_second_outcome_needs_then(mock: Mock) -> None:
    with pytest.raises(ScriptError, match=r"write \.then"):
        mock.on("xpay").fail(205, "No route").answer(PAID)


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("xpayy", {}, "no command 'xpayy'; did you mean 'xpay'"),
        ("xpay", {"invstrng": ANY}, "no parameter 'invstrng'; did you mean 'invstring'"),
    ],
)
def test_rule_for_something_unknown_is_refused(mock: Mock, method: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        mock.on(method, **params)


def test_command_without_a_document_can_be_added(mock: Mock, client: Client) -> None:
    mock.add_command("summary", "[exclude]")
    mock.on("summary", exclude="me").answer({"channels": []})
    assert client.rpc_call("summary", {"exclude": "me"}) == {"channels": []}
    assert "summary [exclude]" in [each.command for each in client.help().help]


def test_calls_are_recorded_with_parameters_and_outcome(mock: Mock, client: Client) -> None:
    mock.on("xpay").fail(205, "No route")
    with pytest.raises(RpcError):
        client.xpay(invstring="lni1", amount_msat="1sat")
    with pytest.raises(RpcError):
        client.rpc_call("xpay", {"nonsense": 1})
    info = client.rpc_call("getinfo")
    xpay, refused = mock.calls.of("xpay")
    getinfo = mock.calls[-1]
    assert (xpay.params, xpay.answer) == ({"invstring": "lni1", "amount_msat": 1000}, None)
    assert xpay.error is not None
    assert refused.params == {"nonsense": 1}
    assert getinfo.answer == info
    assert mock.calls.of("xpay", amount_msat=1000) == (xpay,)
    assert str(xpay) == "xpay(invstring='lni1', amount_msat=1000) -> error 205: No route"


def test_reset_forgets_rules_and_calls(mock: Mock, client: Client) -> None:
    mock.on("xpay").fail(205, "No route")
    mock.reset()
    assert len(mock.calls) == 0
    client.xpay(invstring="lni1")
    assert len(mock.calls.of("xpay")) == 1
