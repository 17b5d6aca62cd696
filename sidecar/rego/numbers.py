"""Numbers as OPA knows them: decimal texts, exact integers, other arithmetic in 64-bit mantissas.

OPA keeps a number as the text it was written in (`json.Number`), compares texts exactly, computes
exactly while both operands are integers and in Go's `big.Float` at its default precision otherwise
(topdown/arithmetic.go, topdown/builtins/builtins.go). So `0.1 + 0.2` is `0.3` there, and a Python
float would answer something else.

Here a number is
    int        every integral value, of any size
    float      every other value whose shortest repr is the decimal meant (all that JSON usually holds),
               and integral ones written as such a repr: `1.0` is shown as it was written, as OPA does
    Decimal    what is left: texts with more digits than a double can tell apart

`normal()`, `parse()` and `from_float()` are the only doors to that invariant.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import floor, isfinite, trunc

from .errors import BuiltinError

Number = int | float | Decimal

MANTISSA_BITS = 64
MAX_EXPONENT = 5000  # OPA computes 1e5000 happily; past this a number is an attack on memory, not a value
EXACT_FLOAT = 2.0**53


def normal(value: Decimal) -> Number:
    """The representation of `value` that the room uses for it."""
    if value == value.to_integral_value():
        return int(value)
    near = float(value)
    return near if isfinite(near) and Decimal(repr(near)) == value else value


def parse(text: str) -> Number:
    """A JSON number text as a number. Raises ValueError for anything else."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError("not a number") from None
    if not value.is_finite() or abs(value.adjusted()) > MAX_EXPONENT:
        raise ValueError("number out of range")
    if len(value.as_tuple().digits) > MAX_EXPONENT:
        raise ValueError("number out of range")
    near = float(text)
    exact = not near.is_integer() or near == value  # `1e+23` as a double is another number
    return near if repr(near) == text and exact else normal(value)


def from_float(value: float) -> Number:
    """What OPA would read after `value` went over the wire: its shortest text, not its binary value."""
    return parse(repr(value))


def is_number(value: object) -> bool:
    return type(value) is int or type(value) is float or type(value) is Decimal


def decimal_of(value: Number) -> Decimal:
    return Decimal(repr(value)) if type(value) is float else Decimal(value)


def whole(value: Number) -> int | None:
    """`value` as an int where it is integral (`1.0` is), else None: builtins.NumberToInt."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value) if abs(value) <= EXACT_FLOAT else int(decimal_of(value))
    return None


def text_of(value: Number) -> str:
    """The number's text: of a float as JSON writers spell it, of a Decimal, which OPA computed, as Go does.

    A computed double of a million or more is the one that may be spelled otherwise: Go writes `1.5e+06`.
    """
    return go_g(value) if isinstance(value, Decimal) else repr(value)


def go_g(value: Decimal) -> str:
    """Go's shortest `g`: exponent form below 1e-4 and from 1e6 on (strconv/ftoa.go, `%e is used if`)."""
    sign, digits, _ = value.normalize().as_tuple()
    body = "".join(map(str, digits))
    point = value.adjusted()
    minus = "-" if sign else ""
    if point < -4 or point >= 6:
        mantissa = body[0] + ("." + body[1:] if len(body) > 1 else "")
        return f"{minus}{mantissa}e{'-' if point < 0 else '+'}{abs(point):02d}"
    return minus + format(abs(value.normalize()), "f")


# --- 64-bit mantissas -------------------------------------------------------------------------------


def rounded(value: Fraction) -> Fraction:
    """`value` rounded to a 64-bit mantissa, ties to even, as `big.Float` does."""
    if not value:
        return value
    size = abs(value.numerator).bit_length() - value.denominator.bit_length()
    shift = MANTISSA_BITS - size
    for scale in (shift + 1, shift, shift - 1):
        scaled = value * Fraction(2) ** scale
        mantissa = round(scaled)
        if abs(mantissa).bit_length() <= MANTISSA_BITS:
            return Fraction(mantissa) / Fraction(2) ** scale
    return Fraction(round(value * Fraction(2) ** (shift - 2))) / Fraction(2) ** (shift - 2)


def to_big(value: Number) -> Fraction:
    """builtins.NumberToFloat."""
    return rounded(Fraction(value) if type(value) is int else Fraction(decimal_of(value)))


