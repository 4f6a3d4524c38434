"""The table of diagnostics: one row a code. A code is never used for anything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Code:
    """A row of the table.

    Attributes:
        slug: The name beside the code.
        severity: error, warning or note.
        explanation: What it means, why it is bad and what to write instead, in a few lines.
        stage: When it can be known: from the files of the recipe alone (`check`), from its data
            (`plan`), or when engines and folders are used (`run`).
    """

    slug: str
    severity: Literal["error", "warning", "note"]
    explanation: str
    stage: Literal["check", "plan", "run"] = "check"


CODES: dict[str, Code] = {
    # -- S: the shape of the file
    "S001": Code(
        "invalid-yaml",
        "error",
        """\
The file cannot be read as YAML. Often a colon is missing, a quote is left open,
or text holds `: ` or ` #`, or starts with a character that means something to
YAML.

    keep lang == 'en'            a colon is missing after `keep`
    about: web: the good part    a second `: ` in the text

Write instead:

    keep: lang == 'en'
    about: "web: the good part"
""",
    ),
    "S002": Code(
        "unknown-key",
        "error",
        """\
The key is not part of the format at this place. Nothing would read it, so what
it says would silently not happen.

    sampling: { temprature: 0.2 }

Write the name that the message proposes, or take the key out. `mashbill ops
NAME` lists the keys of an operator.
""",
    ),
    "S003": Code(
        "misplaced-key",
        "error",
        """\
The key exists, but in another place.

    mix:
      max_epochs: 4
      parts: { math: 14% }

Move it to where the message says:

    mix:
      parts: { math: { weight: 14%, max_epochs: 4 } }
""",
    ),
    "S004": Code(
        "duplicate-key",
        "error",
        """\
One map holds the same key twice. YAML readers keep only the last one and say
nothing, so the first would be lost.

    web: { path: a.jsonl, path: b.jsonl }

Keep one of them, or give the second thing a name of its own.
""",
    ),
    "S005": Code(
        "wrong-type",
        "error",
        """\
The value is of a type, a form or a size that the key cannot take.

    samples: "eight"      must be an integer
    total: 600M           a quantity carries its unit
    temperature: 9        out of range

Write instead:

    samples: 8
    total: 600M tokens
    temperature: 0.9
""",
    ),
    "S006": Code(
        "ambiguous-scalar",
        "error",
        """\
YAML 1.1 and YAML 1.2 read the bare word differently: `no` is the boolean false
to one and the text "no" to the other; so are yes, on, off, y, n; `1_000`,
`0777` and `12:30` are different numbers, or text.

    columns: { country: no }

Quote text, and write numbers plainly:

    columns: { country: 'no' }
    seed: 1000
""",
    ),
    "S007": Code(
        "yaml-feature",
        "error",
        """\
The recipe format is a strict part of YAML: one document, no anchors, aliases,
merge keys, tags, directives or tabs, at most 64 levels. What one place says
must be readable at that place.

    fast: &fast { temperature: 0 }
    slow: *fast

Write the value out, or lay it over the recipe with a profile:

    profiles:
      fast: { models.writer.sampling.temperature: 0 }
""",
    ),
    "S008": Code(
        "format-version",
        "error",
        """\
`mashbill:` is the version of the format that the recipe is written in. This
program reads version 1. A recipe of a later version needs a later program.

    mashbill: 1
""",
    ),
    "S009": Code(
        "deprecated-key",
        "warning",
        """\
The key has another name in this format. It is still read, and its name says
less than the new one.

    sampling: { max_new_tokens: 512 }

Write, or let `mashbill check --fix` write:

    sampling: { max_tokens: 512 }
""",
    ),
    "S010": Code(
        "unknown-operator",
        "error",
        """\
No operator, check or engine has this name.

    book: { op: rewrit, from: web }

Write the name that the message proposes. `mashbill ops` lists what there is; a
plug-in that failed to import is reported as R109.
""",
    ),
    "S011": Code(
        "missing-key",
        "error",
        """\
A key that this place cannot do without is absent. Licence and origin of a
source are asked for, since they cannot be found out later.

    docs: { path: docs.jsonl }

Write it:

    docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
""",
    ),
    "S012": Code(
        "bad-name",
        "error",
        """\
A name is made of lower-case letters, digits and `_`, and begins with a letter.
`on`, `off`, `yes`, `no`, `y` and `n` are booleans to some YAML readers and are
no names. A dot selects a port (`good.rejected`), so it stands in no name.

    My-Step: { op: filter, … }

Write instead:

    my_step: { op: filter, … }
