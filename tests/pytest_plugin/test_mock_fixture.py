"""The fixture `cln`: a mock for each test, assertions about its calls, and reports of tests that fail."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from clnrpc import Client, RpcError
from lnstandin.asserting import CheckedMock, Rest
from lnstandin.mock import ANY
from tests.pytest_plugin.running import run_pytest


def pay_twice(mock: CheckedMock) -> None:
    mock.on("xpay", invstring=ANY).fail(205, "No route").then.answer(amount_msat=1000)
    with pytest.raises(RpcError, match="205: No route"):
        mock.client.xpay("lnbc1")
    mock.client.xpay("lnbc1", maxfee=5)


def test_assertions_return_the_calls(cln: CheckedMock) -> None:
    pay_twice(cln)
    first, second = cln.called_times(2, "xpay")
    assert first.error is not None
    assert cln.called_once("xpay", maxfee=5) == second
    assert cln.called("xpay", invstring=ANY) == (first, second)
    cln.not_called("pay")


@pytest.mark.parametrize(
    ("assertion", "params", "expected"),
    [
        ("called", {"invstring": "lnbc2"}, "expected at least one call of xpay(invstring='lnbc2'), and there were 0"),
        ("called_once", {}, "expected one call of xpay(), and there were 2"),
        ("not_called", {"maxfee": 5}, "expected no call of xpay(maxfee=5), and there were 1"),
    ],
)
def test_a_failed_assertion_shows_all_calls_of_the_command(
    cln: CheckedMock, assertion: str, params: dict[str, object], expected: str
) -> None:
    pay_twice(cln)
    with pytest.raises(AssertionError) as caught:
        getattr(cln, assertion)("xpay", **params)
    assert str(caught.value).startswith(f"{expected}:\n  xpay(invstring='lnbc1') -> error 205: No route\n  xpay(")


def test_says_that_a_command_was_not_called(cln: CheckedMock) -> None:
    with pytest.raises(AssertionError, match=r"expected 2 calls of pay.*\n  pay was not called"):
        cln.called_times(2, "pay")


def test_the_mock_answers_over_rest(clnrest: Rest, cln: CheckedMock) -> None:
    assert len(cln.calls) == 0
    cln.on("xpay").answer(amount_msat=7)
    assert clnrest.client.xpay("lnbc1").amount_msat == 7
    cln.called_once("xpay")
    assert clnrest.rune not in repr(clnrest)
    foreign = urlsafe_b64encode(bytes(32) + b"=0").decode()
    with Client(clnrest.url, rune=foreign, ca=clnrest.ca) as stranger, pytest.raises(RpcError, match="Not authorized"):
        stranger.getinfo()


@pytest.mark.cln(release="v24.08")
def test_the_marker_chooses_the_release(cln: CheckedMock) -> None:
    assert str(cln.client.rpc_call("getinfo")["version"]).startswith("v24.08")
    with pytest.raises(RpcError, match="Unknown command 'xpay'"):
        cln.client.rpc_call("xpay", {"invstring": "lnbc1"})


def test_each_test_has_a_mock_of_its_own(tmp_path: Path) -> None:
    source = """
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_it(cln, number):
            cln.client.getinfo()
            assert len(cln.calls.of("getinfo")) == 1
        """
    done = run_pytest(tmp_path, source, ["-n", "2", "-q"])
    assert "8 passed" in done.stdout, done.stdout


def test_a_failing_test_prints_the_calls(tmp_path: Path) -> None:
    source = """
        def test_it(cln):
            cln.on("pay").fail(210, "Gave up")
            try:
                cln.client.rpc_call("pay", {"bolt11": "lnbc1"})
            except Exception:
                pass
            assert False
        """
    done = run_pytest(tmp_path, source)
    assert done.returncode == 1
    assert "Calls of cln" in done.stdout
    assert "pay(bolt11='lnbc1') -> error 210: Gave up" in done.stdout


def test_a_failed_assertion_ends_at_the_line_of_the_test(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "def test_it(cln):\n    cln.called_once('pay')\n")
    assert "test_it.py:2: AssertionError" in done.stdout
    assert "asserting.py" not in done.stdout


def test_pytest_does_not_load_the_standins_for_other_tests(tmp_path: Path) -> None:
    source = """
        import sys

        def test_it():
            assert "lnstandin.mock" not in sys.modules
            assert "lnoffers" not in sys.modules
        """
    assert run_pytest(tmp_path, source).returncode == 0
