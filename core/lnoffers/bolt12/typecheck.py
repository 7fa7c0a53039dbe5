"""Check the types of arguments, so that public functions raise a TypeError that names the parameter.

Without it Python takes `offer_amount=True` for 1, and fails far from the call at `offer_amount="1"`. The annotations
are the contract: `@typechecked` holds callers to them, and a test finds each public function that lacks it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache, wraps
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

F = TypeVar("F", bound=Callable[..., Any])


class WrongType(NamedTuple):
    """A wrong value: its place within the argument, such as `[0]`, the expected type, and the actual one."""

    where: str
    expected: str
    found: object


class Allowed(NamedTuple):
    """The values that an annotation allows.

    Attributes:
        words: a description of them, for an error.
        fault: returns what is wrong with an argument, or None.
        by_type: whether only the argument's type matters, not its contents.
    """

    words: str
    fault: Callable[[object], WrongType | None]
    by_type: bool = True


def typechecked(function: F) -> F:
    """Make a function or class raise TypeError for arguments that do not fit its annotations.

    A bool is not accepted as an int, nor text or bytes as a sequence. The items of sequences are checked too; the
    arguments and results of callables are not.
    """
    if isinstance(function, type):
        function.__init__ = typechecked(function.__init__)  # type: ignore[misc]
        return function
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    # By parameter the types that were found to fit, which are not looked at again.
    fitting: dict[str, set[type]] = {name: set() for name in names}
    together: set[tuple[type, ...]] = set()  # those of calls with several arguments by position
    start = int(names[0] in ("self", "cls"))
    first = fitting[names[start]]

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        # Most calls have one argument by position or none, and reading a message should not wait for the loops.
        own = len(args) - start
        if not kwargs and (own == 0 or (own == 1 and type(args[start]) in first)):
            return function(*args)
        types = (*map(type, args),)
        if types not in together:
            for name, value in zip(names, args, strict=False):
                if type(value) not in fitting[name]:
                    _check(function, name, value, fitting[name])
            if all(kind in fitting[name] for name, kind in zip(names, types, strict=False)):
                together.add(types)
        for name, value in kwargs.items():
            if name in fitting and type(value) not in fitting[name]:
                _check(function, name, value, fitting[name])
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def trusted(kind: F) -> F:
    """Return a constructor of a typechecked class without the checks, for values whose types are known."""
    made: Any = kind
    make, initialize = object.__new__, made.__init__.__wrapped__

    def construct(*args: Any) -> Any:
        instance = make(made)
        initialize(instance, *args)
        return instance

    return construct  # type: ignore[return-value]


def _check(function: Callable[..., Any], name: str, value: object, fitting: set[type]) -> None:
    kind = _kinds(function).get(name, _ANYTHING)  # as for `self`
    fault = kind.fault(value)
    if fault is not None:
        title = function.__qualname__.removesuffix(".__init__").rpartition(".")[2]
        found = "None" if fault.found is None else type(fault.found).__name__
        raise TypeError(f"{title}() argument {name}{fault.where} must be {fault.expected}, not {found}")
    if kind.by_type:
        fitting.add(type(value))


@cache
def _kinds(function: Callable[..., Any]) -> dict[str, Allowed]:
    """Return the allowed values of each parameter. Annotations are resolved at the first call, when all names exist."""
    return {name: _kind(hint) for name, hint in get_type_hints(function).items() if name != "return"}


_ANYTHING = Allowed("anything", lambda _: None)
_TEXT = (str, bytes, bytearray, memoryview)


def _kind(annotation: Any) -> Allowed:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        kinds = [_kind(part) for part in parts]
        return _one_of(kinds, [kind.words for kind in kinds])
    if origin is Literal:
        return _one_of([_kind(type(part)) for part in parts], map(repr, parts))
    if origin is Callable:
        return Allowed("callable", lambda value: None if callable(value) else WrongType("", "callable", value))
    if isinstance(origin, type) and issubclass(origin, Collection):
        return _items(origin, _kind(parts[0]))
    if isinstance(origin, type):
        return _instance(origin, origin.__name__)
    if annotation in (int, float):
        return _number(annotation)
    if annotation is NoneType:
        return _instance(NoneType, "None")
    return _instance(annotation, annotation.__name__)


def _instance(kind: type, words: str) -> Allowed:
    return Allowed(words, lambda value: None if isinstance(value, kind) else WrongType("", words, value))


def _number(kind: type[int | float]) -> Allowed:
    words, kinds = kind.__name__, (int, kind)  # an int is as good as a float, and a bool is neither

    def fault(value: object) -> WrongType | None:
        return None if isinstance(value, kinds) and not isinstance(value, bool) else WrongType("", words, value)

    return Allowed(words, fault)


def _one_of(kinds: Sequence[Allowed], named: Iterable[str]) -> Allowed:
    words = " or ".join(named)

    def fault(value: object) -> WrongType | None:
        faults = [kind.fault(value) for kind in kinds]
        if None in faults:
            return None
        within = [each for each in faults if each is not None and each.where]
        return within[0] if within else WrongType("", words, value)

    return Allowed(words, fault, all(kind.by_type for kind in kinds))


def _items(collection: type, item: Allowed) -> Allowed:
    words = f"a {collection.__name__.lower()} of {item.words}"

    def fault(value: object) -> WrongType | None:
        if isinstance(value, Collection) and isinstance(value, collection) and not isinstance(value, _TEXT):
            return next(_faults(value, item), None)
        return WrongType("", words, value)

    return Allowed(words, fault, by_type=False)


def _faults(values: Iterable[object], item: Allowed) -> Iterator[WrongType]:
    for index, value in enumerate(values):
        fault = item.fault(value)
        if fault is not None:
            yield WrongType(f"[{index}]{fault.where}", fault.expected, fault.found)