""",
    ),
    # -- R: references
    "S013": Code(
        "unused-suppression",
        "warning",
        """\
A comment allows a diagnostic that is not there. It would hide the next one that
is.

    keep: words(text) > 50   # mashbill: allow X154

Take the comment out (`mashbill check --fix` does), or mend its code.
""",
    ),
    "S014": Code(
        "cannot-allow",
        "error",
        """\
A comment tries to allow what cannot be allowed: with this error the recipe has
no meaning that could be run.

    form: clena   # mashbill: allow S002

Mend what the error says. Warnings, notes and P203 can be allowed; licences are
acknowledged in their source (`acknowledge: [G702]`).
""",
    ),
    "R101": Code(
        "unknown-step",
        "error",
        """\
`from:` or a part of the mix names a step, source or port that the recipe does
not have.

    book: { op: rewrite, from: clena }

Write the name of a step or source; a dot selects a port of it: `book`,
`book.rejected`.
""",
    ),
    "R102": Code(
        "cycle",
        "error",
        """\
Steps read each other in a circle, so none of them can begin.

    a: { op: filter, from: b, keep: … }
    b: { op: filter, from: a, keep: … }

Let one of them read a step or source outside the circle. To ask a model again
when a check fails, use `on_fail`, not a step that feeds an earlier one.
""",
    ),
    "R103": Code(
        "unused-step",
        "warning",
        """\
Nothing reads the step and it is no part of the mix, so it does not run.

Read it from another step, give it a share in `mix.parts`, or take it out.
""",
    ),
    "R104": Code(
        "column-missing",
        "error",
        """\
The step needs a column that the rows reaching it do not have.

    held: { op: verify, from: book, checks: { facts: { source: original } } }

Take the column from the source (`columns: { original: body }`), make it with
`set:`, or let the prompt declare it in its `reply`. The message lists the
columns that there are.
""",
    ),
    "R105": Code(
        "column-shadowed",
        "warning",
        """\
The step writes a column that is there already; the earlier one can no longer be
reached.

Give one of the two another name: in the source (`columns: { given: tests }`),
or in the prompt's `reply`.
""",
    ),
    "R106": Code(
        "unused-param",
        "warning",
        """\
Nothing reads the parameter, so that setting it changes nothing.

    params: { samples: 8 }

Read it where it is meant, or take it out:

    solved: { op: generate, samples: = params.samples, … }
""",
    ),
    "R107": Code(
        "override-no-match",
        "error",
        """\
A path after `--set`, or in a profile, leads nowhere: no such model, source,
step or key.

    mashbill run --set models.writter.use=local/smollm2-135m

Write a path that exists, as `mashbill show --resolved` prints it. A list is
replaced as a whole.
""",
    ),
    "R108": Code(
        "port-ignored",
        "note",
        """\
The step sends rows to a port that nothing reads: they end there, and are
counted.

To keep them, read the port (`from: book.rejected`); otherwise nothing needs to
be done.
""",
    ),
    "R109": Code(
        "plugin-import",
        "error",
        """\
A plug-in package (entry point `mashbill.ops`) failed to import, so its
operators are absent.

Install what the message says is missing, or uninstall the plug-in.
""",
    ),
    "R110": Code(
        "model-unknown",
        "error",
        """\
The step names a model that the recipe does not have.

    models: { writer: local/smollm2-135m }
    steps:  { book: { op: rewrite, model: writr, … } }

Write the name of a model under `models:`.
""",
    ),
    "R111": Code(
        "prompt-missing",
        "error",
        """\
The prompt file does not exist. Its path is relative to the recipe's folder;
after `--set`, to the current one.

    prompt: prompts/book.md.j2
""",
    ),
    "R112": Code(
        "path-outside",
        "error",
        """\
The path leads out of the recipe's folder. A recipe from elsewhere is data and
reads nothing but its own folder.

    path: ../../etc/passwd

Copy or link the data into the folder, give the path yourself (`--set
sources.web.path=…`), or allow it for this command with `--allow-outside`.
""",
    ),
    "R113": Code(
        "name-taken",
        "error",
        """\
A step and a source have the same name, so `from:` could mean either.

Rename one of them.
""",
    ),
    "R114": Code(
        "name-reserved",
        "error",
        """\
Names that begin with `_` belong to Mashbill (`_doc`, `_id`, `_origin`,
`_source`), so a recipe writes no such column.

    set: { _style: pupil }

Write instead:

    set: { style: pupil }
""",
    ),
    "R115": Code(
        "unread-column",
        "warning",
        """\
A model is asked for a column that no step reads and that the data set leaves
out: it is paid for and thrown away.

    solved: { op: generate, prompt: p.md.j2, … }
    output: { columns: [text, answer] }

