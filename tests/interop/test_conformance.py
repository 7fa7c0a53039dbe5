"""Where Core Lightning's documents contradict a node, the typed client follows the node (`schemas/corrections.toml`).

`test_conform.py` finds these contradictions. Each test here shows both: that the typed call does what it should, and
that the node still contradicts the document. If the latter fails on a newer node, look at the correction again.
"""

from __future__ import annotations

import inspect
import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from clnrpc import RpcError, unknown_fields
from clnrpc.commands import COMMANDS
from clnrpc.types import CreateonionHop, SendonionFirstHop, SendpayRoute
from rpcschema.read.corrections import read_corrections
from tests.interop.chain.folder import Chain
from tests.interop.channels import connect, fund, is_announced, open_channel
from tests.interop.conftest import Pair
from tests.interop.nodes import Node, program, running, until
from tests.shared import ROOT

TABLE = read_corrections(ROOT / "schemas" / "corrections.toml")
INVALID_PARAMS = -32602
NOT_SENT = "0" * 64
"""The hash of a payment that nobody made."""
CLTV = 50


def refusal(node: Node, method: str, **params: Any) -> str:
    """Return why a node refuses the parameters of an untyped call."""
    with pytest.raises(RpcError) as caught:
        node.client.rpc_call(method, params)
    assert caught.value.code == INVALID_PARAMS, caught.value
    return caught.value.message


def checked(node: Node, method: str, **params: Any) -> None:
    """Have a node check the parameters of a command without running it."""
    node.client.rpc_call("check", {"command_to_check": method, **params})


def test_parsefeerate_is_called_with_feerate(l1: Node) -> None:
    assert l1.client.parsefeerate(feerate="slow").perkw
    assert "unknown parameter: feerate_str" in refusal(l1, "parsefeerate", feerate_str="slow")


def test_sendinvoice_has_no_quantity(pair: Pair) -> None:
    assert "quantity" not in inspect.signature(pair.l1.client.sendinvoice).parameters
    request = pair.l2.client.invoicerequest(amount="1000msat", description="machine").bolt12
    assert "unknown parameter: quantity" in refusal(pair.l1, "sendinvoice", invreq=request, label="q", quantity=1)
    time.sleep(1)  # nodes drop onion messages that come faster than four a second
    assert pair.l1.client.sendinvoice(invreq=request, label="sent").status == "paid"


def test_funderupdate_has_no_compact_lease(l1: Node) -> None:
    assert "compact_lease" not in inspect.signature(l1.client.funderupdate).parameters
    assert l1.client.funderupdate().policy == "fixed"
    assert "unknown parameter: compact_lease" in refusal(l1, "funderupdate", compact_lease="029a")


def test_bkpr_report_demands_a_format_and_answers_with_a_hint(l1: Node) -> None:
    answer = l1.client.bkpr_report(format="{tag}")
    assert answer.format_hint == "simple"
    assert unknown_fields(answer) == {}
    assert "missing required parameter: format" in refusal(l1, "bkpr-report")


def test_reckless_demands_a_target(l1: Node) -> None:
    """It may run no program here, nor look for one, so the node only checks the parameters."""
    wire = {parameter.attribute: parameter.name for parameter in COMMANDS["reckless"].parameters if parameter.required}
    checked(l1, "reckless", **{wire["command"]: "search", wire["target_subcommand"]: "x"})
    assert "missing required parameter: target/subcommand" in refusal(
        l1, "check", command_to_check="reckless", command="search"
    )


@pytest.mark.parametrize(
    "option",
    [
        {"feerate": "slow"},
        {"announce": False},
        {"close_to": None},  # an address of the node
        {"push_msat": 1000},
        {"channel_type": [12, 22]},
        {"mindepth": 3},
        {"reserve": "20000sat"},
    ],
    ids=lambda option: next(iter(option)),
)
def test_fundchannel_start_takes_any_of_its_options_alone(option: dict[str, Any], pair: Pair) -> None:
    if "close_to" in option:
        option = {"close_to": pair.l1.client.newaddr(addresstype="bech32").bech32}
    client = pair.l1.client
    try:
        assert client.fundchannel_start(id=pair.l2.id, amount=100_000, **option).funding_address
    finally:
        client.fundchannel_cancel(id=pair.l2.id)
        connect(pair.l1, pair.l2)  # the end of an opening may end the connection


def sent_in_parts(pair: Pair) -> str:
    """Pay an invoice in two parts, groupid 1, partid 1 and 2; return its payment_hash."""
    invoice = pair.l2.client.invoice(amount_msat=10_000, label=secrets.token_hex(4), description="parts")
    hop = SendpayRoute(id=pair.l2.id, channel=pair.scid, delay=CLTV, amount_msat=5_000)
    for part in (1, 2):
        pair.l1.client.sendpay(
            route=[hop],
            payment_hash=invoice.payment_hash,
            amount_msat=10_000,
            payment_secret=invoice.payment_secret,
            bolt11=invoice.bolt11,
            partid=part,
            groupid=1,
        )
    return invoice.payment_hash