def from_big(value: Fraction) -> Number:
    """builtins.FloatToNumber: the shortest decimal that reads back as the same 64-bit mantissa."""
    if not value:
        return 0
    size = abs(value)
    exponent = floor_log2(size) - MANTISSA_BITS  # of half a unit in the last place
    mantissa = int(size / Fraction(2) ** exponent)
    digits, point = shortest(mantissa, exponent)
    decimal = Decimal(digits).scaleb(point - len(digits))
    return normal(decimal if value > 0 else -decimal)


def floor_log2(value: Fraction) -> int:
    guess = value.numerator.bit_length() - value.denominator.bit_length()
    return guess if Fraction(2) ** guess <= value else guess - 1


def exact_digits(mantissa: int, exponent: int) -> tuple[str, int]:
    """`mantissa * 2**exponent` as digits without trailing zeros and the place of the point before them."""
    if exponent >= 0:
        digits, shift = str(mantissa << exponent), 0
    else:
        digits, shift = str(mantissa * 5**-exponent), exponent
    return digits.rstrip("0"), len(digits) + shift


def shortest(mantissa: int, exponent: int) -> tuple[str, int]:
    """roundShortest of math/big/ftoa.go, step by step: of several shortest texts OPA shows this one.

    `mantissa` counts halves of a unit in the last place, so the bounds are one less and one more.
    """
    digits, point = exact_digits(mantissa, exponent)
    lower, upper = exact_digits(mantissa - 1, exponent)[0], exact_digits(mantissa + 1, exponent)[0]
    inclusive = not mantissa & 2
    for at, digit in enumerate(digits):
        low, high = lower[at : at + 1] or "0", upper[at : at + 1] or "0"
        down = low != digit or (inclusive and at + 1 == len(lower))
        up = digit != high and (inclusive or chr(ord(digit) + 1) < high or at + 1 < len(upper))
        if up and (not down or rounds_up(digits, at + 1)):
            return raised(digits[: at + 1], point)
        if down:
            return digits[: at + 1], point
    return digits, point


def rounds_up(digits: str, kept: int) -> bool:
    """Half to even, on decimal digits."""
    rest = digits[kept:]
    if rest == "5":
        return digits[kept - 1] in "13579"
    return rest[:1] >= "5"


def raised(digits: str, point: int) -> tuple[str, int]:
    more = str(int(digits) + 1)
    return more, point + len(more) - len(digits)


# --- arithmetic -------------------------------------------------------------------------------------


def add(a: Number, b: Number) -> Number:
    x, y = whole(a), whole(b)
    if x is not None and y is not None:
        return x + y
    return from_big(rounded(to_big(a) + to_big(b)))


def subtract(a: Number, b: Number) -> Number:
    x, y = whole(a), whole(b)
    if x is not None and y is not None:
        return x - y
    return from_big(rounded(to_big(a) - to_big(b)))


def multiply(a: Number, b: Number) -> Number:
    x, y = whole(a), whole(b)
    if x is not None and y is not None:
        return bounded(x * y)
    return from_big(rounded(to_big(a) * to_big(b)))


def bounded(value: int) -> int:
    if value.bit_length() > MAX_EXPONENT * 4:
        raise BuiltinError("number out of range")
    return value


def divide(a: Number, b: Number) -> Number:
    divisor = to_big(b)
    if not divisor:
        raise BuiltinError("divide by zero")
    return from_big(rounded(to_big(a) / divisor))


def remainder(a: Number, b: Number) -> Number:
    """Go's `Rem`: truncated, the sign follows the dividend."""
    x, y = whole(a), whole(b)
    if x is None or y is None:
        raise BuiltinError("modulo on floating-point number")
    if not y % 2**64:  # OPA asks the lower 64 bits
        raise BuiltinError("modulo by zero")
    rest = abs(x) % abs(y)
    return rest if x >= 0 else -rest


def round_half_away(a: Number) -> Number:
    value = to_big(a)
    half = Fraction(1, 2)
    rest = floor(rounded(abs(value) + half))
    return rest if value >= 0 else -rest


def ceiling(a: Number) -> Number:
    """As OPA: anything between -1 and 0 gives 1, for its truncation loses the sign (arithCeil)."""
    value = to_big(a)
    cut = trunc(value)
    return cut if cut < 0 or cut == value else cut + 1


def flooring(a: Number) -> Number:
    """As OPA: anything between -1 and 0 gives 0 (arithFloor)."""
    value = to_big(a)
    cut = trunc(value)
    return cut if cut >= 0 or cut == value else cut - 1


def absolute(a: Number) -> Number:
    exact = whole(a)
    return abs(exact) if exact is not None and abs(exact) < 2**64 else from_big(abs(to_big(a)))
