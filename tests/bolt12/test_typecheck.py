"""Arguments of wrong types: every public function of lnoffers raises a TypeError that names the parameter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Literal, NamedTuple, Protocol, get_type_hints

import pytest

import lnoffers
from lnoffers import bolt11, bolt12, emergency, fetching, net, runes
from lnoffers.bolt12 import BlindedHop, BlindedPath, Bolt12Error, CallbackSigner, KeyPair, Offer
from lnoffers.bolt12.message import Message
from lnoffers.bolt12.typecheck import trusted, typechecked

from .samples import METADATA, PATH, REGTEST, SIGNER, offer, request, request_for, unsigned

MODULES = (
    *(lnoffers, bolt12, bolt11, fetching, runes, emergency),
    *(import_module(f"{net.__name__}.{each.name}") for each in iter_modules(net.__path__)),
)
MADE_BY_US = (Message, Exception, tuple, Enum)
"""Their constructors are for our own use: callers get them from builders and readers."""


class Case(NamedTuple):
    """A parameter of a public function.

    Attributes:
        name: of the function, with its class.
        title: the function's name in errors.
        function: what is called.
        before: the arguments before it.
        parameter: which it is.
        annotation: the types that it takes.
    """

    name: str
    title: str
    function: Callable[..., object]
    before: tuple[object, ...]
    parameter: inspect.Parameter
    annotation: Any

    def __str__(self) -> str:
        return f"{self.name} {self.parameter.name}"

    def call(self, value: object) -> None:
        """Call with this argument alone: its type is looked at before others are missed."""
        if self.parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            self.function(*self.before, value)
        else:
            self.function(*self.before, **{self.parameter.name: value})


def public(module: ModuleType) -> list[Any]:
    """Return what a package lists, or what a module defines under public names."""
    if hasattr(module, "__all__"):
        return [getattr(module, name) for name in module.__all__]
    defined = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
    return [value for value in defined if not getattr(value, "__name__", "_").startswith("_")]


def cases_of(name: str, function: Callable[..., Any], skip: int = 0) -> Iterator[Case]:
    checked = function.__init__ if inspect.isclass(function) else function  # type: ignore[misc]
    hints = get_type_hints(checked)
    for parameter in list(inspect.signature(function).parameters.values())[skip:]:
        title = name.rpartition(".")[2]
        yield Case(name, title, function, (None,) * skip, parameter, hints[parameter.name])


def cases_of_class(kind: type) -> Iterator[Case]:
    if Protocol in kind.__bases__:  # callers write its methods
        return
    if not issubclass(kind, MADE_BY_US):
        yield from cases_of(kind.__name__, kind)
    for base in reversed(kind.__mro__):
        for name, value in vars(base).items():
            if base.__module__.startswith("lnoffers.") and not name.startswith("_"):
                if isinstance(value, classmethod | staticmethod):
                    yield from cases_of(f"{kind.__name__}.{name}", getattr(kind, name))
                elif inspect.isfunction(value):
                    yield from cases_of(f"{kind.__name__}.{name}", value, skip=1)


def all_cases() -> Iterator[Case]:
    for module in MODULES:
        for value in public(module):
            if inspect.isclass(value):
                yield from cases_of_class(value)
            elif inspect.isfunction(value):
                yield from cases_of(value.__name__, value)


CASES = list(all_cases())


class Stranger:
    """What no parameter takes."""


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_public_function_names_the_parameter_that_has_a_wrong_type(case: Case) -> None:
    with pytest.raises(TypeError) as caught:
        case.call(Stranger())
    assert str(caught.value).startswith(f"{case.title}() argument {case.parameter.name} must be ")
    assert str(caught.value).endswith(", not Stranger")


WRONG: dict[type, tuple[object, ...]] = {int: (1.5, True, "1", b"1"), bytes: ("text", 1), str: (b"bytes", 1)}


@pytest.mark.parametrize("case", [case for case in CASES if case.annotation in WRONG], ids=str)
def test_a_bool_is_no_int_and_text_no_bytes(case: Case) -> None:
    for value in WRONG[case.annotation]:
        with pytest.raises(TypeError, match=rf"^{case.title}\(\) argument {case.parameter.name} must be "):
            case.call(value)


def test_the_table_has_what_the_library_is_used_by() -> None:
    assert {case.name for case in CASES} >= {
        *("decode", "decode_leniently", "describe", "fallback_address", "period_start", "new_hsm_secret", "decrypt"),
        *("Offer.build", "Offer.parse", "Offer.from_bytes", "Offer.check_unexpired", "Offer.with_paths"),
        *("InvoiceRequest.without_offer", "InvoiceRequest.for_offer", "InvoiceRequest.verify", "InvoiceError.build"),
        *("Invoice.for_request", "Invoice.verify_answer", "UnsignedInvoice.sign", "UnsignedPayerProof.sign"),
        *("PayerProof.for_invoice", "BlindedPath", "BlindedPath.from_bytes", "KeyPair", "KeyPair.sign", "Record.build"),
        *("NodeKeys", "NodeKeys.from_seed", "KeySigner", "KeySigner.sign", "Rune.parse", "message_path", "blind"),
    }


def said(call: Callable[..., object], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(TypeError) as caught:
        call(*args, **kwargs)
    return str(caught.value).partition("() argument ")[2]


def test_what_is_wrong_is_said_with_what_should_be_there_and_never_the_value() -> None:
    assert said(offer, offer_amount=1.5) == "offer_amount must be int or None, not float"
    assert said(offer, offer_amount=True) == "offer_amount must be int or None, not bool"
    assert said(lnoffers.decode, b"lno1") == "text must be str, not bytes"
    assert said(request, offer_description=None) == "offer_description must be str, not None"
    assert said(KeyPair, "secret") == "secret must be bytes or bytearray or memoryview, not str"


def test_the_items_of_a_sequence_are_looked_at() -> None:
    assert said(offer, offer_paths=[PATH, None]) == "offer_paths[1] must be BlindedPath, not None"
    assert said(offer, offer_chains=["regtest"]) == "offer_chains[0] must be bytes, not str"
    assert said(offer, offer_chains=REGTEST) == "offer_chains must be a sequence of bytes, not bytes"
    assert said(BlindedPath, METADATA, METADATA, []) == "hops must be a tuple of BlindedHop, not list"


def test_all_arguments_are_looked_at_in_every_call() -> None:
    for _ in range(2):
        assert BlindedHop(METADATA, b"")
        assert said(BlindedHop, METADATA, "") == "encrypted_recipient_data must be bytes, not str"
        assert said(BlindedHop, "", b"") == "blinded_node_id must be bytes, not str"


def test_a_signer_is_whatever_has_a_key_and_signs() -> None:
    class Device:
        public_key = SIGNER.public_key
        sign = staticmethod(SIGNER.sign)

    assert unsigned().sign(Device()) == unsigned().sign(CallbackSigner(SIGNER.public_key, SIGNER.sign)) == request()
    assert said(unsigned().sign, SIGNER.public_key) == "signer must be Signer, not bytes"
    assert said(CallbackSigner, SIGNER.public_key, SIGNER) == "callback must be callable, not KeySigner"


def test_a_flag_is_a_bool_by_type_and_true_by_rule() -> None:
    told = said(request_for, offer(), invreq_recurrence_cancel=1)
    assert told == "invreq_recurrence_cancel must be True or None, not int"
    with pytest.raises(Bolt12Error) as caught:
        request_for(offer(), invreq_recurrence_cancel=False)
    assert caught.value.rule == "flag-value"


def test_what_python_refuses_itself_keeps_its_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'offer_amuont'"):
        Offer.build(offer_amuont=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        lnoffers.decode("lno1", "lno1")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'text'"):
        lnoffers.decode()  # type: ignore[call-arg]


@typechecked
def takes(either: Literal["a", 1], many: Sequence[Sequence[int]] | int) -> None:
    """Accept arguments whose annotations no public function has yet."""


def test_other_annotations_are_held_to_as_well() -> None:
    takes("a", [[1]])
    takes(1, 5)
    assert said(takes, None, 1) == "either must be 'a' or 1, not None"
    assert said(takes, "a", [[1], [2, "3"]]) == "many[1][1] must be int, not str"
    assert said(takes, "a", "1") == "many must be a sequence of a sequence of int or int, not str"


def test_readers_make_values_without_looking_at_them_again() -> None:
    assert trusted(BlindedPath)(PATH.first_node_id, PATH.first_path_key, PATH.hops) == PATH
