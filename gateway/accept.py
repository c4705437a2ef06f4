"""What a caller would rather have, by its Accept header: RFC 9110, section 12.5.1."""

from typing import NamedTuple

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"
EVENTS = "text/event-stream"
NOT_A_NUMBER = 0.0


class Liking(NamedTuple):
    """How much a media type is wanted, and how closely it was named: by itself 2, by its kind 1, by `*/*` 0."""

    quality: float
    closeness: int


NOT_AT_ALL = Liking(0.0, 0)


def answer_type(accept: str) -> str:
    """GraphQL's own media type for who names it, plain JSON for everyone else, whatever they name."""
    own = liking(accept, RESPONSE)
    wanted = own.closeness == 2 and own.quality > 0 and own.quality >= liking(accept, JSON).quality
    return RESPONSE if wanted else JSON


def is_browser(accept: str) -> bool:
    """Whether a page is wanted more than data."""
    return liking(accept, HTML) > max(liking(accept, JSON), Liking(0.0, 2))


class Events(NamedTuple):
    """Whether an event stream is taken at all, and whether it is wanted rather than an answer of any other kind."""

    taken: bool
    wanted: bool


def events(accept: str) -> Events:
    """Only for who names them. Of what is wanted as much, the first that is named counts."""
    own = liking(accept, EVENTS)
    if own.closeness < 2 or own.quality == 0:
        return Events(taken=False, wanted=False)
    others = [(name, liking(accept, name)) for name in (RESPONSE, JSON) if name in accept.lower()]
    first = all(
        own.quality > other.quality or (own.quality == other.quality and _before(accept, EVENTS, name))
        for name, other in others
    )
    return Events(taken=True, wanted=first)


def _before(accept: str, one: str, other: str) -> bool:
    return accept.lower().index(one) < accept.lower().index(other)


def liking(accept: str, media: str) -> Liking:
    kind = media.partition("/")[0]
    closeness = {media: 2, f"{kind}/*": 1, "*/*": 0}
    found = NOT_AT_ALL
    closest = -1
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name in closeness and closeness[name] > closest:
            closest = closeness[name]
            found = Liking(_quality(parameters), closest)
    return found


def _quality(parameters: list[str]) -> float:
    text = next((one[2:].strip() for one in parameters if one.startswith("q=")), "1")
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return NOT_A_NUMBER
