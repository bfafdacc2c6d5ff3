"""What public functions and methods share: a call that does not fit the signature is an error that says what does.

`public` wraps a function once. A keyword that it lacks, too many arguments or too few, and a value that its annotation
rules out (`bool`, `str`, `int`, a table, a sequence) are a KindError; what an annotation cannot say, the function
checks itself. Of operators and properties only the errors are seen to: their arity is Python's. An error that leaves a
public function has lost its way through the library, and points at the user's line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, update_wrapper
from inspect import CO_VARARGS, CO_VARKEYWORDS, Parameter, signature
from types import FunctionType
from typing import Any, NamedTuple, TypeVar, cast
from unicodedata import normalize

from indexcalc.errors import Asked, IndexCalcError, KindError, NameRefused, brief, did_you_mean, shorten

Public = TypeVar("Public", bound=Callable[..., Any])
BY_KEYWORD = (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
ANYTHING = CO_VARARGS | CO_VARKEYWORDS
"""The flags of a function that takes whatever it is given."""
OPERATORS = {f"__{word}__" for word in (
    "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow", "matmul", "rmatmul",
    "neg", "pos", "lt", "le", "gt", "ge", "getitem", "bool", "iter", "len", "float", "contains", "array",
    "array_ufunc", "array_function", "and", "rand", "or", "ror", "xor", "rxor", "invert", "floordiv",
    "rfloordiv", "mod", "rmod", "divmod", "rdivmod", "round", "setitem", "int",
)} | {"__abs__"}  # fmt: skip
"""Operators and conversions whose errors are the user's."""
KEYWORDS = {"dim": "axis", "axes": "axis", "keepdim": "keepdims", "unbiased": "correction"}
"""Keywords of other programs, and what they are called here."""
NOWHERE = 1 << 30
"""The place of a parameter that has none: no call has so many arguments."""


class Kind(NamedTuple):
    """What a part of an annotation lets in, and its words."""

    lets_in: Callable[[object], bool]
    words: str


class Check(NamedTuple):
    """A parameter whose values are checked: its place, its keyword ("" where it has none), its name, what it takes."""

    place: int
    keyword: str
    name: str
    kinds: tuple[Kind, ...]


def is_integer(value: object) -> bool:
    """Is this an integer, NumPy's among them, and no bool?

    >>> is_integer(3), is_integer(True), is_integer(2.5)
    (True, False, False)
    """
    return hasattr(value, "__index__") and not isinstance(value, bool | type) and not getattr(value, "shape", ())


def own_name(name: object, what: str, like: str) -> str:
    """The name, if it is an identifier and Python knows no other spelling of it, or an error; `like` is one.

    >>> own_name("W_1", "tensor", "W")
    'W_1'
    """
    if not isinstance(name, str):
        raise KindError(what, f"a name is a str, not {type(name).__name__}", f'write ic.{what}("{like}", ...)')
    asked = f"{what}({name!r})"
    if not name.isidentifier():
        instead = f"use letters, digits and _, as in {like!r} or '{like}_1'"
        raise NameRefused(asked, f"{name!r} is no identifier", instead)
    plain = normalize("NFKC", name)
    if plain != name or name == "__debug__":
        instead = f"write {plain!r}" if plain != name else "use another, debug say"
        raise NameRefused(asked, f"{name!r} is not a name of its own to Python", instead)
    return name


def sentence(formula: str) -> str:
    """The words as a sentence begins; a letter of a formula stays as it is.

    >>> sentence("the sign of x"), sentence("x where x > 0, 0 elsewhere.")
    ('The sign of x', 'x where x > 0, 0 elsewhere')
    """
    word = formula.split(" ")[0]
    return (formula if len(word) < 2 or not word.isalpha() else f"{formula[0].upper()}{formula[1:]}").rstrip(".")


def is_sequence(value: object) -> bool:
    """Is this a list, a tuple or their like, and no text?"""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


KINDS: dict[str, Kind] = {
    "None": Kind(lambda value: value is None, "None"),
    "bool": Kind(lambda value: isinstance(value, bool), "True or False"),
    "int": Kind(is_integer, "an integer"),
    "str": Kind(lambda value: isinstance(value, str), "a str"),
    "Mapping": Kind(lambda value: isinstance(value, Mapping), "a dict"),
    "Sequence": Kind(is_sequence, "a list or tuple"),
}
"""The annotations that are checked, alone or with None; of several kinds the function says more itself."""


@cache
def kinds_of(annotation: object) -> tuple[Kind, ...]:
    """What an annotation lets in; nothing where it is not for `public` to check.

    >>> [kind.words for kind in kinds_of("Mapping[str, int] | None")], kinds_of("Array | str")
    (['a dict', 'None'], ())
    """
    parts = [part.partition("[")[0].strip() for part in annotation.split("|")] if isinstance(annotation, str) else []
    one = len([part for part in parts if part != "None"]) == 1
    return tuple(KINDS[part] for part in parts) if one and all(part in KINDS for part in parts) else ()


