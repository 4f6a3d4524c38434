r"""From an undressed expression to its exact value: `2\frac{1}{3}`, `3x^2 - \sqrt{8}`, `4!/2`.

A small precedence climber over LaTeX and plain notation. What has two readings (`1/2x`) is not
read: a wrong reading could call two values equal.
"""

from __future__ import annotations

import re
from fractions import Fraction

from .algebra import TooLargeError, UnreadError, Value, atom, number
from .functions import (
    FUNCTIONS,
    absolute,
    binomial,
    ceiling,
    degrees,
    factorial,
    floor,
    log,
    power,
)
from .lexing import Token, tokens_of
from .names import ALIASES, CONSTANTS, GREEK, INVERSES, WORDS
from .roots import root

MAX_DEPTH = 40
_MAX_EXPONENT = 5_000

_SCIENTIFIC = re.compile(r"[eE]([+-]?\d{1,5})(?![\d.])")

_DERIVATIVE = re.compile(
    r"(?<![A-Za-z])d[A-Za-z]?\s*/\s*d[A-Za-z]|\\frac\s*\{?\s*d(?:\s*\^\s*\{?\w+\}?)?\s*[A-Za-z]?\s*\}?\s*\{?\s*d\s*[A-Za-z]"
)

_MULTIPLY = {"*", r"\cdot", r"\times", r"\ast"}
_DIVIDE = {"/", r"\div"}
_OPENING = {
    "(": ")", "[": "]", "{": "}", r"\lfloor": r"\rfloor", r"\lceil": r"\rceil", r"\{": r"\}",
    "|": "|", r"\lvert": r"\rvert", r"\|": r"\|",
}  # fmt: skip
_GROUPS = ("(", "[", "{")


def evaluate(text: str) -> Value:
    """The exact value of an expression.

    Raises:
        UnreadError: If it is none, has two readings, or is too large to compute.
    """
    if "d" in text and _DERIVATIVE.search(text):
        raise UnreadError("a derivative")
    parser = _Parser(text)
    value = parser.sum()
    if parser.at < len(parser.tokens):
        raise UnreadError(f"`{parser.tokens[parser.at].text}` is not expected here")
    return value