where the prompt says `reply: { plan: section, answer: boxed }`.

Write the column, or do not ask for it:

    output: { columns: [text, plan, answer] }
""",
    ),
    "R118": Code(
        "nothing-to-choose-from",
        "error",
        """\
A `select` chooses among the draws of each source row, and its rows are drawn
once. A step before it has to make several:

    solved: { op: cot, from: problems, samples: 8, … }
    best:   { op: select, from: solved, vote: answer }
""",
    ),
    # -- X: expressions
    "X150": Code(
        "expr-syntax",
        "error",
        """\
The expression cannot be read. Expressions are a small part of Python's:
literals, columns, `and or not`, comparisons, `in`, `is null`, arithmetic, `a if
c else b`, and listed functions. There are no methods, loops, slices or `**`.

    keep: score > 3 && lang == 'en'

Write instead:

    keep: score > 3 and lang == 'en'
""",
    ),
    "X151": Code(
        "expr-undefined",
        "error",
        """\
The expression names a column or function that does not exist here.

    keep: scroe > 3

Write the name that the message proposes, or one of those it lists.
""",
    ),
    "X152": Code(
        "expr-type",
        "error",
        """\
The expression puts together types that do not fit, or gives a function what it
does not take.

    keep: score > 3.0        where `score` is text

Convert first:

    keep: float(score) > 3.0

A list is not compared as a whole: ask about its items with `in`, `any`, `all`,
`count`, `frac`, `min`, `max`, `len` or `xs[0]`.
""",
    ),
    "X153": Code(
        "expr-nullable",
        "error",
        """\
The column may be null, and the expression does not say what null means. A
comparison with null is neither true nor false, so rows would vanish unseen.

    keep: score > 3

Say it:

    keep: coalesce(score, 0) > 3
    keep: score is null or score > 3

A constant null is asked for with `is null`; elsewhere it makes all of it null.
""",
    ),
    "X154": Code(
        "expr-constant",
        "warning",
        """\
The expression, or a part of it, gives the same for every row: it keeps all rows
or none, or it has no say.

    keep: true or words(text) > 50
    keep: 2000 <= words(text) <= 50

Compare a column, or take that part out.
""",
    ),
    "X155": Code(
        "pattern-invalid",
        "error",
        """\
The regular expression cannot be read, or it is too large when compiled.
Look-around and back-references are not part of the dialect, which matches in
linear time.

    forbid: '(?<!a)b'
    keep: matches(text, '(a{1000}){1000}')
""",
    ),
    # -- P: prompts
    "P201": Code(
        "undefined-variable",
        "error",
        """\
The prompt uses a variable that no step before it produces. It would be empty in
every call, and every call is paid for.

    Problem: {{ problm }}

Write the name of a column that reaches the step; the message lists them.
""",
    ),
    "P202": Code(
        "unused-input",
        "warning",
        """\
The prompt declares an input that it never uses: the model does not see the
column.

Use it (`{{ level }}`), or take it out of `inputs`.
""",
    ),
    "P203": Code(
        "single-braces",
        "error",
        """\
Single braces mean nothing in a Jinja prompt: the model would read `{text}`
itself, in every call, and answer something.

    Original: {source_text}