def public(function: Public, name: str = "") -> Public:
    """The function, or the class with its public methods, whose misuse is an error that says how it is called.

    >>> def half(x: float, *, exact: "bool" = False) -> float:
    ...     return x/2
    >>> half = public(half)
    >>> half(3)
    1.5
    >>> half(3, exakt=True)
    Traceback (most recent call last):
        ...
    indexcalc.errors.KindError: half(3, exakt=True): there is no keyword 'exakt'
      instead: did you mean 'exact'? It is half(x, *, exact=False)
    """
    if isinstance(function, type):
        for word, member in list(vars(function).items()):
            if isinstance(member, property) and member.fget is not None and not word.startswith("_"):
                setattr(function, word, property(_guarded(member.fget), doc=member.__doc__))
            elif isinstance(member, FunctionType) and not hasattr(member, "__wrapped__"):
                if word == "__call__" or not word.startswith("_"):
                    setattr(function, word, public(member))
                elif word in OPERATORS:
                    setattr(function, word, _guarded(member))
        return function
    code, checks = function.__code__, []
    for place, word in enumerate(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]):
        kinds = kinds_of(function.__annotations__.get(word))
        if kinds:
            keyword = word if place >= code.co_posonlyargcount else ""
            checks.append(Check(place if place < code.co_argcount else NOWHERE, keyword, word, kinds))
    if not checks and code.co_flags & ANYTHING == ANYTHING:
        return cast(Public, _guarded(function))
    made: Any = update_wrapper(_wrapped(function, name or function.__name__, tuple(checks)), function)
    return cast(Public, made)


def _wrapped(function: Callable[..., Any], name: str, checks: Sequence[Check]) -> Any:
    lets_in, misfit, absent, count, named_error, shown = _lets_in, _misfit, object(), len, IndexCalcError, brief

    def call(*args: Any, **named: Any) -> Any:
        try:
            for check in checks:
                place, keyword, _, kinds = check
                value = args[place] if place < count(args) else named.get(keyword, absent)
                if value is not absent and not lets_in(kinds, value):
                    break
            else:
                return function(*args, **named)
        except named_error as error:
            raise shown(error)  # noqa: B904
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:  # the function was entered
                raise
            found = None
        else:
            found = check, value
        raise misfit(function, name, args, named, found)

    return _at_home(call, function, name)


def _guarded(function: Callable[..., Any]) -> Any:
    """An operator or a property, called as it is; an error of the library points at the user's line."""
    named_error, shown = IndexCalcError, brief

    def call(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except named_error as error:
            raise shown(error)  # noqa: B904

    return update_wrapper(_at_home(call, function, function.__name__), function)


def _at_home(call: Any, function: Callable[..., Any], name: str) -> Any:
    """What stands in for a function: of its module, where examples are looked for; it reads no globals."""
    return FunctionType(call.__code__, function.__globals__, name, None, call.__closure__)


def _lets_in(kinds: Sequence[Kind], value: object) -> bool:
    return any(kind.lets_in(value) for kind in kinds)


def _misfit(
    function: Callable[..., Any],
    name: str,
    args: Sequence[Any],
    named: Mapping[str, Any],
    found: tuple[Check, object] | None,
) -> IndexCalcError:
    """The error of a call: a value of the wrong kind was found, or nothing, and the call does not fit the signature."""
    form = signature(function)
    parameters = list(form.parameters.values())
    method = bool(parameters) and parameters[0].name == "self"
    own = [one.replace(annotation=one.empty) for one in parameters[method:]]
    shown = f"{name}{form.replace(parameters=own, return_annotation=form.empty)}"
    given = [*map(repr, args[method:]), *(f"{word}={value!r}" for word, value in named.items())]
    owner = f"({args[0]})." if method and args else ""
    asked = Asked(lambda: f"{owner}{name}({', '.join(given)})")
    if found is not None:
        check, value = found
        words = " or ".join(kind.words for kind in check.kinds)
        text = f"{check.name} is {words}, not {shorten(repr(value))} ({type(value).__name__})"
        return KindError(asked, text, f"it is {shown}")
    keywords = [one.name for one in own if one.kind in BY_KEYWORD]
    unknown = [word for word in named if word not in keywords]
    if unknown and not any(one.kind is one.VAR_KEYWORD for one in own):
        close = did_you_mean(unknown[0], keywords)
        if (ours := KEYWORDS.get(unknown[0])) in keywords:
            close = f"did you mean {ours!r}?"
        instead = f"{close} It is {shown}" if close.startswith("did") else f"it is {shown}"
        return KindError(asked, f"there is no keyword {unknown[0]!r}", instead)
    try:
        form.bind(*args, **named)
    except TypeError as error:
        return KindError(asked, str(error), f"it is {shown}")
    return KindError(asked, "this is not how it is called", f"it is {shown}")
