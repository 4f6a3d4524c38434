"""All that a plan is estimated by: a survey of data and ledger, earlier runs, speeds, prices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..engine_room import room_of

if TYPE_CHECKING:
    from ...compiler.plan import Plan
    from ..project import Project
    from ..surveying import Survey


def measure(plan: Plan, project: Project) -> Survey:
    """Survey a plan, and add what is known without looking at its data.

    Returns:
        The survey; its `facts` are whole.

    Raises:
        EngineError: A model cannot be described.
        MisfitError: A step does not fit the data.
        OSError: A source cannot be read.
        OutsideError: A source lies where it may not be read.
        RemoteError: An address cannot be reached.
    """
    from ..hardware.shapes import find_parameters
    from ..hardware.speeds import find_speeds
    from ..history.priors import priors
    from ..prices import find_prices
    from ..surveying import survey

    room = room_of(plan, project)
    found = survey(plan, project, room)
    prices, unpriced = find_prices(plan)
    sizes = {name: find_parameters(room.spec(name)) for name in plan.models}
    facts = replace(
        found.facts,
        priors=priors(plan, project),
        speeds=find_speeds(plan, project, room),
        prices=prices,
        unpriced=unpriced,
        parameters={name: size for name, size in sizes.items() if size is not None},
    )
    return replace(found, facts=facts)
