"""SQS queues, read by long polling on the shared HTTP session, so that waiting costs no thread."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from parley.aws.limits import read_at_most
from parley.aws.queue_url import QueueUrl, parse_queue_url
from parley.kernel.errors import Unavailable
from parley.kernel.ports.queues import QueueMessage

if TYPE_CHECKING:
    from parley.aws.sqs_requests import SqsRequests

_WAIT = 20
_TIMEOUT = ClientTimeout(total=_WAIT + 15, sock_connect=5)
_LARGEST_ANSWER = 64 * 1024 * 1024


class SqsQueues:
    """See `parley.kernel.ports.queues.Queues`.

    `endpoint_url` is asked instead of AWS, `region` is that of URLs that name none: emulators.
    """

    def __init__(self, session: ClientSession, endpoint_url: str = "", region: str = "") -> None:
        """Take the session that the process shares; botocore is loaded when a queue is read."""
        self._session = session
        self._endpoint_url = endpoint_url
        self._region = region
        self._requests: SqsRequests | None = None
        self._loading = asyncio.Lock()

    async def receive(self, url: str) -> Sequence[QueueMessage]:
        """Return up to ten messages; wait up to 20 seconds for the first."""
        queue = self._queue(url)
        answer = await self._ask(
            "ReceiveMessage",
            queue,
            {
                "MaxNumberOfMessages": 10,
                "WaitTimeSeconds": _WAIT,
                "MessageSystemAttributeNames": ["SentTimestamp"],
            },
        )
        return [_message(queue, raw) for raw in answer.get("Messages") or ()]

    async def delete(self, url: str, messages: Sequence[QueueMessage]) -> None:
        """Remove up to ten messages for good."""
        await self._batch("DeleteMessageBatch", url, messages, {})

    async def hide(self, url: str, messages: Sequence[QueueMessage], seconds: int) -> None:
        """Keep up to ten messages hidden for so long from now; 0 gives them back at once."""
        more = {"VisibilityTimeout": seconds}
        await self._batch("ChangeMessageVisibilityBatch", url, messages, more)

    async def _batch(
        self, operation: str, url: str, messages: Sequence[QueueMessage], more: Mapping[str, int]
    ) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": message.receipt, **more}
            for number, message in enumerate(messages)
        ]
        queue = self._queue(url)
        answer = await self._ask(operation, queue, {"Entries": entries})
        failed = answer.get("Failed") or ()
        if failed:
            codes = ", ".join(sorted({str(one.get("Code")) for one in failed}))
            raise Unavailable(f"{len(failed)} messages of {queue.arn}: {operation} said {codes}.")

    def _queue(self, url: str) -> QueueUrl:
        return parse_queue_url(url, endpoint=self._endpoint_url, region=self._region)

    async def _ask(
        self, operation: str, queue: QueueUrl, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        requests = await self._loaded()
        # Credentials may have to be fetched anew, and botocore blocks while it does so.
        signed = await asyncio.to_thread(requests.sign, operation, queue, arguments)
        try:
            async with self._session.post(
                signed.url,
                data=signed.body,
                headers=signed.headers,
                allow_redirects=False,
                timeout=_TIMEOUT,
            ) as response:
                body = await read_at_most(response, _LARGEST_ANSWER)
                status = response.status
                headers = {name.lower(): value for name, value in response.headers.items()}
        except (ClientError, OSError, TimeoutError) as error:
            raise Unavailable(
                f"{queue.endpoint} cannot be reached ({type(error).__name__})."
            ) from error
        if body is None:
            raise Unavailable(f"{queue.endpoint} answered with more than a queue can hold.")
        return requests.read(operation, queue, status, headers, body)

    async def _loaded(self) -> "SqsRequests":
        async with self._loading:
            if self._requests is None:
                self._requests = await asyncio.to_thread(_load)
            return self._requests


def _load() -> "SqsRequests":
    from parley.aws.sqs_requests import SqsRequests  # noqa: PLC0415 - only who reads queues pays

    return SqsRequests()


def _message(queue: QueueUrl, raw: Mapping[str, Any]) -> QueueMessage:
    return QueueMessage(
        queue_arn=queue.arn,
        id=str(raw.get("MessageId", "")),
        receipt=str(raw.get("ReceiptHandle", "")),
        body=str(raw.get("Body", "")),
        sent_at=_sent_at(raw.get("Attributes") or {}),
    )


def _sent_at(attributes: Mapping[str, str]) -> datetime | None:
    milliseconds = attributes.get("SentTimestamp", "")
    if not (milliseconds.isdecimal() and len(milliseconds) == len("1700000000000")):
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
