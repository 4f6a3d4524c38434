"""Words that say the same: irregular forms, spellings, short forms, plain words for stiff ones."""

from __future__ import annotations

from functools import lru_cache

from .words import FUNCTION, stem

_IRREGULAR = """
beat beaten; become became; begin began begun; bite bit bitten; blow blew blown; break broke broken;
bring brought; build built; burn burnt; buy bought; catch caught; choose chose chosen; come came;
deal dealt; draw drew drawn; dream dreamt; drink drank drunk; drive drove driven; eat ate eaten;
fall fell fallen; feed fed; feel felt; fight fought; find found; fly flew flown; forbid forbade
forbidden; forget forgot forgotten; forgive forgave forgiven; freeze froze frozen; give gave given;
grow grew grown; hear heard; hide hid hidden; hold held; keep kept; know knew known; lead led; lean
leant; learn learnt; leave left; lend lent; light lit; lose lost; mean meant; meet met; pay paid;
ride rode ridden; ring rang rung; rise rose risen; run ran; say said; see saw seen; seek sought;
sell sold; send sent; shake shook shaken; shine shone; shoot shot; show shown; shrink shrank shrunk;
sing sang sung; sink sank sunk; sit sat; sleep slept; speak spoke spoken; spell spelt; spend spent;
spread; stand stood; steal stole stolen; stick stuck; strike struck; swear swore sworn; swim swam
swum; take took taken; teach taught; tear tore torn; tell told; think thought; throw threw thrown;
understand understood; wake woke woken; wear wore worn; win won; withdraw withdrew withdrawn; write
wrote written; child children; man men; woman women; person people; foot feet; tooth teeth; mouse
mice; goose geese; leaf leaves; life lives; knife knives; wife wives; half halves; shelf shelves;
loaf loaves; thief thieves; wolf wolves; analysis analyses; crisis crises; criterion criteria
"""

_SPELLINGS = """
colour color; favour favor; favourite favorite; flavour flavor; harbour harbor; honour honor; humour
humor; labour labor; neighbour neighbor; rumour rumor; vapour vapor; behaviour behavior; centre
center; metre meter; litre liter; theatre theater; fibre fiber; calibre caliber; grey gray;
catalogue catalog; dialogue dialog; programme program; cheque check; defence defense; licence
license; offence offense; tyre tire; plough plow; aluminium aluminum; jewellery jewelry; traveller
traveler; email; hour hr hrs; minute mins; second sec secs; kilometre kilometer km; kilogram kg;
pound lb lbs; ounce oz; inch inches; foot ft; dollar usd; euro eur; percent pct; telephone phone;
television tv; photograph photo picture; information info; application app; refrigerator fridge;
advertisement advert ad ads; laboratory lab; mathematics maths math; department dept; government
govt; approximate approx; versus vs; international intl; organize organise; okay ok
"""

_PLAIN = """
purchase buy; commence begin start; terminate finish conclude; utilize utilise employ use; assist
help aid; obtain acquire get; demonstrate show illustrate; sufficient adequate enough; additional
extra further; numerous many; attempt try; residence home house; attorney lawyer; physician doctor;
automobile car; large big; larger bigger; largest biggest; small little; rapid quick fast swift;
faster quicker; fastest quickest; significant important crucial vital essential; error mistake;
answer reply; choose select pick; construct build; easy simple; easier simpler; repair fix; glad
happy; hard difficult tough; ill sick; inform notify; job task; retain keep maintain; child kid;
location place spot; modify change alter; permit allow; provide supply offer; reduce decrease
lessen; remain stay; request ask; speak talk; stop cease halt; street road; suggest recommend; trip
journey; various different; wealthy rich; entire whole complete; famous renowned; beautiful lovely;
gather collect; guarantee ensure; hurry rush; nation country; occur happen; participate join;
primary main; prohibit ban forbid; silent quiet; slim thin; strange odd; student pupil; teach
instruct; usual typical normal; vacant empty; verify confirm; wish want desire; employee worker;
film movie; company firm; purpose aim goal objective; advantage benefit; drawback disadvantage;
examine inspect; lightweight light; contain include; display show; entry admission; attach fasten;
accurate exact; famed; afterwards later; earlier previously; seldom rarely; powerful strong; broad
wide; approximately roughly about
"""
"""Own choice after the simple-words tables of plain-language guides. The words of a group count as
one word; opposites are never in one group."""


def _groups() -> dict[str, str]:
    found: dict[str, str] = {}
    for table in (_SPELLINGS, _IRREGULAR, _PLAIN):
        for group in table.split(";"):
            stems = [stem(word) for word in group.split()]
            plain = next((one for one in stems if one in FUNCTION), "")
            head = plain or next((found[one] for one in stems if one in found), stems[0])
            joined = {found.get(one, one) for one in stems}
            found.update({one: head for one, root in found.items() if root in joined})
            found.update(dict.fromkeys([*stems, *joined], head))
    return {word: head for word, head in found.items() if word != head}


_ROOTS = _groups()


@lru_cache(maxsize=1 << 16)
def root(word: str) -> str:
    """The stem that stands for a word and those that say the same.

    >>> root("purchased"), root("bought"), root("colour"), root("organising")
    ('buy', 'buy', 'color', 'organiz')
    """
    found = stem(word)
    if found.endswith(("is", "isation")) and len(found) > 5:
        found = found[:-7] + "ization" if found.endswith("ation") else found[:-1] + "z"
    return _ROOTS.get(found, found)