class _Parser:
    """One pass over the tokens; each method reads one level of precedence."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.at = 0
        self.depth = 0
        self.bars = 0

    # -- tokens

    @property
    def next(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def take(self) -> Token:
        if self.at >= len(self.tokens):
            raise UnreadError("the expression ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, text: str) -> None:
        if self.at < len(self.tokens) and self.next != text:
            raise UnreadError(f"`{text}` is missing")
        self.at += 1  # one that is missing at the very end is forgiven

    # -- levels

    def sum(self) -> Value:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooLargeError("nested too deeply")
        made = self.product()
        while self.next in ("+", "-"):
            sign = self.take().text
            term = self.product()
            made = made + term if sign == "+" else made - term
        self.depth -= 1
        return made

    def product(self) -> Value:
        if self.next in ("+", "-"):
            sign = self.take().text
            if self.next in ("+", "-"):
                raise UnreadError("two signs in a row")
            made = self.product()
            return -made if sign == "-" else made
        made = self.juxtaposed()
        while self.next in _MULTIPLY or self.next in _DIVIDE:
            sign = self.take().text
            negative = self.next == "-"
            if self.next in ("+", "-"):
                self.take()
            start = self.at
            factor = self.power()
            if self.starts_factor():
                if sign in _DIVIDE:
                    raise UnreadError(f"`/{self.tokens[start].text}…` has two readings")
                factor = self.juxtaposed(factor)
            factor = -factor if negative else factor
            made = made / factor if sign in _DIVIDE else made * factor
        return made

    def juxtaposed(self, first: Value | None = None) -> Value:
        r"""A product without signs: `3ab`, `2\frac{1}{3}` as a mixed number."""
        start = self.at
        made = self.power() if first is None else first
        previous = self.tokens[start : self.at]
        while self.starts_factor():
            start = self.at
            token = self.tokens[start]
            if token.kind == "number":
                if not _is_whole(previous):
                    raise UnreadError("a number right after another")
                made = self.mixed(made)
            else:
                factor = self.power()
                if token.text == r"\frac" and _is_whole(previous):
                    made = _mixed(made, factor)
                else:
                    made = made * factor
            previous = self.tokens[start : self.at]
        return made

    def mixed(self, whole: Value) -> Value:
        """`2 1/3`: a whole number, then a fraction of whole numbers."""
        top, slash, bottom = (self.take() for _ in range(3))
        if slash.text != "/" or not (top.text.isdigit() and bottom.text.isdigit()):
            raise UnreadError("a number right after another")
        if self.starts_factor() or self.next == "^" or int(bottom.text) == 0:
            raise UnreadError("a mixed number that goes on")
        return _mixed(whole, number(Fraction(int(top.text), int(bottom.text))))

    def starts_factor(self) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        if token.text in ("|", r"\|"):
            return not self.bars
        if token.text in _MULTIPLY or token.text in _DIVIDE or token.text == r"\}":
            return False
        closing = (r"\rfloor", r"\rceil", r"\rvert", r"\rangle")
        if token.kind == "command":
            return token.text not in closing
        return token.kind in ("number", "name") or token.text in _GROUPS

    def power(self) -> Value:
        made = self.postfix(self.primary())
        if self.next in ("^", "**"):
            self.take()
            if self.next == r"\circ":
                self.take()
                return self.postfix(degrees(made))
            made = self.postfix(power(made, self.exponent()))
            if self.next in ("^", "**"):
                raise UnreadError("two exponents")
        return made

    def exponent(self) -> Value:
        """What stands after `^`; a tower associates to the right."""
        if self.next in ("-", "+"):
            negative = self.take().text == "-"
            value = self.exponent()
            return -value if negative else value
        value = self.argument() if self.next == "{" else self.primary()
        if self.next in ("^", "**"):
            self.take()
            return power(value, self.exponent())
        return value

    def postfix(self, value: Value) -> Value:
        while self.next in ("!", "%"):
            sign = self.take().text
            value = factorial(value) if sign == "!" else value / number(100)
        return value

    # -- primaries

    def primary(self) -> Value:
        token = self.take()
        if token.kind == "number":
            return self.numeral(token)
        if token.kind == "name":
            return self.name(token)
        if token.kind == "command" and token.text not in _OPENING:
            return self.command(token.text[1:])
        closing = _OPENING.get(token.text)
        if closing is None or token.text == r"\{":
            raise UnreadError(f"`{token.text}` is not expected here")
        bar = token.text in ("|", r"\|", r"\lvert")
        self.bars += bar
        inner = self.sum()
        self.bars -= bar
        self.expect(closing)
        if bar:
            return absolute(inner)
        rounded = {r"\lfloor": floor, r"\lceil": ceiling}.get(token.text)
        return rounded(inner) if rounded else inner

    def numeral(self, token: Token) -> Value:
        digits = token.text.replace(",", "")
        value = Fraction(digits)
        after = _SCIENTIFIC.match(self.text, token.end)
        if after and self.next[:1] in ("e", "E"):
            exponent = int(after[1])
            signed = after[1][0] in "+-" and len(after[1]) < 3 and self.next[:1] == "e"
            if signed and "." not in token.text and digits != "1":
                raise UnreadError(f"`{self.text[token.start : after.end()]}` has two readings")
            if abs(exponent) > _MAX_EXPONENT:
                raise TooLargeError("a power too high")
            while self.at < len(self.tokens) and self.tokens[self.at].start < after.end():
                self.at += 1
            return number(value * Fraction(10) ** exponent)
        if token.text.endswith(".") or self.next == "_":
            return self.based(token)
        if self.next == r"\overline" and "." in self.text[: self.tokens[self.at].start]:
            raise UnreadError("a repeating decimal inside an expression")
        return number(value)

    def based(self, token: Token) -> Value:
        """`1011_2`, `2516_{8}`: a number in a base."""
        self.take()
        base = self.argument().rational
        if base is None or not 2 <= base <= 36 or base.denominator != 1 or "." in token.text:
            raise UnreadError("a base that is none")
        try:
            return number(int(token.text.replace(",", ""), int(base)))
        except ValueError:
            raise UnreadError(f"{token.text} is no number in base {base}") from None

    def name(self, token: Token) -> Value:
        word = token.text
        low = ALIASES.get(word, word)
        if low in FUNCTIONS and len(low) > 1:
            return self.function(low)
        if word.lower() in CONSTANTS:
            return atom(CONSTANTS[word.lower()])
        if word.lower() in GREEK and len(word) > 2:
            return self.subscripted(word)
        for function in ("sqrt", "pi"):  # `2sqrt`, `xpi` are split by the lexer's letters alone
            if word.endswith(function) and len(word) > len(function) and len(word) < 7:
                made = self.letters(word[: -len(function)])
                tail = self.function("sqrt") if function == "sqrt" else atom("pi")
                return made * tail
        if len(word) > 3 or word.lower() in WORDS:
            raise UnreadError(f"`{word}` is a word")
        made = self.letters(word[:-1]) * self.subscripted(word[-1])
        if self.next == "^" and len(word) > 1:  # the power belongs to the last letter
            self.take()
            last = self.subscripted(word[-1])
            return self.letters(word[:-1]) * power(last, self.exponent())
        return made

    def letters(self, word: str) -> Value:
        made = number(1)
        for letter in word:
            made *= _letter(letter)
        return made

    def subscripted(self, name: str) -> Value:
        while self.next == "'":
            self.take()
            name += "'"
        if self.next != "_":
            return _letter(name)
        self.take()
        if self.next == "{":
            start = self.tokens[self.at].end
            depth = 0
            while True:
                token = self.take()
                depth += {"{": 1, "}": -1}.get(token.text, 0)
                if not depth:
                    inner = self.text[start : token.start]
                    break
        else:
            inner = self.take().text
        return atom(f"{name}_{''.join(c for c in inner if c.isalnum())}")

    def command(self, name: str) -> Value:
        if name in ("frac", "over"):
            top, bottom = self.argument(), self.argument()
            return top / bottom
        if name == "sqrt":
            degree = 2
            if self.next == "[":
                self.take()
                given = self.sum().rational
                self.expect("]")
                if given is None or given.denominator != 1:
                    raise UnreadError("a root of no whole degree")
                degree = given.numerator
            return root(self.argument(), degree)
        if name in ("binom", "dbinom", "tbinom"):
            return binomial(self.argument(), self.argument())
        name = ALIASES.get(name, name)
        if name in FUNCTIONS:
            return self.function(name)
        if name in CONSTANTS:
            return atom(CONSTANTS[name])
        if name in GREEK:
            return self.subscripted({"varepsilon": "epsilon", "varphi": "phi"}.get(name, name))
        raise UnreadError(f"`\\{name}` is not known")

    def function(self, name: str) -> Value:
        exponent: Value | None = None
        base: Value | None = None
        if self.next == "_" and name == "log":
            self.take()
            base = self.argument()
        if self.next == "^":
            self.take()
            exponent = self.exponent()
        inner = self.application(name)
        inverse = exponent is not None and exponent.rational == -1
        if inverse and name in INVERSES:
            return FUNCTIONS[INVERSES[name]](inner)
        if inverse:
            raise UnreadError(f"`{name}^-1` has two readings")
        made = log(inner, base) if base is not None else FUNCTIONS[name](inner)
        return power(made, exponent) if exponent is not None else made

    def application(self, name: str) -> Value:
        """The argument of a function: in brackets, or all factors up to the next sign."""
        if self.next in _GROUPS or self.next in ("|", r"\lvert"):
            return self.primary()
        if name in ("sqrt", "cbrt", "exp", "abs", "floor", "ceil", "factorial"):
            return self.argument()
        if self.next == "-":
            self.take()
            return -self.application(name)
        made = self.power()
        while self.starts_factor() and not self.starts_function():
            if self.next in _GROUPS:
                raise UnreadError(f"where the argument of `{name}` ends is not clear")
            made *= self.power()
        return made

    def starts_function(self) -> bool:
        name = self.next.lstrip("\\")
        return ALIASES.get(name, name) in FUNCTIONS and self.next != r"\sqrt" and len(name) > 1

    def argument(self) -> Value:
        r"""What a command takes: a group, a digit (`\frac12`), a letter or a command."""
        token = self.take()
        if token.text == "{":
            value = self.sum()
            self.expect("}")
            return value
        if token.text == "(":
            self.at -= 1
            return self.primary()
        if token.kind in ("number", "name") and len(token.text) > 1:
            if token.kind == "name" or not token.text.isdigit():
                raise UnreadError("an argument without braces")
            # `\frac12` and `\sqrt23` take one digit; what is left is a token again.
            before = self.tokens[self.at - 2].text if self.at > 1 else ""
            spaced = token.start > 0 and self.text[token.start - 1] == " "
            if spaced and before in (r"\sqrt", "sqrt", "_"):
                return number(int(token.text))
            rest = Token("number", token.text[1:], token.start + 1, token.end)
            self.tokens.insert(self.at, rest)
            return number(int(token.text[0]))
        if token.kind == "number":
            return number(int(token.text))
        if token.kind == "name":
            return _letter(token.text)
        if token.kind == "command" and token.text not in _OPENING:
            return self.command(token.text[1:])
        raise UnreadError("an argument is missing")


def _letter(name: str) -> Value:
    return atom(name)


def _is_whole(tokens: list[Token]) -> bool:
    return len(tokens) == 1 and tokens[0].text.isdigit()


def _mixed(whole: Value, part: Value) -> Value:
    share = part.rational
    if share is None or not 0 < share < 1:
        raise UnreadError("a mixed number that has two readings")
    return whole + part
