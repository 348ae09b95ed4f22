"""The blocks of a message as Block Kit."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from parley.kernel.messages import (
    Block,
    Bullets,
    Code,
    Facts,
    Folded,
    Markup,
    Table,
    Tags,
    Text,
)
from parley.platforms.clipping import clip
from parley.platforms.slack.mrkdwn import sections
from parley.platforms.slack.parts import (
    Part,
    bullets,
    context,
    fact,
    line,
    literal,
    plain,
    preformatted,
    rich,
    section,
)

_SHORT = 300
"""What is folded elsewhere is shown here when it is no longer than this."""

_CELL = 60


def parts(
    block: Block, characters: int, items: int, *, group_mentions: bool, linked: bool
) -> Iterator[Part]:
    """Return the parts of a block, at most so many characters of a text and items of a list.

    `linked` says that the whole message is one click away, so that folded parts can wait there.
    """
    match block:
        case Text():
            yield from _text(block, characters, group_mentions=group_mentions)
        case Code():
            yield from _code(block, characters)
        case Facts():
            yield from _facts(block, characters, items)
        case Bullets():
            yield from _bullets(block, characters, items, group_mentions=group_mentions)
        case Tags():
            yield from _tags(block, items)
        case Table():
            yield from _table(block, characters, items)
        case Folded():
            yield from _folded(block, items, group_mentions=group_mentions, linked=linked)


def _code(block: Code, characters: int) -> Iterator[Part]:
    if block.text.strip():
        yield preformatted(clip(block.text, characters))


def _facts(block: Facts, characters: int, items: int) -> Iterator[Part]:
    elements: list[Part] = []
    for one in block.facts[:items]:
        # One paragraph with line breaks: Slack may run several paragraphs together.
        elements += [*([literal("\n")] if elements else []), *fact(one, characters)]
    if elements:
        yield rich([line(elements)])
    yield from _not_shown(len(block.facts) - items)


def _text(text: Text, characters: int, *, group_mentions: bool) -> Iterator[Part]:
    shown = clip(text.text, characters)
    if not shown.strip():
        return
    if text.markup is Markup.CLIENT:
        for one in sections(shown, group_mentions=group_mentions):
            yield section(one)
    elif text.subtle:
        yield context([plain(clip(shown, 1_000))])
    else:
        yield rich([line([literal(shown)])])


def _bullets(
    block: Bullets, characters: int, items: int, *, group_mentions: bool
) -> Iterator[Part]:
    shown = [one for one in block.items[:items] if one.text.strip()]
    if block.label.strip() and shown:
        yield rich([line([literal(clip(block.label, 200), bold=True)])])
    limit = min(characters, 1_000)
    for markup, group in groupby(shown, key=lambda one: one.markup):
        texts = [clip(one.text, limit) for one in group]
        if markup is Markup.CLIENT:
            points = "\n".join(f"•  {one}" for one in texts)
            for one in sections(points, group_mentions=group_mentions):
                yield section(one)
        else:
            yield bullets(texts)
    yield from _not_shown(len(block.items) - items)


def _tags(block: Tags, items: int) -> Iterator[Part]:
    shown = [clip(one, 200) for one in block.tags if one.strip()][:items]
    if not shown:
        return
    elements = [literal(f"{clip(block.label, 200)}:")] if block.label.strip() else []
    for one in shown:
        elements += (
            [literal(" "), literal(one, code=True)] if elements else [literal(one, code=True)]
        )
    yield rich([line(elements)])
    yield from _not_shown(len(block.tags) - items)


def _table(block: Table, characters: int, items: int) -> Iterator[Part]:
    limit = min(characters, _CELL)
    rows = [[_cell(one, limit) for one in row] for row in (block.columns, *block.rows[:items])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=False)]
    lines = [_aligned(row, widths) for row in rows]
    if any(one.strip() for one in lines):
        yield preformatted("\n".join([lines[0], "-" * len(lines[0]), *lines[1:]]))
    yield from _not_shown(len(block.rows) - items)


def _cell(text: str, limit: int) -> str:
    return " ".join(clip(text, limit).split())


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(one.ljust(width) for one, width in zip(row, widths, strict=False)).rstrip()


def _size(block: Folded) -> int:
    return sum(
        sum(len(one.label) + len(one.value) for one in inner.facts)
        if isinstance(inner, Facts)
        else len(inner.text)
        for inner in block.blocks
    )


def _folded(block: Folded, items: int, *, group_mentions: bool, linked: bool) -> Iterator[Part]:
    if linked and _size(block) > _SHORT:
        return
    inside: list[Part] = []
    for inner in block.blocks[:items]:
        inside += parts(inner, _SHORT, items, group_mentions=group_mentions, linked=False)
    if inside and block.label.strip():
        yield context([plain(clip(block.label, 200))])
    yield from inside


def _not_shown(count: int) -> Iterator[Part]:
    if count > 0:
        yield context([plain(f"{count} more not shown here")])
