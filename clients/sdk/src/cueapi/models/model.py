"""A typed, frozen view of a JSON object that loses nothing of what the server sent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from types import UnionType
from typing import Any, Generic, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from cueapi.overriding import override

M = TypeVar("M", bound="Model")


class Model:
    """What the server answered: `cue.next_run` is typed, `cue["next_run"]` is the JSON itself.

    Attributes are converted when they are read: instants to aware datetimes, objects to models.
    One that the server left out is None if it may be, else reading it raises AttributeError.
    Fields that this version of the SDK does not know are in `extra`.
    """

    _json: Mapping[str, Any]

    def __init__(self, **fields: Any) -> None:
        object.__setattr__(self, "_json", fields)

    @override
    def __init_subclass__(cls) -> None:
        """Make a converting attribute of each annotation."""
        super().__init_subclass__()
        for name in cls.__annotations__:
            if not name.startswith("_"):
                setattr(cls, name, _Attribute(name))

    @classmethod
    def from_dict(cls: type[M], document: Mapping[str, Any]) -> M:
        """View a JSON object as this model. Raises TypeError if it is no object."""
        if not isinstance(document, Mapping):
            raise TypeError(f"{cls.__name__}: expected a JSON object, got {document!r:.80}")
        model = cls.__new__(cls)
        object.__setattr__(model, "_json", document)
        return model

    @classmethod
    def fields(cls) -> frozenset[str]:
        """Name the fields that are typed."""
        return frozenset(_types_of(cls))

    @property
    def extra(self) -> dict[str, Any]:
        """The fields that the server sent and this SDK does not know."""
        known = _types_of(type(self))
        return {name: value for name, value in self._json.items() if name not in known}

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON object, unknown fields too."""
        return dict(self._json)

    model_dump = to_dict  # as the models of cueapi-sdk 0.1 called it

    def get(self, name: str, default: Any = None) -> Any:
        """Give a field's JSON, or the default if the server did not send it."""
        return self._json.get(name, default)

    def __getitem__(self, name: str) -> Any:
        """Give a field's JSON. Raises KeyError."""
        return self._json[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether the server sent this field."""
        return name in self._json

    @override
    def __eq__(self, other: object) -> bool:
        """Models of one type are equal when their JSON is."""
        if type(other) is type(self) and isinstance(other, Model):
            return self._json == other._json
        return NotImplemented

    @override
    def __hash__(self) -> int:
        """Hash by what identifies it."""
        return hash((type(self), str(self._json.get("id")), len(self._json)))

    @override
    def __repr__(self) -> str:
        """Show what the server sent."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self._json.items())
        return f"{type(self).__name__}({shown})"

    @override
    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: models are frozen."""
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be set")

    @override
    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: models are frozen."""
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")

    @override
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[dict[str, Any]]]:
        """Pickle and copy by the JSON."""
        return type(self).from_dict, (self.to_dict(),)


class _Attribute(Generic[M]):
    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, model: M | None, owner: type[M]) -> Any:
        if model is None:
            return self
        convert, optional = _types_of(type(model))[self.name]
        value = model._json.get(self.name)
        if value is not None:
            return convert(value)
        if optional or self.name in model._json:
            return None
        raise AttributeError(f"{type(model).__name__}.{self.name}: the server did not send it")


_Converter = tuple[Callable[[Any], Any], bool]


_KNOWN: dict[type, dict[str, _Converter]] = {}


def _types_of(model: type[Model]) -> dict[str, _Converter]:
    """Find each field's converter and whether it may be None; when first asked, not at import."""
    if model not in _KNOWN:
        hints = get_type_hints(model).items()
        _KNOWN[model] = {name: _converter(hint) for name, hint in hints if name[0] != "_"}
    return _KNOWN[model]


def _converter(hint: Any) -> _Converter:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        (kind,) = [each for each in get_args(hint) if each is not type(None)]
        return _converter(kind)[0], True
    if origin is list:
        (kind,) = get_args(hint)
        convert, _ = _converter(kind)
        return lambda values: [convert(value) for value in values], False
    if isinstance(hint, type) and issubclass(hint, Model):
        return hint.from_dict, False
    if hint is datetime:
        return parse_instant, False
    return lambda value: value, False


def parse_instant(text: str) -> datetime:
    """Read an instant as the server writes it. Raises ValueError."""
    # datetime.fromisoformat knows the suffix Z since Python 3.11 only.
    if sys.version_info < (3, 11) and text.endswith("Z"):
        text = f"{text[:-1]}+00:00"
    return datetime.fromisoformat(text)
