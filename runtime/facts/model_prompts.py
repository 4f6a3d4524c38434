"""What the fact gate asks a judge, where the recipe does not say it in words of its own."""

from __future__ import annotations

from functools import cache

from ...compiler.prompts import PromptFile, read_prompt

SUPPORT = """\
---
inputs: { passage: str, sentence: str }
reply: { supported: tag }
max_tokens: 32
examples:
  - passage: "The bakery on Mill Lane opened in 1987. Ada Brandt runs it with two of her sons."
    sentence: "Ada Brandt and two sons run the bakery, which opened in 1987."
    reply: "<supported>yes</supported>"
  - passage: "The bakery on Mill Lane opened in 1987. Ada Brandt runs it with two of her sons."
    sentence: "Ada Brandt opened the bakery with her three sons."
    reply: "<supported>no</supported>"
---
{% block system %}You compare one sentence with a passage. The sentence is supported if the passage
alone says or plainly implies all of it: every name, number, date, and who did what to whom. What
you know from elsewhere does not count. Reply with <supported>yes</supported> or
<supported>no</supported>, and nothing else.{% endblock %}
{% block user %}<passage>
{{ passage }}
</passage>

<sentence>{{ sentence }}</sentence>{% endblock %}
"""

POINTS = """\
---
inputs: { passage: str }
reply: { points: text }
max_tokens: 400
---
{% block system %}List the key points of a passage: the statements without which a reader would
miss what it is about. Write at most eight, each as one short sentence on a line of its own that
begins with "- ", with the names and numbers that it rests on. Write nothing else.{% endblock %}
{% block user %}<passage>
{{ passage }}
</passage>{% endblock %}
"""

LABEL = """\
---
inputs: { passage: str, point: str }
reply: { label: tag }
max_tokens: 32
examples:
  - passage: "Ada Brandt runs the bakery on Mill Lane. It opened in 1978."
    point: "The bakery on Mill Lane is run by Ada Brandt."
    reply: "<label>supported</label>"
  - passage: "Ada Brandt runs the bakery on Mill Lane. It opened in 1978."
    point: "The bakery opened in 1987."
    reply: "<label>contradicted</label>"
  - passage: "Ada Brandt runs the bakery on Mill Lane. It opened in 1978."
    point: "Two of her sons work there."
    reply: "<label>omitted</label>"
---
{% block system %}You are given a text and one statement. Say what the text does with it:
supported, if it says or plainly implies it; contradicted, if it says something that cannot be true
together with it; omitted, if it does neither. Reply with <label>supported</label>,
<label>contradicted</label> or <label>omitted</label>, and nothing else.{% endblock %}
{% block user %}<text>
{{ passage }}
</text>

<statement>{{ point }}</statement>{% endblock %}
"""


@cache
def shipped(text: str) -> PromptFile:
    """One of the prompts above, read."""
    prompt, problems = read_prompt("facts.md.j2", {"facts.md.j2": text}.__getitem__)
    if prompt is None:
        raise ValueError(f"a prompt of the fact gate does not read: {problems}")
    return prompt
