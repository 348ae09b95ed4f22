"""Messages of every shape, from the ordinary to the hostile, for laws that hold for all of them."""

from datetime import UTC, timedelta, timezone

from hypothesis import strategies as st

from parley.kernel.messages import (
    Bullets,
    Code,
    Fact,
    Facts,
    Folded,
    LinkButton,
    Markup,
    Message,
    Table,
    Tags,
    Text,
    Tone,
)

HOSTILE = (
    "@here",
    "@channel all of you",
    "<!channel>",
    "<!here|here>",
    "<!everyone>",
    "<!subteam^S0123ABCD|@oncall>",
    "<@U0123ABCD>",
    "<@U0123ABCD|ana>",
    "<#C0123ABCD|general>",
    "<https://evil.example|https://bank.example>",
    "<https://evil.example|b\u200bank.example>",
    "<https://evil.example|`bank`.example>",
    "<javascript:alert(1)|click>",
    "<https://bank.example@evil.example|here>",
    "<!date^0^x^https://evil.example|bank.example>",
    "[bank.example](https://evil.example)",
    '[bank.example](//evil.example "x")',
    "![x](https://evil.example/pixel.png)",
    "[bank]: https://evil.example",
    "<script>alert(1)</script>",
    "*bold* _italic_ ~struck~ `code` :warning:",
    "```\ncode\n```",
    "> quote\n- point\n1. first\n# heading\n---\na | b\n- | -",
    "&lt;!channel&gt; &amp; &#60;!here&#62;",
    "{{DATE(2026-01-02T03:04:05Z, SHORT)}} {{{TIME(2026-01-02T03:04:05Z)}}}",
    "{{{{DATE(2026-01-02T03:04:05Z)}}}}",
    "\ud83d half an emoji",
    "\x00\x1b[31m\r\n\u202e",
    "😀" * 40,
    "https://example.com/a_b*c?x=1&y=(2)",
    "\ue0000\ue001",
    "   ",
)


def texts(longest: int = 60) -> st.SearchStrategy[str]:
    """Return a few words, and now and then something hostile or far too long."""
    hostile = st.sampled_from(HOSTILE)
    return st.one_of(
        st.text(max_size=longest),
        hostile,
        st.lists(st.one_of(hostile, st.text(max_size=10)), max_size=6).map(" ".join),
        st.builds(lambda part, times: part * times, hostile, st.integers(100, 3_000)),
        st.builds(lambda part, times: part * times, st.characters(), st.integers(1_000, 20_000)),
    )


urls = st.one_of(
    st.just(""),
    st.just("https://console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:search=i-1|2"),
    st.sampled_from(HOSTILE),
    st.integers(1, 4_000).map(lambda length: "https://example.com/" + "a" * length),
    st.text(max_size=20).map(lambda path: f"https://example.com/{path}"),
)
paragraphs = st.builds(Text, texts(), st.sampled_from(Markup), st.booleans())
plain_paragraphs = st.builds(Text, texts())
codes = st.builds(Code, texts())
facts = st.builds(Facts, st.lists(st.builds(Fact, texts(), texts(), urls), max_size=12).map(tuple))
tables = st.integers(0, 12).flatmap(
    lambda width: st.builds(
        Table,
        st.lists(texts(), min_size=width, max_size=width).map(tuple),
        st.lists(st.lists(texts(), min_size=width, max_size=width).map(tuple), max_size=6).map(
            tuple
        ),
    )
)
blocks = st.one_of(
    paragraphs,
    codes,
    facts,
    st.builds(Bullets, st.lists(paragraphs, max_size=60).map(tuple), texts()),
    st.builds(Tags, st.lists(texts(), max_size=60).map(tuple), texts()),
    tables,
    st.builds(
        Folded, texts(), st.lists(st.one_of(paragraphs, codes, facts), max_size=6).map(tuple)
    ),
)
times = st.one_of(
    st.none(),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(timezones=st.just(timezone(timedelta(hours=14)))),
)


def messages(block: st.SearchStrategy[object] = blocks) -> st.SearchStrategy[Message]:
    """Return any message that the types allow."""
    return st.builds(
        Message,
        title=paragraphs,
        tone=st.sampled_from(Tone),
        state=st.one_of(st.just("ALARM"), texts()),
        context=st.lists(texts(), max_size=14).map(tuple),
        at=times,
        note=texts(),
        summary=texts(),
        blocks=st.lists(block, max_size=70).map(tuple),
        buttons=st.lists(st.builds(LinkButton, texts(), urls), max_size=30).map(tuple),
        footer=texts(),
        event_id=st.one_of(st.just(""), st.just("sns:arn:aws:sns:eu-west-1:1:t:1/2"), texts()),
        group_mentions=st.booleans(),
    )
