"""Publishing to SNS: only `parley send-test` does. boto3 is imported at the first call."""

import asyncio
from collections.abc import Mapping

from parley.events.topics import parse_topic
from parley.kernel.errors import Unavailable


class SnsPublisher:
    """Publishes with the credentials that the AWS SDK finds on this machine."""

    def __init__(self, endpoint_url: str, endpoints: Mapping[str, str]) -> None:
        """Take the endpoint for all of AWS and those of single topics; empty means the real one."""
        self._endpoint_url = endpoint_url
        self._endpoints = endpoints

    async def publish(self, topic: str, message: str) -> str:
        """Return the MessageId. Raises `Unavailable` with what AWS answered."""
        return await asyncio.to_thread(self._publish, topic, message)

    def _publish(self, topic: str, message: str) -> str:
        import boto3  # noqa: PLC0415 - 0.3 s that only this needs
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

        try:
            client = boto3.client(
                "sns",
                region_name=parse_topic(topic).region,
                endpoint_url=self._endpoints.get(topic) or self._endpoint_url or None,
            )
            return str(client.publish(TopicArn=topic, Message=message)["MessageId"])
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(
                f"Publishing to {topic} failed: {error}. It needs sns:Publish; `--inside` starts "
                "behind the door and needs no credentials."
            ) from error
