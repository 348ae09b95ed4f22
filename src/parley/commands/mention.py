"""Whether a line is meant for the bot, and what it asks."""

import re

_MENTION = re.compile(r"\s*@(?:aws|parley|amazon\s+q)\b[\s:,]*", re.IGNORECASE)


def asked(text: str) -> str | None:
    """Return what follows the mention of the bot, trimmed; none when it is not mentioned.

    The bot is mentioned at the beginning of the line, as `@aws`, `@parley` or `@Amazon Q`, in
    small or capital letters.
    """
    mention = _MENTION.match(text)
    return text[mention.end() :].strip() if mention else None
