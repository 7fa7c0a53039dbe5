"""The commands that are called without being asked for side effects are known ones, and get what the node answered."""

from __future__ import annotations

from itertools import chain

import pytest

from lnstandin.conform.documents import read_documents
from lnstandin.conform.safe import TABLE, Known
from tests.shared import ROOT

DOCUMENTS = {document.name: document for document in read_documents(ROOT / "schemas") if document.kind == "rpc"}
SPENDING = (
    *("pay", "xpay", "sendpay", "keysend", "xkeysend", "sendamount", "withdraw", "multiwithdraw", "fundchannel"),
    *("close", "stop", "setchannel", "setconfig", "invoice", "offer", "newaddr", "datastore", "createrune", "recover"),
    *(
        "invoicerequest",
        "sendinvoice",
        "fetchinvoice",
        "signpsbt",
        "sendpsbt",
        "reserveinputs",
        "disconnect",
        "connect",
    ),
    *("exposesecret", "makesecret", "blacklistrune", "emergencyrecover", "reckless", "upgradewallet", "autoclean-once"),
)


def test_every_safe_command_has_a_document_and_a_reason() -> None:
    assert [name for name in TABLE if name not in DOCUMENTS] == []
    assert all(safe.why for safe in TABLE.values())


@pytest.mark.parametrize("name", SPENDING)
def test_a_command_that_changes_something_is_not_in_the_table(name: str) -> None:
    assert name in DOCUMENTS
    assert name not in TABLE


def test_what_deletes_is_called_for_nothing_only() -> None:
    known = Known()
    for name in ("delinvoice", "delpay", "deldatastore", "disableoffer", "disableinvoicerequest", "txdiscard"):
        [params] = TABLE[name].calls(known)
        assert any("nobody" in str(value) or value == "00" * 32 for value in params.values()), name


def test_values_are_picked_from_answers_each_once_and_a_few_only() -> None:
    known = Known()
    known.add("listpeers", {"peers": [{"id": "a"}, {"id": "a"}, {}, {"id": "b"}, {"id": "c"}, {"id": "d"}]})
    assert list(known.pick("listpeers", "peers[].id")) == ["a", "b", "c"]
    assert list(known.pick("listpeers", "peers[].none")) == list(known.pick("getinfo", "id")) == []
    known.add("listdatastore", {"datastore": [{"key": ["one", "two"]}]})
    assert list(known.pick("listdatastore", "datastore[].key[]")) == ["one", "two"]
    assert list(TABLE["listnodes"].calls(known)) == [{}, {"id": "a"}, {"id": "b"}, {"id": "c"}]


def test_the_parameters_of_safe_calls_are_documented() -> None:
    known = Known()
    known.add("getinfo", {"id": "02", "blockheight": 1})
    known.add("listpeers", {"peers": [{"id": "03"}]})
    for name, safe in TABLE.items():
        documented = {field.name for field in DOCUMENTS[name].request.fields or ()} | {"command_to_check"}
        given = set(chain.from_iterable(safe.calls(known)))
        assert given - documented <= {"feerate_str"}, name  # which upstream's document calls it