def test_waitsendpay_takes_partid_alone(pair: Pair) -> None:
    part = pair.l1.client.waitsendpay(payment_hash=sent_in_parts(pair), partid=1, timeout=60)
    assert (part.status, part.partid, part.groupid) == ("complete", 1, 1)


def test_waitsendpay_takes_groupid_alone(l1: Node) -> None:
    with pytest.raises(RpcError) as caught:
        l1.client.waitsendpay(payment_hash=NOT_SENT, groupid=1)
    assert (caught.value.code, caught.value.message.split(" for ")[0]) == (208, "Never attempted payment part 0")


def test_pay_takes_the_name_of_the_document_and_that_of_help(pair: Pair) -> None:
    def invoice() -> str:
        return pair.l2.client.invoice(amount_msat=1_000, label=secrets.token_hex(4), description="x").bolt11

    with pytest.warns(DeprecationWarning, match="pay is deprecated"):
        assert pair.l1.client.pay(bolt11=invoice()).status == "complete"
    assert pair.l1.client.rpc_call("pay", {"invstring": invoice()})["status"] == "complete"
    assert usage(pair.l1)["pay"][0] == "invstring"


def test_listconfigs_has_typed_fields_for_every_setting_that_is_not_for_developers(l1: Node) -> None:
    (entry,) = TABLE.of(("rpc", "listconfigs"))
    names = [path.rpartition(".")[2] for path in entry.edits["add"]]
    assert len(names) == 23
    sent = l1.client.rpc_call("listconfigs")["configs"]
    answer = l1.client.listconfigs()
    for name in names:
        setting = getattr(answer.configs, name.replace("-", "_"))
        assert {key: getattr(setting, key) for key in sent[name]} == sent[name], name
    assert [path for path in unknown_fields(answer) if not path.startswith("configs.dev-")] == []


def test_sendonion_answers_with_a_groupid(pair: Pair) -> None:
    height = pair.l1.height + CLTV
    payload = bytes.fromhex("0202") + (5_000).to_bytes(2) + bytes.fromhex("0402") + height.to_bytes(2)
    hop = CreateonionHop(pubkey=pair.l2.id, payload=(bytes([len(payload)]) + payload).hex())
    payment_hash = secrets.token_hex(32)
    onion = pair.l1.client.createonion(hops=[hop], assocdata=payment_hash)
    sent = pair.l1.client.sendonion(
        onion=onion.onion,
        first_hop=SendonionFirstHop(id=pair.l2.id, amount_msat=5_000, delay=CLTV),
        payment_hash=payment_hash,
        shared_secrets=onion.shared_secrets,
    )
    assert sent.groupid == 1
    assert unknown_fields(sent) == {}


@pytest.fixture(scope="module")
def events(chain: Chain, pair: Pair, work: Path) -> Iterator[list[dict[str, Any]]]:
    """Return what a plugin of l2 heard while l1 paid l2, and a third node through it."""
    file = work / "events"
    plugin = str(program(work / "watcher", "tests.interop.watcher", file))
    with running(chain, work / "l3", "--alias=l3") as l3:
        fund(chain, pair.l2)
        scid = open_channel(chain, pair.l2, l3)
        until(lambda: is_announced(pair.l1, scid), "the payer knows of the second channel")
        pair.l2.client.plugin(subcommand="start", plugin=plugin)
        for payee in (l3, pair.l2):
            invoice = payee.client.invoice(amount_msat=5_000, label="watched", description="x")
            pair.l1.client.xpay(invstring=invoice.bolt11)

        def heard() -> list[dict[str, Any]]:
            return [json.loads(line) for line in file.read_text().splitlines()]

        until(lambda: any(event.get("status") == "settled" for event in heard()), "the plugin heard of the forward")
        pair.l2.client.plugin(subcommand="stop", plugin=plugin)
        yield heard()


def test_forward_event_has_its_indexes_its_htlc_and_its_preimage(events: list[dict[str, Any]]) -> None:
    forwards = {event["status"]: event for event in events if event["event"] == "forward_event"}
    offered, settled = forwards["offered"], forwards["settled"]
    assert [event["unknown"] for event in forwards.values()] == [[], []]
    assert isinstance(offered["in_htlc_id"], int)
    assert settled["in_htlc_id"] == offered["in_htlc_id"]
    assert offered["created_index"] > 0
    assert settled["updated_index"] > 0
    assert re.fullmatch("[0-9a-f]{64}", settled["preimage"])


def test_the_hook_rpc_command_has_jsonrpc(events: list[dict[str, Any]]) -> None:
    commands = [event for event in events if event["event"] == "rpc_command"]
    assert {event["jsonrpc"] for event in commands} == {"2.0"}
    assert [event for event in commands if event["unknown"]] == []


def test_the_hook_invoice_payment_has_extra_records(events: list[dict[str, Any]]) -> None:
    (payment,) = [event for event in events if event["event"] == "invoice_payment"]
    assert (payment["extratlvs"], payment["unknown"]) == ([], [])


