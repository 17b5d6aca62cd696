"""sprintf with Go's verbs (package fmt), over the argument types OPA hands it: int, float64, string.

Composites, booleans and null arrive as their Rego text, hence as strings (topdown/strings.go). Mistakes
do not fail: like Go, they print `%!d(string=x)`, `%!d(BADINDEX)`, `%!d(MISSING)` or `%!(EXTRA ...)`. What is spelled
too oddly to be told what Go makes of it has no answer (`rare`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from math import copysign
from typing import Final

from sidecar.rego.errors import BuiltinError
from sidecar.rego.numbers import go_g, is_number, text_of
from sidecar.rego.runtime import Run
from sidecar.rego.values import Value

from .operands import INT64, array, room, string
from .text import go_quote, rego_text

Builtin = Callable[..., Value]
Argument = int | float | str

_DIRECTIVE: Final = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<at>\[\d+\])?(?P<width>\*|\d+)?"
    r"(?:\.(?P<at2>\[\d+\])?(?P<precision>\*|\d*))?(?P<at3>\[\d+\])?(?P<verb>.)?",
    re.DOTALL,
)
MAX_WIDTH: Final = 10_000  # Go's own limit is a million; a policy that pads so far gets no answer


def sprintf(run: Run, template: Value, values: Value) -> Value:
    form, given = string(template, 1), [argument(value) for value in array(values, 2)]
    run.spend(len(given))
    return _Printer(form, given).text()


def argument(value: Value) -> Argument:
    """What the Go function receives: a float only where the number's text has a dot."""
    if type(value) is str:
        return value
    if not is_number(value):
        return rego_text(value)
    if type(value) is int:
        return value
    text = text_of(value)
    return float(value) if "." in text else text


class _Printer:
    def __init__(self, form: str, given: list[Argument]) -> None:
        self.form, self.given = form, given
        self.next = 0
        self.reordered = False
        self.parts: list[str] = []

    def text(self) -> str:
        at = 0
        while (start := self.form.find("%", at)) >= 0:
            self.put(self.form[at:start])
            match = _DIRECTIVE.match(self.form, start)
            assert match is not None
            self.put(self.directive(match))
            at = match.end()
        self.put(self.form[at:])
        if not self.reordered and self.next < len(self.given):
            self.put(self.extra())
        return "".join(self.parts)

    def put(self, text: str) -> None:
        self.parts.append(text)
        room(sum(map(len, self.parts[-1:])))

    def extra(self) -> str:
        rest = (f"{type_of(value)}={plain(value)}" for value in self.given[self.next :])
        return "%!(EXTRA " + ", ".join(rest) + ")"

    def directive(self, match: re.Match[str]) -> str:
        verb, flags = match["verb"], match["flags"]
        if verb is None:
            return "%!(NOVERB)"
        good = self.seek(match["at"])
        sized = match["precision"] is not None or bool(match["width"])
        rare(match["at"] is not None and sized and match["width"] != "*")
        width = self.size(match["width"])
        if width < 0:
            flags, width = flags + "-", -width
        good = self.seek(match["at2"]) and good
        precision = None if match["precision"] is None else self.size(match["precision"] or "0")
        rare(precision is not None and precision < 0)
        good = self.seek(match["at3"]) and good
        if verb == "%":
            return "%"
        if not good:
            return f"%!{verb}(BADINDEX)"
        if self.next >= len(self.given):
            return f"%!{verb}(MISSING)"
        value = self.given[self.next]
        self.next += 1
        room(width + (precision or 0))
        if isinstance(value, int) and "0" in flags:
            rare("#" in flags or verb in "OU")
            flags = flags if precision is None or verb in "cqT" else flags.replace("0", "")
        return padded(render(value, verb, flags, precision, width), flags, width, verb)

    def seek(self, index: str | None) -> bool:
        if not index:
            return True
        self.reordered = True
        wanted = int(index[1:-1]) - 1
        if not 0 <= wanted < len(self.given):
            return False
        self.next = wanted
        return True

    def size(self, text: str | None) -> int:
        if text != "*":
            return allowed(int(text or 0))
        value = self.given[self.next] if self.next < len(self.given) else ""
        self.next += 1
        rare(not isinstance(value, int))
        return allowed(int(value))


def rare(odd: bool) -> None:
    if odd:
        raise BuiltinError("format not available here")


def allowed(width: int) -> int:
    if abs(width) > MAX_WIDTH:
        raise BuiltinError("width too large")
    return width


