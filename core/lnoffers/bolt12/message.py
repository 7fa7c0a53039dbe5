"""The base class of all BOLT 12 messages: a stream of records, and a table of the fields that it may contain.

A message class is its own table: its body assigns each field's name a `Field` with number and codec, after those of
its base classes in their order. From that follow the typed attributes, reading, writing, and the JSON of `decode`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Never, NoReturn, Self, TypeVar, overload

from lnoffers.bolt12.bigsize import encode_bigsize
from lnoffers.bolt12.codecs import Codec
from lnoffers.bolt12.encoding import decode_text, encode_text
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.tlv import Record, offset_of, read_records, write_records
from lnoffers.bolt12.typecheck import typechecked

T = TypeVar("T")

_SHOWN = 140
"""How many characters of a value `repr` shows: all of a signature in hex."""


class Field(Generic[T]):
    """A field of a message. On a message the attribute is the value, or None if the field is absent.

    Attributes:
        number: the record's type.
        codec: how the value is read, written and shown.
        name: the specification's name, which is the attribute's name too.
        json_name: the name in the JSON of `decode`.
    """

    __slots__ = ("_type", "codec", "json_name", "name", "number")

    def __init__(self, number: int, codec: Codec[T], *, json_name: str = "") -> None:
        self.number = number
        self.codec = codec
        self.name = ""
        self.json_name = json_name
        self._type = encode_bigsize(number)

    def __set_name__(self, owner: type[Message], name: str) -> None:
        self.name = name
        self.json_name = self.json_name or name

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> T | None: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Self | T | None:
        return self if message is None else message._values.get(self.number)

    def __set__(self, message: Message, value: Never) -> NoReturn:
        raise AttributeError(f"{self.name} cannot be set: messages do not change")

    def decode(self, record: Record, stream: Iterable[Record] = ()) -> T:
        """Return the value of this field's record. An error gives the offset of the record in `stream`.

        Raises:
            Bolt12Error: with `field` set, if the value is malformed.
        """
        try:
            return self.codec.decode(record.value)
        except Bolt12Error as error:
            raise Bolt12Error(
                f"{self.name}: {error.message}",
                rule=error.rule,
                field=self.name,
                offset=offset_of(self.number, stream),
            ) from None

    def encode(self, value: T) -> Record:
        """Return this field's record for a value."""
        try:
            data = self.codec.encode(value)
        except Bolt12Error as error:
            raise Bolt12Error(f"{self.name}: {error.message}", rule=error.rule, field=self.name) from None
        return Record(self.number, self._type + encode_bigsize(len(data)) + data, data)


class Message:
    """A message: its records as received or to be sent, and the values of the known ones.

    Messages are equal if their bytes are. They do not change.
    """

    __slots__ = ("_records", "_values")

    fields: ClassVar[Mapping[int, Field[Any]]] = MappingProxyType({})
    """The known fields by number, in the order in which `decode` shows them."""

    def __init_subclass__(cls) -> None:
        table = {
            number: field
            for group in cls.__bases__
            if issubclass(group, Message)
            for number, field in group.fields.items()
        }
        table |= {field.number: field for field in vars(cls).values() if isinstance(field, Field)}
        cls.fields = MappingProxyType(table)

    def __init__(self, records: tuple[Record, ...], values: Mapping[int, Any]) -> None:
        """Create a message; for this package only. `values` must be the `records` decoded by their fields' codecs."""
        self._records = records
        self._values = values

    @classmethod
    def _read(cls, data: bytes) -> Self:
        """Parse the message in a TLV stream; only its encoding is checked.

        Raises:
            Bolt12Error: if it is malformed.
        """
        return cls._of(tuple(read_records(data, cls.fields)))

    @classmethod
    def _build(cls, mirrored: Iterable[Record] = (), /, **values: Any) -> Self:
        """Return the message with these fields, by name, and with records of another; None leaves a field out.

        Only the codecs' rules are checked.

        Raises:
            Bolt12Error: with `field` set, if a value does not fit its field.
        """
        own = [getattr(cls, name).encode(value) for name, value in values.items() if value is not None]
        # Its values are what a reader will see, whatever types they were given in.
        return cls._of(tuple(sorted([*mirrored, *own])))

    @classmethod
    def _of(cls, records: tuple[Record, ...]) -> Self:
        """Return the message of records in ascending order.

        Raises:
            Bolt12Error: if a record does not fit its field.
        """
        fields = cls.fields
        try:
            values = {each.type: fields[each.type].codec.decode(each.value) for each in records if each.type in fields}
        except Bolt12Error:  # read again, with an error that says where
            values = {each.type: fields[each.type].decode(each, records) for each in records if each.type in fields}
        return cls(records, values)

    @property
    def records(self) -> tuple[Record, ...]:
        """All records in ascending order of type, including unknown ones and the signature."""
        return self._records

    @property
    def unknown_records(self) -> tuple[Record, ...]:
        """The records that are no field of this message. Their types are odd."""
        return tuple(record for record in self._records if record.type not in self.fields)

    @property
    def values(self) -> Mapping[int, Any]:
        """The decoded values of the records that are fields of this message, by type."""
        return self._values

    @typechecked
    def offset_of(self, type_: int) -> int | None:
        """Return the offset of the record of this type in `to_bytes()`, or None."""
        return offset_of(type_, self._records)

    def to_bytes(self) -> bytes:
        """Return the TLV stream."""
        return write_records(self._records)

    def __eq__(self, other: object) -> bool:
        return self._records == other._records if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._records)

    def __repr__(self) -> str:
        known = ((self.fields[number], value) for number, value in self._values.items())
        shown = (f"{field.name}={_shorten(repr(field.codec.to_json(value)))}" for field, value in known)
        return f"{type(self).__name__}({', '.join(shown)})"


