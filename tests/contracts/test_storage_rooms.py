"""Rooms number their changes without a gap, remember who has read what, and can be searched."""

import asyncio
from datetime import timedelta

import pytest

from parley.kernel.errors import NotFound
from parley.kernel.incoming import Person
from parley.kernel.messages import (
    Bullets,
    Code,
    Fact,
    Facts,
    Folded,
    Message,
    Table,
    Tags,
    Text,
)
from parley.kernel.ports.rooms import Posted
from parley.storage.database import Database, open_database
from parley.storage.ids import Ids
from parley.storage.inbox import store
from parley.storage.outbox import StoredOutbox
from parley.storage.rooms import StoredRooms
from parley.storage.rows import ensure_rooms
from tests.arrivals import OPS, arrival, message, route

ANA, BEN = Person("ana", "Ana"), Person("ben", "Ben")


@pytest.fixture
def rooms(database: Database, ids: Ids) -> StoredRooms:
    """Return three rooms."""
    database.run(lambda c: ensure_rooms(c, ["ops", "admin", "builds"]))
    return StoredRooms(database, ids)


async def say(rooms: StoredRooms, text: str, root: int | None = None, room: str = "ops") -> Posted:
    """Let Ana say something."""
    return await rooms.say(room, ANA, text, root, None)


async def unread(rooms: StoredRooms, person: Person) -> dict[str, int]:
    """Return how many messages of each room the person has not seen."""
    return {room.name: room.unread for room in await rooms.list(person)}


async def test_rooms_are_listed_by_name_and_admin_comes_last(rooms: StoredRooms) -> None:
    assert [room.name for room in await rooms.list(ANA)] == ["builds", "ops", "admin"]


async def test_changes_have_no_gap_however_many_write_at_once(
    database_url: str, database: Database, ids: Ids, rooms: StoredRooms
) -> None:
    other = open_database(database_url)
    everywhere = [rooms, StoredRooms(other, ids)]

    async def post(number: int) -> None:
        await say(everywhere[number % 2], str(number), room=["ops", "builds"][number % 3 % 2])

    await asyncio.gather(*(post(number) for number in range(60)))
    other.close()
    for room in ("ops", "builds"):
        changes = await rooms.changes(room, 0, 100)
        assert [one.seq for one in changes] == list(range(1, len(changes) + 1))
        assert (await rooms.last_changes())[room] == len(changes)
    assert sum((await rooms.last_changes()).values()) == 60


async def test_a_question_and_its_answer_stand_together(
    database: Database, rooms: StoredRooms
) -> None:
    async def ask(number: int) -> None:
        await rooms.say("ops", ANA, f"@aws help {number}", None, message(f"help {number}"))

    await asyncio.gather(*(ask(number) for number in range(10)))
    history = await rooms.history("ops", None, 100)
    assert len(history) == 20
    for question, answer in zip(history[::2], history[1::2], strict=True):
        assert question.author == ANA
        assert answer.author is None
        assert answer.message is not None
        assert question.text.removeprefix("@aws ") == answer.message.title.text
    with pytest.raises(NotFound):
        await rooms.say("nowhere", ANA, "@aws help", None, message("help"))
    assert sum((await rooms.last_changes()).values()) == 20


async def test_an_answer_stands_in_the_thread_of_its_question(rooms: StoredRooms) -> None:
    head = await say(rooms, "head")
    await rooms.say("ops", BEN, "@aws help", head.id, message("help"))
    thread = await rooms.thread(head.id)
    assert [one.root for one in thread] == [None, head.id, head.id]
    assert thread[0].replies == 2
    assert thread[0].last_reply_at == thread[2].created_at
    assert [one.id for one in await rooms.history("ops", None, 10)] == [head.id]


async def test_replies_go_to_heads_of_the_same_room(rooms: StoredRooms) -> None:
    head = await say(rooms, "head")
    reply = await say(rooms, "reply", head.id)
    for room, root in (("ops", reply.id), ("builds", head.id), ("ops", 1)):
        with pytest.raises(NotFound):
            await say(rooms, "lost", root, room)
    assert await rooms.thread(reply.id) == []
    assert await rooms.message(reply.id) is not None
    assert await rooms.message(1) is None


