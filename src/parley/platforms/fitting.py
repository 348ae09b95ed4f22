"""Making the parts of a message fit together: the largest are cut first, the last are left out."""

from collections.abc import Callable, Sequence
from typing import Any

MOST_PARTS = 60
"""More parts than this are not even tried: no platform shows so many."""

Drawn = list[dict[str, Any]]


def fitted(
    parts: Sequence[Callable[[int], Drawn]],
    steps: int,
    weight: Callable[[Drawn], int],
    room: int,
    most_elements: int,
) -> tuple[Drawn, bool]:
    """Return what the parts draw, within `room` by weight, and whether each of them is there.

    A part is drawn for a step from 0 (as it is) to `steps - 1` (cut as short as it may be).
    """
    tried = parts[:MOST_PARTS]
    drawn = [part(0) for part in tried]
    weights = [weight(one) for one in drawn]
    step = [0] * len(tried)
    while sum(weights) > room:
        longest = max(
            (number for number in range(len(tried)) if step[number] < steps - 1),
            key=weights.__getitem__,
            default=None,
        )
        if longest is None:
            break
        step[longest] += 1
        drawn[longest] = tried[longest](step[longest])
        weights[longest] = weight(drawn[longest])
    while sum(weights) > room or sum(map(len, drawn)) > most_elements:
        drawn.pop()
        weights.pop()
    return [element for one in drawn for element in one], len(drawn) == len(parts)
