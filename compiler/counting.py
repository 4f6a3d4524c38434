"""Token counts in expressions: whose tokens they are, which is part of what the step is."""

from __future__ import annotations

from typing import Any

from .diagnostics import Diagnostic, Edit, Span
from .document import plain
from .identity import digest
from .scope import Binding
from .suggest import nearest
from .world import OutsideError


def check_tokenizer(binding: Binding, span: Span) -> bool:
    """Report a count that no tokenizer makes; whether there is one, or the fault is told already.

    Args:
        binding: Of the recipe.
        span: The first call of `tokens` in an expression.
    """
    recipe = binding.recipe
    if recipe.tokenizer is None:
        if len(recipe.models) == 1 or recipe.unread & {"models", "tokenizer"}:
            return True
        first = recipe.models[0].name if recipe.models else "tokenizer.json"
        binding.add(
            Diagnostic(
                "C508",
                "`tokens` counts by a tokenizer, and no `tokenizer:` says which",
                span,
                help=f"write `tokenizer: {first}` at the top level",
            )
        )
        return False
    used = (step.param("model") for step in recipe.steps)
    known = recipe.tokenizer in binding.models() or "models" in recipe.unread
    # A model that a step misses as well is told there.
    known = known or any(node and plain(node) == recipe.tokenizer for node in used)
    if known or _digest(binding, recipe.tokenizer) is not None:
        return True
    place = recipe.tokenizer_span or span
    message = f"no model and no file of the recipe is called `{recipe.tokenizer}`"
    if not any(d.code == "C508" and d.span == place for d in binding.diagnostics):
        near = nearest(recipe.tokenizer, binding.models())
        names = ", ".join(f"`{name}`" for name in binding.models())
        other = f"name a model ({names}), or a `tokenizer.json` beside the recipe"
        help = f"did you mean `{near}`?" if near else other
        fix = (Edit(place, near),) if near and recipe.tokenizer_span else ()
        binding.add(Diagnostic("C508", message, place, help=help, fix=fix))
    return False


def tokenizer_identity(binding: Binding) -> Any:
    """What stands for the tokenizer in the definition of a step that counts with it."""
    recipe, models = binding.recipe, binding.models()
    name = recipe.tokenizer or (recipe.models[0].name if recipe.models else "")
    if name in models:
        pin, model = binding.pins.models.get(name, ""), models[name]
        return {"digest": pin} if pin else {"engine": model.engine, "model": model.model}
    return {"file": _digest(binding, name)}


def _digest(binding: Binding, path: str) -> str | None:
    try:
        return digest(binding.world.read(path))
    except (OSError, OutsideError, UnicodeDecodeError):
        return None