async def test_history_is_turned_page_by_page(rooms: StoredRooms) -> None:
    said = [await say(rooms, str(number)) for number in range(7)]
    await say(rooms, "reply", said[0].id)
    pages, before = [], None
    while page := await rooms.history("ops", before, 3):
        pages.append([one.text for one in page])
        before = page[0].id
    assert pages == [["4", "5", "6"], ["1", "2", "3"], ["0"]]


async def test_whoever_comes_back_is_told_what_was_missed_as_it_stands_now(
    database: Database, ids: Ids, rooms: StoredRooms
) -> None:
    outbox = StoredOutbox(database, ids, timedelta(minutes=1))
    for number in range(3):
        database.run(
            lambda c, number=number: store(  # type: ignore[misc]
                c, [arrival(route(OPS, str(number)))], ids, timedelta()
            )
        )
        [lease] = await outbox.claim("me", 10)
        await outbox.shown(lease, await outbox.pending(lease, 10))
        await outbox.release(lease)
    missed = await rooms.changes("ops", 1, 100)
    assert [(one.seq, one.kind) for one in missed] == [(2, "posted"), (3, "posted")]
    assert [one.posted.message.title.text for one in missed if one.posted.message] == ["1", "2"]
    assert [one.seq for one in await rooms.changes("ops", 0, 2)] == [1, 2]
    assert await rooms.changes("ops", 3, 100) == []


async def test_unread_counts_are_each_persons_own(rooms: StoredRooms) -> None:
    for number in range(3):
        await say(rooms, str(number))
    assert await unread(rooms, ANA) == {"builds": 0, "ops": 0, "admin": 0}
    assert await unread(rooms, BEN) == {"builds": 0, "ops": 3, "admin": 0}
    await rooms.mark_read(BEN, "ops", 2)
    assert (await unread(rooms, BEN))["ops"] == 1
    await rooms.mark_read(BEN, "ops", 1)
    assert (await unread(rooms, BEN))["ops"] == 1


async def test_nobody_has_read_what_is_yet_to_come(rooms: StoredRooms) -> None:
    await say(rooms, "one")
    await rooms.mark_read(BEN, "ops", 2**62)
    await say(rooms, "two")
    assert (await unread(rooms, BEN))["ops"] == 1


async def test_a_room_that_does_not_exist_is_not_remembered(
    database: Database, rooms: StoredRooms
) -> None:
    await rooms.mark_read(BEN, "nowhere \x00", 1)
    await rooms.mute(BEN, "nowhere \x00", muted=True)
    database.run(lambda c: ensure_rooms(c, ["nowhere"]))
    assert not any(room.muted for room in await rooms.list(BEN))


async def test_muting_is_each_persons_own_and_keeps_what_was_read(rooms: StoredRooms) -> None:
    await say(rooms, "one")
    await rooms.mark_read(BEN, "ops", 1)
    await rooms.mute(BEN, "ops", muted=True)
    assert {room.name: room.muted for room in await rooms.list(BEN)}["ops"] is True
    assert {room.name: room.muted for room in await rooms.list(ANA)}["ops"] is False
    assert (await unread(rooms, BEN))["ops"] == 0
    await rooms.mute(BEN, "ops", muted=False)
    assert {room.name: room.muted for room in await rooms.list(BEN)}["ops"] is False


async def test_odd_text_can_be_said(rooms: StoredRooms) -> None:
    posted = await say(rooms, "half \ud83d and \x00 nothing")
    assert posted.text == "half ? and \N{SYMBOL FOR NULL} nothing"
    await rooms.say("ops", ANA, "x" * 10_000, None, Message(Text("answer \ud83d\x00")))


# --- search -----------------------------------------------------------------------------------


async def found(rooms: StoredRooms, words: str, room: str = "") -> list[str]:
    """Return the lines that are found, newest first."""
    return [one.text for one in await rooms.search(words, room, None, 100)]