def usage(node: Node) -> Mapping[str, list[str]]:
    """Return the parameters of each command as `help` shows them."""
    lines = (entry.command.replace("(DEPRECATED!) ", "").split() for entry in node.client.help().help)
    return {name: parameters for name, *parameters in lines}


def test_addpsbtoutput_takes_serial_ids_of_the_initiator(l1: Node) -> None:
    checked(l1, "addpsbtoutput", satoshi=1000, add_initiator_serial_ids=True)
    made = l1.client.addpsbtoutput(satoshi=1000, add_initiator_serial_ids=True)
    assert len(made.psbt) > len(l1.client.addpsbtoutput(satoshi=1000).psbt)


def test_splice_init_takes_skip_stfu(l1: Node) -> None:
    with pytest.raises(RpcError) as caught:
        l1.client.splice_init(channel_id=NOT_SENT, relative_amount=1, skip_stfu=True)
    assert caught.value.code != INVALID_PARAMS


def test_splice_signed_finds_the_channel_in_the_psbt(l1: Node) -> None:
    psbt = l1.client.addpsbtoutput(satoshi=1000).psbt
    with pytest.raises(RpcError) as caught:
        l1.client.splice_signed(psbt=psbt)
    assert caught.value.code != INVALID_PARAMS


def test_injectpaymentonion_takes_a_path_key(l1: Node) -> None:
    given: dict[str, Any] = {"onion": "00" * 1366, "payment_hash": NOT_SENT, "amount_msat": 1, "cltv_expiry": 1}
    given |= {"partid": 1, "groupid": 1}
    with pytest.raises(RpcError, match="Could not parse onion"):  # which it looks at after the names of parameters
        l1.client.injectpaymentonion(**given, blinding=l1.id)
    assert refusal(l1, "injectpaymentonion", **given, blinding="00").startswith("blinding: should be a compressed pub")


@pytest.mark.parametrize(
    ("method", "params", "told"),
    [
        ("blacklistrune", {"end": 2}, "Can not specify end without start"),
        ("delpay", {"payment_hash": NOT_SENT, "status": "complete", "partid": 1}, "Must set both partid and groupid"),
        ("delpay", {"payment_hash": NOT_SENT, "status": "complete", "groupid": 1}, "Must set both partid and groupid"),
        *(
            (f"list{what}", {name: 1}, f"Can only specify {{{name}}} with {{index}}")
            for what in ("chainmoves", "channelmoves", "forwards", "invoices", "pays", "sendpays")
            for name in ("start", "limit")
        ),
        ("listforwards", {"index": "created", "start": 1, "in_channel": "1x1x1"}, "Cannot use start with in_channel"),
        ("listforwards", {"index": "created", "start": 1, "out_channel": "1x1x1"}, "Cannot use start with in_channel"),
        ("listinvoices", {"label": "x", "payment_hash": NOT_SENT}, "Can only specify one of {label}"),
        ("listpays", {"payment_hash": NOT_SENT, "bolt11": "INVOICE"}, "Can only specify one of {bolt11}"),
        ("listsendpays", {"payment_hash": NOT_SENT, "bolt11": "INVOICE"}, "Can only specify one of {bolt11}"),
        ("listchannels", {"source": "NODE", "destination": "NODE"}, "Can only specify one of `short_channel_id`"),
        ("listpeerchannels", {"id": "NODE", "short_channel_id": "1x1x1"}, "Must not specify more than one of"),
        ("datastore", {"key": "x", "string": "a", "hex": "00"}, "Cannot have both hex and string"),
        ("makesecret", {"string": "a", "hex": "00"}, "Cannot have both hex and string"),
    ],
)
def test_a_node_enforces_the_rules_that_the_client_checks(
    method: str, params: dict[str, Any], told: str, l1: Node
) -> None:
    if "INVOICE" in params.values():
        stand_in = l1.client.invoice(amount_msat=1, label=secrets.token_hex(4), description="x").bolt11
        params = {name: stand_in if value == "INVOICE" else value for name, value in params.items()}
    params = {name: l1.id if value == "NODE" else value for name, value in params.items()}
    assert told in refusal(l1, method, **params)


def test_plugin_start_passes_a_directory_on_as_an_option(l1: Node, tmp_path: Path) -> None:
    """The plugin has no such option, so the node refuses it in the plugin's name, and not by the document's rule."""
    plugin = program(tmp_path / "watcher", "tests.interop.watcher", tmp_path / "events")
    with pytest.raises(RpcError) as caught:
        l1.client.plugin(subcommand="start", plugin=str(plugin), directory="/nowhere")
    assert (caught.value.code, caught.value.message) == (-3, f"{plugin}: unknown parameter directory")


def test_a_command_that_no_document_describes_can_be_called_by_its_name(l1: Node) -> None:
    undocumented = usage(l1).keys() - COMMANDS.keys()
    assert {"createoffer", "addpsbtinput", "paystatus", "listincoming"} <= undocumented
    assert isinstance(l1.client.rpc_call("listincoming")["incoming"], list)
