"""The shape of a model: what its weights and its cache of keys and values weigh."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder with grouped-query attention.

    Attributes:
        name: What to call it.
        layers: Of the decoder.
        hidden: Width between them.
        heads: Query heads.
        kv_heads: Heads of keys and values.
        head_dim: Width of a head.
        inner: Width inside the feed-forward part; of one expert, where there are several.
        vocabulary: Tokens that it knows.
        tied: Whether the embedding is the output layer too.
        experts: Experts of a layer; 1 for a dense model.
        used_experts: Of these, those that a token passes through.
        gated: Whether the feed-forward part has three matrices rather than two.
        cached_layers: Layers that keep keys and values; None for all.
        context: Tokens that it was made for; None where nothing is said.
        weight_bytes: Of the files of its weights; None where they were not seen.
        bits: Of a weight as stored; 16 unless it is quantised.
    """

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    inner: int
    vocabulary: int
    tied: bool = False
    experts: int = 1
    used_experts: int = 1
    gated: bool = True
    cached_layers: int | None = None
    context: int | None = None
    weight_bytes: float | None = None
    bits: float = 16

    @property
    def parameters(self) -> float:
        """Numbers in its weights; norms and biases, well under 1 %, are left out."""
        return self._outside + self.layers * (self._attention + self.experts * self._expert)

    @property
    def active(self) -> float:
        """Of these, those that a token is multiplied with; the embedding is looked up."""
        passed = self.layers * (self._attention + self.used_experts * self._expert)
        return passed + self.vocabulary * self.hidden

    def weights(self, bits: float | None = None) -> float:
        """Bytes of its weights: of the files, or reckoned at so many bits a number.

        Args:
            bits: That the engine loads them at; None for as they are stored.
        """
        if self.weight_bytes is not None and bits is None:
            return self.weight_bytes
        return self.parameters * (bits or self.bits) / 8

    def kv_bytes(self, width: float = 2.0) -> float:
        """Bytes of keys and values of one token, each number `width` bytes wide.

        Sliding windows are ignored: engines set aside less for the layers that have one.
        """
        layers = self.layers if self.cached_layers is None else self.cached_layers
        return 2 * layers * self.kv_heads * self.head_dim * width

    @property
    def _outside(self) -> float:
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def _attention(self) -> float:
        return 2 * self.hidden * self.head_dim * (self.heads + self.kv_heads)

    @property
    def _expert(self) -> float:
        return (3 if self.gated else 2) * self.hidden * self.inner