async def test_all_the_words_must_be_there_and_the_newest_comes_first(rooms: StoredRooms) -> None:
    for text in ("disk full on web-1", "disk fine on web-2", "CPU high on web-1"):
        await say(rooms, text)
    assert await found(rooms, "disk") == ["disk fine on web-2", "disk full on web-1"]
    assert await found(rooms, "DISK web 1") == ["disk full on web-1"]
    assert await found(rooms, "dis fu") == ["disk full on web-1"]
    assert await found(rooms, "disk high") == []
    assert await found(rooms, "isk") == []


@pytest.mark.parametrize(
    "text, words",
    [
        ("checkout.example.com/path?id=7", "example"),
        ("checkout.example.com/path?id=7", "path"),
        ("arn:aws:sns:eu-west-1:123456789012:alarms", "eu-west-1"),
        ("arn:aws:sns:eu-west-1:123456789012:alarms", "alarms"),
        ("arn:aws:sns:eu-west-1:123456789012:alarms", "arn:aws:sns:eu-west-1:123456789012:alarms"),
        ("prod_checkout_p99", "checkout"),
        ("threshold 0.85 crossed at -12", "12"),
        ("threshold 0.85 crossed", "0.85"),
        ("someone@example.com", "example"),
        ("Straße in Köln", "köln"),
        ("ПРИВЕТ", "привет"),
        ("the and of", "the"),
        ("i-0abc12de", "i-0abc"),
    ],
)
async def test_both_databases_find_the_same_words(
    rooms: StoredRooms, text: str, words: str
) -> None:
    await say(rooms, text)
    assert await found(rooms, words) == [text]


@pytest.mark.parametrize(
    "words",
    [
        *('"', '"one', "one AND", "NOT two", "one OR two", "NEAR(one two)", "one*", "^one", "-one"),
        *("room:one", "{one}", "one & two", "one | two", "!one", "one <-> two", "one:*", "'one'"),
        *("\\", "%", "_", "one; DROP TABLE rooms", "\x00", "\ud83d", "()", "* *", ":a"),
    ],
)
async def test_no_character_has_a_meaning_of_its_own(rooms: StoredRooms, words: str) -> None:
    await say(rooms, "one")
    await say(rooms, "nothing else")
    hits = await found(rooms, words)
    plain = "".join(one if one.isalnum() else " " for one in words).split()
    assert hits == (["one"] if [one.lower() for one in plain] == ["one"] else [])


async def test_search_stays_in_a_room_and_turns_pages(rooms: StoredRooms) -> None:
    for number in range(5):
        await say(rooms, f"word {number}", room="ops" if number % 2 else "builds")
    assert await found(rooms, "word", "ops") == ["word 3", "word 1"]
    first = await rooms.search("word", "", None, 2)
    second = await rooms.search("word", "", first[-1].id, 2)
    assert [one.text for one in (*first, *second)] == ["word 4", "word 3", "word 2", "word 1"]


async def test_everything_that_a_message_shows_is_found(rooms: StoredRooms) -> None:
    whole = Message(
        Text("intitle"),
        state="INSTATE",
        context=("incontext",),
        summary="insummary",
        blocks=(
            Text("intext"),
            Code("incode"),
            Facts((Fact("inlabel", "invalue"),)),
            Bullets((Text("initem"),), "inbullets"),
            Tags(("intag",), "intags"),
            Table(("incolumn",), (("incell",),)),
            Folded("infold", (Code("infolded"),)),
        ),
    )
    await rooms.say("ops", ANA, "question", None, whole)
    for word in (
        *("intitle", "instate", "incontext", "insummary", "intext", "incode", "inlabel"),
        *("invalue", "initem", "inbullets", "intag", "intags", "incolumn", "incell"),
        *("infold", "infolded"),
    ):
        [hit] = await rooms.search(word, "", None, 10)
        assert hit.message == whole


async def test_text_of_any_length_can_be_searched(rooms: StoredRooms) -> None:
    long = Message(Text("start " + "x" * 100_000 + " " + "word " * 50_000))
    await rooms.say("ops", ANA, "question", None, long)
    assert len(await rooms.search("start", "", None, 10)) == 1
    assert len(await rooms.search("x" * 50_000, "", None, 10)) == 1
