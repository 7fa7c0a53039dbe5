"""The mock behaves like another release, by what the documents say about theirs."""

from __future__ import annotations

from typing import Any

import pytest

from clnrpc import RpcError
from lnstandin.documents import DocumentsError
from lnstandin.mock.core import Standin
from tests.mock.calling import call


def error_of(standin: Standin, method: str, params: Any = ()) -> RpcError:
    with pytest.raises(RpcError) as error:
        call(standin, method, params)
    return error.value


def test_getinfo_has_the_version() -> None:
    assert call(Standin(release="v24.08"), "getinfo")["version"] == "v24.08"
    assert call(Standin(), "getinfo")["version"] == "v26.09"


def test_command_that_was_added_later_is_unknown() -> None:
    standin = Standin(release="v24.08")
    assert error_of(standin, "xpay", ["lni1"]).code == -32601  # added in v24.11
    assert "xpay" not in standin.documents.commands
    standin.release = "v24.11"
    assert "amount_msat" in call(standin, "xpay", ["lni1"])


def test_parameter_that_was_added_later_is_unknown() -> None:
    params = {"invstring": "lni1", "maxdelay": 10}  # added in v25.02
    assert "unknown parameter: maxdelay" in error_of(Standin(release="v24.11"), "xpay", params).message
    assert call(Standin(release="v25.02"), "xpay", params)


def test_field_that_was_added_later_is_never_answered() -> None:
    def fields(release: str) -> set[str]:
        standins = (Standin(seed=seed, release=release, examples=False) for seed in range(20))
        invoices = (each for standin in standins for each in call(standin, "listinvoices")["invoices"])
        return {name for invoice in invoices for name in invoice}

    assert "created_index" in fields("v23.08")
    assert "created_index" not in fields("v23.05")


def test_command_is_gone_after_the_last_release_that_supports_it() -> None:
    assert call(Standin(release="v27.03"), "pay", ["lnbc1"])
    assert error_of(Standin(release="v27.06"), "pay", ["lnbc1"]).code == -32601


def test_other_values_stay_the_same() -> None:
    new, old = (call(Standin(release=release, examples=False), "listfunds") for release in ("v26.09", "v24.08"))
    assert new["outputs"][0]["txid"] == old["outputs"][0]["txid"]


def test_release_without_a_name_is_refused() -> None:
    with pytest.raises(DocumentsError, match="'24' does not name a release"):
        Standin(release="24")
