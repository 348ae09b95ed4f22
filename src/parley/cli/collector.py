"""The garbage collector of a process that stays: it need not look at what never goes away."""

import gc

_YOUNG = 20_000
_OLDER = 50


def settle() -> None:
    """Leave what start-up made out of every later collection, and collect less often.

    Storing and sending a message makes thousands of objects that free themselves: looking for
    cycles among them cost 8 % of the processor time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)
