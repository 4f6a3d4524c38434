"""What a plan's data is worth: one record, and its plain JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .figure import UNKNOWN, Figure
from .gates import Gate
from .making import Making
from .parts import Part
from .stock import STOCK, USED_UP

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Loss:
    """A predicted loss.

    Attributes:
        law: Who fitted the law.
        loss: Nats a token; the band is that of the tokens. Unknown where there are so few tokens
            that the law predicts more than guessing costs.
        equivalent: New tokens of web text that come to the same loss under this law.
        optimal: Tokens of the run for which a model of this size is optimal; None where the law
            does not say.
        suited: Parameters of the model for which so many new tokens are optimal, likewise.
    """

    law: str
    loss: Figure
    equivalent: Figure
    optimal: float | None = None
    suited: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        shown = {"loss": self.loss.to_json(), "equivalent": self.equivalent.to_json()}
        best = {"optimal_tokens": self.optimal, "suited_parameters": self.suited}
        return {"law": self.law, **shown, **best}


@dataclass(frozen=True, slots=True)
class Worth:
    """What a plan's data is worth.

    Attributes:
        student: Parameters of the model to be trained.
        assumed: Whether nobody said so.
        mixed: Whether the recipe mixes parts; else the parts are what leaves the graph.
        parts: Of the data set.
        tokens: Tokens trained on, repetitions included.
        unique: Those that are no repetition.
        effective: New tokens of web text that are worth as much: equivalent real tokens.
        speed_up: `effective` by `tokens`: new tokens that a token is worth.
        losses: Predicted loss of the student, by law.
        extrapolated: What lies outside of what the laws were fitted on, each in a sentence.
        human_share: Share of tokens that people wrote.
        least_human: `min_human` of the mix; None without one.
        synthetic_share: The rest.
        beside: The synthetic share beside those on record, in words.
        floor: p₂² of strong collapse: a displayed risk, in no loss.
        gates: Checks, and what is known of them.
        making: Cost of what models write; None where no model is asked.
        stock: Share of the public human text that the unique tokens of people are.
        caveats: What is unfitted, extrapolated or unknown, each in a sentence.
    """

    student: float
    assumed: bool
    mixed: bool
    parts: tuple[Part, ...] = ()
    tokens: Figure = UNKNOWN
    unique: Figure = UNKNOWN
    effective: Figure = UNKNOWN
    speed_up: Figure = UNKNOWN
    losses: tuple[Loss, ...] = ()
    extrapolated: tuple[str, ...] = ()
    human_share: Figure = UNKNOWN
    least_human: float | None = None
    synthetic_share: Figure = UNKNOWN
    beside: str = ""
    floor: Figure = UNKNOWN
    gates: tuple[Gate, ...] = ()
    making: Making | None = None
    stock: Figure = UNKNOWN
    caveats: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON: each number as `{value, low, high, origin}`."""
        return {
            "mashbill_worth": FORMAT,
            "student": {"parameters": self.student, "assumed": self.assumed},
            "parts": [part.to_json() for part in self.parts],
            "tokens": self.tokens.to_json(),
            "unique": self.unique.to_json(),
            "effective": self.effective.to_json(),
            "speed_up": self.speed_up.to_json(),
            "losses": [loss.to_json() for loss in self.losses],
            "extrapolated": list(self.extrapolated),
            "human_share": {**self.human_share.to_json(), "least": self.least_human},
            "synthetic_share": {**self.synthetic_share.to_json(), "published": self.beside},
            "collapse_floor": self.floor.to_json(),
            "gates": [gate.to_json() for gate in self.gates],
            "making": self.making.to_json() if self.making else None,
            "stock": {
                "share": self.stock.to_json(),
                "tokens": STOCK.to_json(),
                "used_up": list(USED_UP),
            },
            "caveats": list(self.caveats),
        }
