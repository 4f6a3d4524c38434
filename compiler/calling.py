"""Who answers and how it is asked: models and their sampling, and what of them is identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from .bound import DEFAULT_SAMPLING, RATING_SAMPLING, Bound, plain_map
from .diagnostics import Diagnostic
from .document import Node, Scalar, plain
from .mending import renaming
from .params import Sampling
from .prompts import PromptFile
from .prompts.use import overflow
from .recipe import ModelDecl
from .registry import Model, Operator
from .suggest import nearest

if TYPE_CHECKING:
    from .scope import Binding


def model_identity(model: ModelDecl, binding: Binding) -> dict[str, Any]:
    """What stands for a model in a definition: its weights, or its name where they are unknown."""
    pin = binding.pins.models.get(model.name, "")
    return {"digest": pin} if pin else {"engine": model.engine, "model": model.model}


def find_model(node: Node, binding: Binding) -> ModelDecl | None:
    """The model that a recipe names; None, with its diagnostic, where there is none."""
    name = str(plain(node))
    models = binding.models()
    if name not in models and "models" in binding.recipe.unread:
        return None
    if name not in models:
        close = nearest(name, tuple(models))
        binding.add(
            Diagnostic(
                "R110",
                f"no model is called `{name}`",
                node.span,
                f"models: {', '.join(models) or 'none'}",
                help=f"did you mean `{close}`?" if close else f"add `{name}` under `models:`",
                fix=renaming(node.span, close),
            )
        )
        return None
    return models[name]


def is_rater(model: ModelDecl) -> bool:
    """Whether a model puts numbers on texts and writes none."""
    return dict(model.options).get("task", "generate") != "generate"


def sampling_for(
    model: ModelDecl | None, prompt: PromptFile | None, *given: Node | Mapping[str, Any] | None
) -> dict[str, Any]:
    """How a model is asked: defaults, what the model says, the prompt's longest reply, the rest.

    Args:
        model: The model.
        prompt: What it is asked, if that is a prompt of the recipe.
        given: Laid over it in this order.
    """
    merged: dict[str, Any] = dict(
        RATING_SAMPLING if model and is_rater(model) else DEFAULT_SAMPLING
    )
    if model and model.sampling:
        merged |= plain_map(model.sampling)
    if prompt and prompt.max_tokens:
        merged["max_tokens"] = prompt.max_tokens
    for layer in given:
        if layer is not None:
            merged |= layer if isinstance(layer, Mapping) else plain_map(layer)
    stop = merged.get("stop")
    if isinstance(stop, str):
        merged["stop"] = [stop]
    return {k: v for k, v in merged.items() if v is not None and v != []}


def bind_asking(
    key: Scalar, operator: Operator, nodes: Mapping[str, Node], inner: Bound, binding: Binding
) -> dict[str, Any]:
    """Whom a check asks, for its definition; empty for one that asks nobody.

    What the recipe calls a model is no part of it, so the parameters that name one are taken out of
    the check's own; so is how replies are drawn, which stands with each model.
    """
    samples = {p.name for p in operator.params if Sampling in _parts(p.type)}
    named = {p.name for p in operator.params if Model in _parts(p.type)}
    for name in samples | named:
        inner.params.pop(name, None)
    if inner.prompts and not inner.models and named and not inner.broken:
        words = " or ".join(f"`{n}`" for n in sorted(named))
        message = f"check '{key.value}' has a prompt and no model to ask"
        binding.add(Diagnostic("S011", message, key.span, help=f"add {words}: …"))
        inner.broken = True
    own = {a for asking in inner.prompts.values() for a, _ in asking.prompt.reply}
    inner.reads -= own - {n for a in inner.prompts.values() for n, _ in a.prompt.inputs}
    inner.reads -= set(operator.makes)
    prompt = inner.prompt if len(inner.prompts) == 1 else None
    models: dict[str, Any] = {}
    for param, model in sorted(inner.models.items()):
        sampling = sampling_for(model, prompt, *(nodes.get(name) for name in sorted(samples)))
        models[param] = {"model": model_identity(model, binding), "sampling": sampling}
        if prompt is not None and len(inner.models) == 1:
            place = next(nodes[p].span for p in inner.prompts)
            for found in overflow(
                prompt, sampling["max_tokens"], model.name, model.placement, place
            ):
                binding.add(found)
                inner.broken = True
    return {"models": models} if models else {}


def _parts(hint: Any) -> tuple[Any, ...]:
    """A type, and what a union is made of."""
    return (hint, *get_args(hint))
