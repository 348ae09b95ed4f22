"""Requests to SQS, written, signed and read by botocore's own parts, but sent by somebody else.

Importing this module loads botocore: 0.1 s and 30 MB that only who reads queues should pay for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError, create_parser
from botocore.serialize import create_serializer

from parley.aws.queue_url import QueueUrl
from parley.kernel.errors import ParleyError, Refused, Unavailable

_MISSING_QUEUE = ("NonExistentQueue", "QueueDoesNotExist")
_LATER = ("Throttl", "RequestLimitExceeded", "ServiceUnavailable", "InternalError")
_BUSY = 429


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """An HTTP POST, ready to be sent as it is."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class SqsRequests:
    """Knows SQS's model and finds credentials as the AWS SDK does. Blocks: use it on a thread."""

    def __init__(self) -> None:
        """Load the model of SQS."""
        self._session = botocore.session.get_session()
        self._model = self._session.get_service_model("sqs")
        protocol = self._model.resolved_protocol
        self._serializer = create_serializer(protocol)
        self._parser = create_parser(protocol)

    def sign(self, operation: str, queue: QueueUrl, arguments: Mapping[str, Any]) -> SignedRequest:
        """Write and sign a request. Raises `Refused` without credentials."""
        serialized = self._serializer.serialize_to_request(
            {"QueueUrl": queue.url, **arguments}, self._model.operation_model(operation)
        )
        request = AWSRequest(
            method=serialized["method"],
            url=queue.endpoint + serialized["url_path"],
            headers=serialized["headers"],
            data=serialized["body"],
        )
        try:
            credentials = self._session.get_credentials()
            if credentials is None:
                raise Refused(
                    "There are no AWS credentials to read queues with. Parley takes them where the"
                    " AWS SDK does: a role of the machine, a profile, or environment variables."
                )
            SigV4Auth(credentials.get_frozen_credentials(), "sqs", queue.region).add_auth(request)
        except BotoCoreError as error:
            raise Unavailable(f"The AWS credentials cannot be used now: {error}") from error
        return SignedRequest(request.url, dict(request.headers.items()), request.body)

    def read(
        self,
        operation: str,
        queue: QueueUrl,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
    ) -> dict[str, Any]:
        """Read an answer. Raises `Refused` or `Unavailable` with what SQS said."""
        response = {"status_code": status, "headers": headers, "body": body}
        shape = self._model.operation_model(operation).output_shape
        try:
            parsed: dict[str, Any] = self._parser.parse(response, shape)
        except (ResponseParserError, ValueError) as error:
            raise Unavailable(f"{queue.endpoint} did not answer like SQS ({status}).") from error
        if status >= 300:  # noqa: PLR2004 - all but success
            raise _error(queue, operation, status, parsed.get("Error") or {})
        return parsed


def _error(queue: QueueUrl, operation: str, status: int, said: Mapping[str, Any]) -> ParleyError:
    code, text = str(said.get("Code") or status), str(said.get("Message") or "").strip()
    answer = f"SQS answered {code}" + (f": {text}" if text else ".")
    what = f"The queue {queue.arn} cannot be read ({operation}). {answer}"
    if status >= 500 or status == _BUSY or code.startswith(_LATER):  # noqa: PLR2004 - the server's errors
        return Unavailable(what)
    if any(name in code for name in _MISSING_QUEUE):
        return Refused(f"{what} Create the queue, or correct its URL in the configuration.")
    return Refused(
        f"{what} Parley's credentials need sqs:ReceiveMessage, sqs:DeleteMessage and"
        " sqs:ChangeMessageVisibility for it, and kms:Decrypt if it is encrypted with a key of"
        " yours."
    )