class TlvStream(Message):
    """A message without a text form. Only its encoding is checked."""

    __slots__ = ()

    @classmethod
    @typechecked
    def from_bytes(cls, data: bytes) -> Self:
        """Parse the TLV stream.

        Raises:
            Bolt12Error: if it is malformed.
        """
        return cls._read(data)


class TextMessage(Message):
    """A message that has a text form."""

    __slots__ = ()

    prefix: ClassVar[str]
    """The prefix of its strings, before the `1`."""
    kind: ClassVar[str]
    """Its name in the specification, which is part of the signed data and of the result of `decode`."""

    @classmethod
    def _from_text(cls, text: str) -> Self:
        """Parse the message in a string; its text form and encoding are checked.

        Raises:
            Bolt12Error: if it is malformed.
        """
        return cls._from_stream(decode_text(text, cls.prefix))

    @classmethod
    def _from_stream(cls, data: bytes | bytearray | memoryview) -> Self:
        """Parse the message in a TLV stream. Errors have Core Lightning's message, and more in their detail."""
        try:
            return cls._read(bytes(data))
        except Bolt12Error as error:
            raise Bolt12Error(
                f"invalid {_CALLED.get(cls.kind, cls.kind)} data",
                rule=error.rule,
                field=error.field,
                offset=error.offset,
                detail=error.message,
            ) from None

    def encode(self) -> str:
        """Return the string, in lower case and without `+`."""
        return encode_text(self.prefix, self.to_bytes())


class CheckedMessage(TextMessage):
    """A message that is checked, beyond its encoding, against the reader's chain and known features."""

    __slots__ = ()

    known_features: ClassVar[frozenset[int]]
    """The feature bits that the specification defines so far."""

    @classmethod
    @typechecked
    def parse(cls, text: str, *, chain: bytes | None = None, features: frozenset[int] | None = None) -> Self:
        """Parse the message in a string, with the checks that its class describes.

        Args:
            text: the string, without `lightning:`.
            chain: if given, the 32-byte hash of the chain that the message must be good for.
            features: the feature bits that are known; if not given, `known_features`.

        Raises:
            Bolt12Error: with Core Lightning's messages, in its order: those of the text form, "invalid offer data" (or
                invreq, or invoice), and those that the class names.
        """
        return cls._checked(cls._from_text(text), chain, features)

    @classmethod
    @typechecked
    def from_bytes(
        cls,
        data: bytes | bytearray | memoryview,
        *,
        chain: bytes | None = None,
        features: frozenset[int] | None = None,
    ) -> Self:
        """Parse the message in a TLV stream, as `parse` does."""
        return cls._checked(cls._from_stream(data), chain, features)

    @classmethod
    def _checked(cls, message: Self, chain: bytes | None, features: frozenset[int] | None) -> Self:
        message._check_reading(chain, cls.known_features if features is None else features)
        return message

    @abstractmethod
    def _check_reading(self, chain: bytes | None, features: frozenset[int]) -> None:
        """Check the rules that a reader (on that chain, if given) applies first.

        Raises:
            Bolt12Error: if it must be rejected.
        """


_CALLED = {"invoice_request": "invreq"}
"""The names of kinds in Core Lightning's errors, where they differ."""


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