def type_of(value: Argument) -> str:
    if isinstance(value, int):
        return "int64" if -INT64 <= value < INT64 else "*big.Int"
    return "float64" if isinstance(value, float) else "string"


def plain(value: Argument) -> str:
    return render(value, "v", "", None, 0)


def padded(text: str, flags: str, width: int, verb: str) -> str:
    if len(text) >= width:
        return text
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and not text.startswith("%!"):
        sign = text[:1] if text[:1] in "+- " and verb not in "sq" else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def render(value: Argument, verb: str, flags: str, precision: int | None, width: int) -> str:
    if verb == "T":
        return type_of(value)[:precision]
    rare(verb == "q" and "+" in flags)
    if verb == "v" and type_of(value) != "*big.Int":
        flags = flags.replace("+", "")
    if isinstance(value, str):
        result = of_string(value, verb, flags, precision)
    elif isinstance(value, int):
        result = of_integer(value, verb, flags, precision)
    else:
        result = of_float(value, verb, flags, precision)
    if result is None:
        rare(bool(flags or width) or precision is not None)  # Go writes the value by them, in its brackets
        return f"%!{verb}({type_of(value).lstrip('*')}={plain(value)})"
    return result


def of_string(value: str, verb: str, flags: str, precision: int | None) -> str | None:
    cut = value if precision is None else value[:precision]
    if verb in "sv":
        return go_quote(cut) if verb == "v" and "#" in flags else cut
    if verb == "q":
        rare("#" in flags and not cut.isprintable())
        return f"`{cut}`" if "#" in flags and "`" not in cut else go_quote(cut)
    if verb in "xX":
        rare(" " in flags and "#" in flags)
        octets = value.encode("utf-8", "surrogatepass")[:precision]
        digits = octets.hex(" ") if " " in flags else octets.hex()
        return _case(("0x" if "#" in flags and digits else "") + digits, verb)
    return None


def _case(text: str, verb: str) -> str:
    return text.upper() if verb == "X" else text


def of_integer(value: int, verb: str, flags: str, precision: int | None) -> str | None:
    if precision == 0 and value == 0 and verb in "dvboxXO":
        return ""
    if verb in "dvbox" or verb in "XO":
        return signed(value, integer_digits(abs(value), verb, flags, precision), flags)
    big = not -INT64 <= value < INT64
    if verb == "s" and big:  # big.Int formats itself (math/big, Int.Format)
        return signed(value, integer_digits(abs(value), "d", flags, precision), flags)
    if verb in "cqU" and not big:
        rare(verb == "U" and (value < 0 or bool(flags.strip("-")) or precision is not None))
        return of_rune(value, verb)
    return None


def integer_digits(value: int, verb: str, flags: str, precision: int | None) -> str:
    base = {"d": "d", "v": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "x"}[verb]
    rare(verb == "O" and "#" in flags)
    digits = format(value, base).rjust(precision or 0, "0")
    prefix = {"x": "0x", "X": "0x", "b": "0b", "o": "0" * (digits[0] != "0")}.get(verb, "") if "#" in flags else ""
    return _case(("0o" if verb == "O" else prefix) + digits, verb)


def of_rune(value: int, verb: str) -> str:
    char = chr(value) if 0 <= value <= 0x10FFFF and not 0xD800 <= value < 0xE000 else "\ufffd"
    if verb == "c":
        return char
    if verb == "q":
        quoted = go_quote(char)[1:-1].replace('\\"', '"')
        return "'" + ("\\'" if char == "'" else quoted) + "'"
    return f"U+{value:04X}"


def signed(value: float, digits: str, flags: str) -> str:
    if copysign(1, value) < 0:
        return "-" + digits
    return ("+" if "+" in flags else " " if " " in flags else "") + digits


def of_float(value: float, verb: str, flags: str, precision: int | None) -> str | None:
    rare(verb in "bxX" or "#" in flags)
    if verb in "fF":
        return signed(value, format(abs(value), f".{6 if precision is None else precision}f"), flags)
    if verb in "eE":
        text = format(abs(value), f".{6 if precision is None else precision}e")
        return signed(value, text.upper() if verb == "E" else text, flags)
    if verb in "gGv":
        text = shortest(abs(value)) if precision is None else format(abs(value), f".{precision or 1}g")
        return signed(value, text.upper() if verb == "G" else text, flags)
    return None


def shortest(value: float) -> str:
    """`%v` of a float64: shortest digits, exponent form below 1e-4 and from 1e6 on."""
    return "0" if not value else go_g(Decimal(repr(value)))


TABLE: dict[str, Builtin] = {"sprintf": sprintf}
