r"""The question itself in a text: `d(x'x)/dx`, `∂y_j/∂W_ik`, `\frac{\partial}{\partial x}`, `∇_x f`, as tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexcalc.reading.tokens.stream import Stream, closing, renamed
from indexcalc.reading.tokens.words import Words

if TYPE_CHECKING:
    from lark import Token


def derivatives(text: str, found: list[Token], words: Words) -> list[Token]:
    """Derivatives as `PARTIAL f OVER x` and, where they stand before what is derived, `BY OVER x`."""
    stream, made = Stream(found), Stream()
    k = 0
    while k < len(stream):
        token = stream[k]
        head, mark, tail = str(token).partition("_")
        if token.type == "NAME" and head in ("grad", "gradient") and mark and tail and not words.known(str(token)):
            stream[k : k + 1] = [renamed(token, "NABLA", "∇"), renamed(token, "SUBSCRIPT", f"_{{{tail}}}")]
            token = stream[k]
        if token.type == "NABLA":
            k = _nabla(made, stream, k)
            continue
        end = _quotient(made, stream, k, words) if token.type in ("ROUND", "NAME") else k
        if end > k:
            k = end
            continue
        made.append(token)
        k += 1
    return made


def _symbol(stream: Stream, k: int, words: Words) -> tuple[list[Token], int] | None:
    """Does a differential begin here, `∂`, `d` or `dx`? What of the name is left, and the place after it."""
    if stream.kind(k) == "ROUND":
        return [], k + 1
    word = stream.text(k)
    if word == "d" and not words.known(word):  # a dimension may be called d; no tensor is
        return [], k + 1
    if stream.kind(k) != "NAME" or not word.startswith("d") or words.means(word):
        return None
    rest = renamed(stream[k], "NAME", word[1:])
    rest.start_pos = (stream[k].start_pos or 0) + 1
    return [rest], k + 1


def _times(stream: Stream, k: int) -> tuple[int, int]:
    """How often, as `^2` or `^{2}` says it, and the place after it."""
    if stream.kind(k) == "CARET" and stream.kind(k + 1) == "NUMBER":
        return int(float(stream.text(k + 1))), k + 2
    if stream.kind(k) == "CARET" and stream.kind(k + 1) == "LPAR" and stream.kind(k + 2) == "NUMBER":
        return int(float(stream.text(k + 2))), k + 4
    return 1, k


def _operand(stream: Stream, k: int) -> int:
    """The place after a name with its indices and arguments, or after brackets."""
    if stream.kind(k) == "LPAR":
        return closing(stream, k) + 1
    if stream.kind(k) not in ("NAME",):
        return k
    k += 1
    while stream.kind(k) in ("SUBSCRIPT", "LSQB", "LPAR"):
        k = k + 1 if stream.kind(k) == "SUBSCRIPT" else closing(stream, k) + 1
    return k


def _quotient(made: Stream, stream: Stream, k: int, words: Words) -> int:
    """A derivative that begins here: the place after it; k if there is none."""
    begun = _symbol(stream, k, words)
    if begun is None:
        return k
    start = stream[k]
    rest, place = begun
    _, place = _times(stream, place) if not rest else (1, place)
    top = list(rest)
    if rest:
        end = place
        while stream.kind(end) in ("SUBSCRIPT", "LSQB", "LPAR"):
            end = end + 1 if stream.kind(end) == "SUBSCRIPT" else closing(stream, end) + 1
    else:
        end = _operand(stream, place)
    top += stream[place:end]
    if stream.text(end) != "/":
        return k
    below = _below(stream, end + 1, words)
    if below is None:
        return k
    variables, after = below
    made.append(renamed(start, "PARTIAL" if top else "BY", str(start)))
    made += top
    for variable in variables:
        made.append(renamed(stream[end], "OVER", "/"))
        made += variable
    return after


def _below(stream: Stream, k: int, words: Words) -> tuple[list[list[Token]], int] | None:
    """What it is by, `∂x`, `∂x^2`, `∂x ∂y`, `(∂x ∂y)`, and the place after it."""
    if stream.kind(k) == "LPAR" and _symbol(stream, k + 1, words) is not None:
        inner = _below(stream, k + 1, words)
        return (inner[0], inner[1] + 1) if inner is not None and stream.kind(inner[1]) == "RPAR" else None
    variables: list[list[Token]] = []
    while (begun := _symbol(stream, k, words)) is not None:
        rest, place = begun
        end = place
        if rest:
            while stream.kind(end) in ("SUBSCRIPT", "LSQB"):
                end = end + 1 if stream.kind(end) == "SUBSCRIPT" else closing(stream, end) + 1
        else:
            end = _variable(stream, place)
        variable = [*rest, *stream[place:end]]
        if not variable:
            break
        count, k = _times(stream, end)
        if stream.kind(k) == "PRIME" and _symbol(stream, k + 1, words) is not None:
            k += 1  # ∂f/∂x'∂y: a layout, which the projection says
        variables += [variable] * count
    return (variables, k) if variables else None


def _variable(stream: Stream, k: int) -> int:
    """The place after a variable: a name with its indices, or `vec(X)`."""
    if stream.kind(k) == "LPAR":
        return closing(stream, k) + 1
    if stream.kind(k) != "NAME":
        return k
    vec = stream.text(k) == "vec" and stream.kind(k + 1) == "LPAR"
    k += 1
    while stream.kind(k) in ("SUBSCRIPT", "LSQB") or (vec and stream.kind(k) == "LPAR"):
        k = k + 1 if stream.kind(k) == "SUBSCRIPT" else closing(stream, k) + 1
    return k


def _nabla(made: Stream, stream: Stream, k: int) -> int:
    """`∇_x`, `∇²_x`, `∇_x^2`, `∇`."""
    start = stream[k]
    count, k = _times(stream, k + 1)
    names: list[Token] = []
    if stream.kind(k) == "SUBSCRIPT":
        inside = [name for name in stream.text(k)[2:-1].replace(",", " ").split() if name]
        names, k = [renamed(stream[k], "NAME", name) for name in inside], k + 1
    again, k = _times(stream, k)
    times = max(count, again)
    made.append(renamed(start, "BY", "∇" * (1 if names else times)))
    for name in names * times:
        made += [renamed(start, "OVER", "/"), name]
    return k
