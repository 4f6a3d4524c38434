"""What is looked at before a run spends anything: models, their context, disk, budget, a yes.

What is checked of a model depends on its engine. `http`: one tiny real generation at each of its
addresses, and what the server says of its context; `local`: the file, its header and the package;
`vllm`: package, GPU and memory fit; `transformers`: the package. Models of the last three are not
loaded twice: the run loads them with its first request, which is then the probe. `fake` has nothing
to prove. Models that nothing is left to ask are not asked.
"""

from __future__ import annotations

from .answer import Answer
from .guard import guard, guard_pilot
from .models import ask_each
from .preflight import Preflight, preflight

__all__ = ["Answer", "Preflight", "ask_each", "guard", "guard_pilot", "preflight"]