Write double braces; where the braces are meant, allow them on that line:

    Original: {{ source_text }}
    {"a": 1}  {# mashbill: allow P203 #}
""",
    ),
    "P204": Code(
        "missing-block",
        "error",
        """\
A prompt file needs a `user` block; `system` and `assistant` blocks are
optional.

    {% block system %}You write textbooks.{% endblock %}
    {% block user %}{{ text }}{% endblock %}
""",
    ),
    "P205": Code(
        "prompt-overflow",
        "error",
        """\
Prompts do not fit the model: its context must hold the prompt and `max_tokens`
of reply.

Cut documents (`chunk: { by: paragraph, max: 1500 tokens }`), lower
`sampling.max_tokens`, or take a model with a longer context.
""",
    ),
    "P206": Code(
        "template-injection",
        "warning",
        """\
Text from outside is inserted with nothing around it, and such text can hold
instructions.

    Summarise {{ text }}

Put a delimiter around it that the prompt names:

    Summarise the text between the tags.
    <text>
    {{ text }}
    </text>
""",
    ),
    "P207": Code(
        "chat-template-missing",
        "error",
        """\
The model's file holds no chat template, so turns cannot be written the way it
was trained on; whatever stands in for one makes replies worse, in silence.

    models: { writer: local/models/some-base.gguf }

Use the instruct version of the model:

    models: { writer: local/models/some-instruct.gguf }
""",
        stage="plan",
    ),
    "P208": Code(
        "double-bos",
        "warning",
        """\
The rendered prompt begins with the beginning-of-sequence token and the
tokenizer adds one more; models answer worse.

Take it out of the prompt.
""",
    ),
    "P209": Code(
        "prefix-unstable",
        "warning",
        """\
The prompt varies near its beginning, so engines cannot reuse the part that is
equal in every call.

Put what is fixed first and the row's text last.
""",
    ),
    "P211": Code(
        "template-syntax",
        "error",
        """\
The prompt's template cannot be read, or uses a part of Jinja that prompts do
not have. They have output, listed filters, `if`, `for` over a list column,
`include` and `block`.

    {% set x = 1 %}
    {{ text

Compute values with the step's `set:`; close what is opened.
""",
    ),
    "P212": Code(
        "front-matter",
        "error",
        """\
The prompt's front matter says something that does not hold: an input's type, an
example that lacks an input, the shape of the reply.

    ---
    inputs: { text: str }
    examples:
      - { text: "Two and two is four.", reply: "2 + 2 = 4" }
    ---
""",
    ),
    "P213": Code(
        "reply-shape-unmentioned",
        "warning",
        """\
The reply is read by a shape that the prompt never asks for, so hardly any reply
will have it; each that has not is paid for and fails as `unparsed`.

    reply: { answer: tag }

Ask for it in the prompt, or show it in an example:

    Write the answer between <answer> and </answer>.
""",
    ),
    "P214": Code(
        "control-token-in-prompt",
        "warning",
        """\
The prompt's own text holds a control token of chat templates. The engine writes
these itself; typed by hand they end the turn in the middle, or are read as
letters by a model that has others.

    {% block user %}<|im_start|>user {{ text }}<|im_end|>{% endblock %}

Take them out: the blocks of the prompt are its turns.
""",
    ),
    "P215": Code(
        "template-constant",
        "error",
        """\
The render template prints no column, so every row would become the same text.

    mix: { parts: { math: { weight: 50%, render: prompts/out_math.j2 } } }

Print columns of the row in it: `{{ text }}`, `{{ reasoning }}`.
""",
    ),
    # -- D: data
    "D301": Code(
        "source-missing",
        "error",
        """\
The source's path matches no files. It is relative to the recipe's folder; after
`--set`, to the current one.

    path: data/books/*.parquet
""",
    ),
    "D302": Code(
        "source-unpinned",
        "warning",
        """\
The recipe has a lock, and the lock says nothing of this source: nobody would
notice that its data has changed. `run --locked` refuses it.

    mashbill lock       pins it, and everything else as it is now
""",
    ),
    "D303": Code(
        "schema-drift",
        "error",
        """\
Rows of one source disagree about a column's type, or with what the recipe says
of it; or none of its files has a column that the recipe names.

Mend the row that the message names, or convert the column where the file is
made. Of a missing column the message says which ones there are.
""",
        stage="plan",
    ),
    "D304": Code(
        "split-leak",
        "error",
        """\
A split by rows puts rewrites or samples of one document into train and into
validation, so that the validation loss flatters.

    split: { by: row, train: 99%, validation: 1% }

Write instead:

    split: { by: document, train: 99%, validation: 1% }
""",
    ),
    "D306": Code(
        "empty-upstream",
        "warning",
        """\
The step keeps none of the sampled rows, so nothing after it has anything to do.

The message names the strictest part of the condition; loosen it.
""",
        stage="plan",
    ),
    "D307": Code(
        "yield-unsampleable",
        "note",
        """\
Other rows decide which rows the step keeps, as where duplicates are merged, and
no sample shows them: of a corpus with 67 % duplicates a sample of 1 % shows 20.
The plan takes what `expect:` says, or bounds.

    mashbill run --until unique

That runs on the CPU alone, and the next plan counts what is left.
""",
        stage="plan",
    ),
    "D309": Code(
        "source-empty",
        "error",
        """\
The source's files hold no rows.

Look at the path, and at how the files were made.
""",
        stage="plan",
    ),
    "D310": Code(
        "unreadable-row",
        "warning",
        """\
A row cannot be read: it is not JSON or not CSV, not UTF-8, or has no text.

Mend or remove the line that the message names; of Parquet and Arrow files it is
the row.
""",
        stage="plan",
    ),
    "D311": Code(
        "source-unreachable",
        "error",
        """The source is an address, and it cannot be listed or fetched. Addresses are read
through fsspec and huggingface_hub, which are no part of a plain install:

    pip install "mashbill[hub]"

Else the message says what the other side answered.
""",
        stage="plan",
    ),
    # -- M: models
    "M251": Code(
        "model-unreachable",
        "error",
        """\
The model cannot be used: no such server, file or weights, or the server
refused.

The message says what was tried. `mashbill doctor --models` does one tiny call
of each model.
""",
        stage="run",
    ),
    "M252": Code(
        "model-does-not-fit",
        "error",
        """\
Weights, and the keys and values of one prompt and reply as long as
`max_model_len` allows, take more memory than the GPUs of the model give, so it
would fail after its weights are loaded. Reckoned from its shape: layers,
key-value heads, vocabulary.

    placement: { max_model_len: 32768 }

Ask for the length that the message names, spread the model over more GPUs
(`tensor_parallel: 2`), take more of each (`gpu_memory_utilization: 0.95`), or
take smaller or quantised weights.
""",
        stage="run",
    ),
    "M254": Code(
        "hidden-reasoning",
        "warning",
        """\
The model thinks before it replies. Its thoughts are kept apart from the text of
the reply, so no row shows them; they are written, waited for and billed like
the reply, count toward `max_tokens`, and are often many times as long. Told by
what the server counts, once a pilot or a run has replies (the estimate holds
them from then on).

    writer: { use: vllm/Qwen/Qwen3-8B, thinking: false }

`thinking: false` switches it off where the model's chat template can do so, on
engine `vllm` and on servers like vLLM, SGLang and llama.cpp. `thinking: true`
says that it is meant, and nothing is said any more; give `max_tokens` room for
both. Either makes it another model: its replies are asked for anew.
""",
        stage="plan",
    ),
    "M255": Code(
        "max-tokens-truncates",
        "warning",
        """\
Replies are cut off at `max_tokens`. What is cut off is rejected or, where no
check reads its end, kept as a torn text.

    sampling: { max_tokens: 2048 }

Raise the limit, ask for less in the prompt, or cut documents smaller.
""",
        stage="plan",
    ),
    "M253": Code(
        "greedy-multisample",
        "error",
        """\
At temperature 0 every sample of a row is the same text, and each is paid for;
so is every retry.

    sampling: { temperature: 0 }
    samples: 8

Ask once, or raise the temperature.
""",
    ),
    # -- V: verification
    "M258": Code(
        "model-fits-barely",
        "warning",
        """\
The model fits, and leaves room for so few prompts and replies at once that the
GPU waits for memory most of the time: writing one text takes about as long as
writing many.

Lower `max_model_len` to what prompt and reply really need, or spread the model
over more GPUs (`tensor_parallel`).
""",
        stage="run",
    ),
    "M257": Code(
        "model-of-another-task",
        "error",
        """\
A model that puts numbers on texts stands where one is to write, or the other
way round. What a model does is said by its `task`: reward, score, nli or embed;
without one it writes.

    models: { rm: { use: transformers/./reward-model } }
    checks: { reward: { model: rm, min: 0 } }

Say what it is for, or name another:

    models: { rm: { use: transformers/./reward-model, task: reward } }
""",
    ),
    "V403": Code(
        "sandbox-weak",
        "error",
        """\
A step runs programs that a model wrote, and this machine cannot shut them in
well enough. `sandbox: required`, the default, wants bubblewrap: no network, a
read-only system, a folder and processes of its own for each program.

    checks: { unit_tests: { sandbox: required } }

Install it (`apt install bubblewrap`) and look again with `mashbill doctor`.
Where the programs are known to do no harm, `sandbox: preferred` takes process
limits if there is nothing better: they limit what a program uses, not what it
reads or sends.
""",
    ),
    "V402": Code(
        "verifier-always-fails",
        "warning",
        """\
A check passed none of 50 rows or more. Data is seldom that bad: the check looks
at another column than was meant, compares with the wrong one, or asks for what
the prompt never asked for.

    right:
      op: verify
      from: solved
      checks: { math_equal: { got: text, want: gold } }

Look at what it refuses and why: `mashbill show STEP`.
""",
    ),
    "V404": Code(
        "judge-is-writer",
        "warning",
        """\
The model that judges a text has written it. Judges prefer their own words, so
more passes than should.

    book: { op: rewrite, from: web, model: writer, prompt: prompts/book.md.j2 }
    judged: { op: verify, from: book, checks: { judge: { model: writer } } }

Let another model judge, best of another family.
""",
    ),
    "V405": Code(
        "repair-loop-cost",
        "warning",
        """\
The ladder tries so often that a row which never passes costs many times a row
that does.

    on_fail: [ { retry: 20 }, reject ]

Retry less often, or find out with `mashbill show STEP` what fails.
""",
    ),
    "V421": Code(
        "never-settled",
        "error",
        """\
The `until:` of a `cot` step cannot be met, or says what goes with another kind
of stop. `accepted` counts draws that pass the step's own `checks`, so it needs
some, and cannot be more than all `samples`.

    until: { accepted: 4 }                           as many of each row
    until: { accepted: 4, spread: hard, pilot: 4 }   more of hard rows
    until: { vote: answer, agree: 0.5 }              until the vote is decided
""",
    ),
    "V422": Code(
        "no-choice",
        "error",
        """\
The `select` cannot choose as it says. A vote counts all draws of a row, so they
must come from one step, and that step must not stop drawing by itself;
`min_agree`, `drop` and `compare` go with a vote.

    solved: { op: cot, samples: 8, … }
    best:   { op: select, from: solved, vote: answer, min_agree: 0.5 }

The `cot` stops as soon as this vote is decided, without being told.
""",
    ),
    "V423": Code(
        "nothing-to-refill",
        "error",
        """\
`rows:` of a `select` accepts so many source rows and draws no more of them than
it needs, `candidates:` at most. For that, a model step before it must be one
that nobody else reads, on a way that has one input at each step.

    solved: { op: cot, from: problems, … }
    math:   { op: select, from: solved, rows: 1000, candidates: 4000 }
""",
    ),
    # -- C: composition
    "C501": Code(
        "epochs-exceeded",
        "warning",
        """\
The part is too small for its share, so its rows repeat. Up to about four epochs
repetition costs little; beyond, tokens are worth less and less.

Lower its weight, get more rows, or say how often they may repeat: `max_epochs:
4`.
""",
        stage="plan",
    ),
    "C502": Code(
        "weights-sum",
        "error",
        """\
The weights of the mix do not sum to 100%.

    parts: { clean: 55%, book: 50% }
""",
    ),
    "C503": Code(
        "human-share",
        "error",
        """\
Less human text than `min_human` asks for. Models trained on too much model text
lose what is rare.

Raise the weight of human parts, or lower `min_human`.
""",
    ),
    "C504": Code(
        "weight-unit",
        "note",
        """\
Weights are shares of tokens, not of documents: a source of long documents gives
fewer of them for the same share.
""",
        stage="plan",
    ),
    "C505": Code(
        "shortfall",
        "warning",
        """\
A part has fewer tokens than its share asks for. What happens then is for
`on_shortfall` to say; its default, `error`, ends the run without a data set
(nothing that was paid for is lost).

Lower the weight or the total, or say what to do:

    on_shortfall: shrink      keep the shares, make less
    on_shortfall: repeat      up to max_epochs
    on_shortfall: reweight    let other parts fill up
""",
        stage="plan",
    ),
    "C506": Code(
        "origin-unknown",
        "error",
        """\
A part comes from a source whose `origin` is mixed: it holds human and model
text side by side, so whether `min_human` is kept cannot be known.

    logs: { path: logs.jsonl, license: CC0-1.0, origin: mixed }

Split it by origin before the mix, set the source's `origin` where it is known,
or raise the weight of human parts.
""",
    ),
    "C507": Code(
        "rewritten-twice",
        "error",
        """\
The step would rewrite text that a model wrote. Each time, what is rare is lost
and errors add up.

    book: { op: rewrite, from: clean, … }
    faq:  { op: rewrite, from: book, … }

Read the step before the first rewrite (`from: clean`), or say that it is meant:

    faq:  { op: rewrite, from: book, again: true, … }
""",
    ),
    "C509": Code(
        "source-over-cap",
        "error",
        """\
A part of the mix comes from one source alone, and its weight is above what
`max_source` allows that source. No choice of rows can satisfy both.

    parts: { docs: 60%, math: 40% }
    max_source: { gsm: 20% }

Lower the weight, raise the cap, or let the part read more sources.
""",
    ),
    "C508": Code(
        "tokenizer-missing",
        "error",
        """\
The mix, or `tokens(…)` in an expression, counts tokens, and it is not clear
whose: the recipe has no model or several, or no model and no file of the recipe
has the name that `tokenizer:` gives.

    tokenizer: writer
""",
    ),
    # -- L: locks and changes
    "L601": Code(
        "lock-stale",
        "warning",
        """\
What `recipe.lock` pins is not what holds now: data, a model, a prompt, the
version of an operator or of a package changed since it was made. The message
names every entry that differs. `check` compares what needs no data and no
model; `lock --check` compares all, and is an error, as under `run --locked`.

    mashbill lock                     pin everything as it is now
    mashbill lock --upgrade writer    pin one thing, leave the others
""",
    ),
    "L602": Code(
        "env-affects-output",
        "error",
        """\
`${NAME}` names a variable of the environment in two places: the `url` and the
`key` of a model. Anywhere else it would decide a result that the recipe does
not show, so it is not read there.

    set: { style: "${STYLE}" }

Write a parameter, which is part of the recipe and of every record:

    params: { style: textbook }
    set: { style: = params.style }
""",
    ),
    "L603": Code(
        "plan-stale",
        "error",
        """\
A saved plan runs as it was planned, or not at all: its recipe, prompts, models,
data, lock or budget are not what they were. The message names what changed.

    mashbill plan edu.plan            what it was, with a warning
    mashbill plan -o edu.plan         make it again

Comments, layout and what a recipe says about itself make no plan stale.
""",
        stage="run",
    ),
    "L605": Code(
        "code-changed",
        "note",
        """\
An operator makes other rows than it did when the recipe ran last, so its
version was raised, and the steps that use it run again.

`mashbill why STEP` names the version. Completions in the ledger stay usable
wherever the request is the same.
""",
    ),
    "L606": Code(
        "ledger-damaged",
        "error",
        """\
A file of the ledger is not as it was written: a disk or a copy has changed it.
Damaged completions are never used; what needs them pays for them again.

Put the named files back from a copy. Without one, import an export of the
ledger, or run again:

    mashbill ledger import FILE
""",
        stage="run",
    ),
    "L607": Code(
        "ledger-in-use",
        "error",
        """\
The ledger cannot be used as asked now: another process uses or tidies it, or a
newer Mashbill wrote it. Completions are removed only while nobody else looks.

Wait until the other is done, then type it again.
""",
        stage="run",
    ),
    "L608": Code(
        "export-unusable",
        "error",
        """\
A file is not a whole export of a ledger, or an export would not be whole.
Nothing was taken in or written.

Copy the file again and compare its size, or make it again where it came from:

    mashbill ledger export FILE
""",
        stage="run",
    ),
    "L609": Code(
        "needs-unknown",
        "error",
        """\
What a run or recipe needs of the ledger cannot be found out, so nothing is
exported or removed on a guess. The message says why: a recipe does not compile,
its models or data are not here, or a run was killed.

Put that right, or let `ledger gc` go by runs alone:

    mashbill ledger gc --runs-only
""",
        stage="run",
    ),
    "L610": Code(
        "plan-unusable",
        "error",
        """\
A file is not a whole saved plan, or one cannot be written there. Nothing was
run or overwritten.

Make it again from its recipe:

    mashbill plan -o edu.plan
""",
        stage="run",
    ),
    # -- B: budgets
    "B551": Code(
        "price-unknown",
        "error",
        """\
Money is capped, and a model that is used has no price: its calls would pass the
cap unseen.

    budget: { usd: 150 }
    models: { judge: { use: http/judge-large, url: … } }

Say what it costs, or cap what can be counted:

    price: { input: 0.40, output: 1.60, per: 1M tokens, as_of: 2026-11-01 }
    hardware: { usd_per_gpu_hour: 3.20 }      models on GPUs of your own
    budget: { tokens: 100M }

Well-known hosted models are priced by the map that comes with Mashbill, unless
the recipe or a `prices.yaml` says otherwise. A server of your own is not.
""",
    ),
    "B552": Code(
        "price-stale",
        "warning",
        """\
The day that a price was looked up is half a year ago or more, so that money is
estimated, and capped, by what may no longer hold.

    price: { input: 0.40, output: 1.60, as_of: 2026-01-15 }

Look it up again, and set `as_of` to that day.
""",
    ),
    "B553": Code(
        "price-unit",
        "error",
        """\
The price is so far from what models cost that its unit must be another: a price
per token where one per million is written, or the reverse. A cap on money would
guard a millionth of what is meant, or a million times.

    price: { input: 0.0000004, output: 0.0000016, per: 1M tokens }

Write instead:

    price: { input: 0.40, output: 1.60, per: 1M tokens }
""",
    ),
    "B558": Code(
        "price-file",
        "error",
        """\
A file of prices cannot be read: `prices.yaml` beside the recipe, or the one in
`~/.config/mashbill`. Half a price list would leave a cap on money guarding
half.

    as_of: 2026-11-01
    models:
      judge-large: { input: 0.40, output: 1.60, cached_input: 0.10 }

Prices are US dollars per 1M tokens. `batch: 0.5` is the factor of batch jobs,
`stacks: true` says that it holds for cached input too.
""",
    ),
    "B559": Code(
        "price-map-old",
        "note",
        """\
The recipe gives no price for a hosted model, and the price map, or a file of
prices, has one that was looked up half a year ago or more. It is what money is
estimated and capped by.

Look it up again, and write it in the model or in a `prices.yaml`:

    price: { input: 0.40, output: 1.60, as_of: 2026-11-01 }
""",
    ),
    "B554": Code(
        "budget-below-expected",
        "error",
        """\
By what was measured the data set costs more than is left of the budget, so the
run would pause before its end, and does not begin (exit code 3).

    budget: { usd: 150 }          expected: $212

The notes name what would fit: each was tried by itself and estimated again, and
can be typed behind the command as it stands. Or raise the cap. Or let the run
pause: what was made by then is a valid data set, and running again goes on.

    mashbill run --over-budget
""",
        stage="plan",
    ),
    "B555": Code(
        "budget-below-worst",
        "warning",
        """\
If every attempt were made and every reply were as long as it may be, the run
would reach the cap, and pause. What it is expected to cost fits, or rests on
assumptions.

    budget: { tokens: 3B }        expected: 446M, at worst 4.0B

Nothing needs to be done: a run that pauses goes on where it was.
""",
        stage="plan",
    ),
    "B557": Code(
        "estimate-drift",
        "warning",
        """\
What the run has done so far leads elsewhere than the plan said: its forecast of
calls, tokens, money or hours lies outside the plan's 90% interval by more than
the forecast itself is unsure. It is told once for each of them, after 5% of the
calls and 200 replies.

    tokens out are 1.6× the plan after 5%: forecast 58.0M [55.1M–61.0M];
    interval was [30.0M–45.0M]

Caps hold whatever the forecast says. To see what changed, stop with Ctrl-C and
look at `mashbill status`; `mashbill plan` then estimates from the replies that
are saved, and `mashbill run` goes on. Longer replies or more retries than in
the sample are the commonest cause: a pilot (`plan --pilot 256`) shows both
before a run.
""",
        stage="run",
    ),
    "B556": Code(
        "no-budget",
        "warning",
        """\
Models with a price will be asked, and the recipe says nowhere how much that may
cost. Until it does, a default cap applies: $10, and 2 GPU-hours where an hour
has a price. The run pauses there, as at any cap.

A budget of the recipe's own takes its place, whatever it caps:

    budget: { usd: 40 }
""",
        stage="plan",
    ),
    "B560": Code(
        "approval-needed",
        "error",
        """\
The run is expected to spend more than $1, or more than one GPU-hour of `vllm`
(a quarter of these where the recipe caps neither), and nobody said yes (exit
code 3). A terminal is asked; elsewhere, and with `--no-input`, nobody is.

Say it on the command line:

    mashbill run --yes

Local models, servers without a price and what the ledger holds need no yes.
""",
        stage="run",
    ),
    # -- G: governance
    "G701": Code(
        "license-conflict",
        "error",
        """\
The data set's licence gives rights that a source's licence does not give: a
source without commercial use in a data set with it, a rewrite of text that may
not be changed, or share-alike text under other terms.

    license: CC-BY-4.0
    sources: { web: { license: CC-BY-NC-4.0, … } }

Leave the source out, give the data set the stricter licence, or, where you know
better, write `acknowledge: [G701]` in the source.
""",
    ),
    "G702": Code(
        "license-unknown",
        "error",
        """\
The licence of a source is unknown, and so is whether the data set may be
published.

Find it out, or say that you know:

    crawl: { path: …, license: unknown, acknowledge: [G702], origin: human }
""",
    ),
    "G704": Code(
        "secret-in-file",
        "error",
        """\
A secret stands in a file that is meant to be shared.

    key: sk-…

Name an environment variable, and revoke the secret if the file was ever pushed:

    key: ${JUDGE_API_KEY}
""",
    ),
    # -- O: output
    "O801": Code(
        "nonempty-output",
        "error",
        """\
The output folder holds another run's data set.

Write elsewhere (`--set output.path=out/second`), or replace it with
`--replace`.
""",
        stage="run",
    ),
    "O804": Code(
        "disk-short",
        "error",
        """\
By the estimate the run writes more than is free on its disk: completions, rows
that wait for their order, and the data set. It would end half-way.

Free some space, write elsewhere, or make less:

    mashbill run --set output.path=/large/disk/edu
""",
        stage="run",
    ),
    "O803": Code(
        "shard-too-small",
        "note",
        """\
The data set would be cut into so many files that opening them takes longer than
reading them.

    output: { shard: 1MB }

Write instead:

    output: { shard: 256MB }
""",
        stage="plan",
    ),
}
