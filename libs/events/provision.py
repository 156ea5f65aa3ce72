"""Makes the streams and the durable consumers; the one place that does.

Idempotent: what is there and right is left alone. It runs as a command before the services start,
and by the active relay when it finds that the broker has lost its store.
"""

from __future__ import annotations

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from libs.events.subjects import CONSUMERS, STREAMS, Consumer, Stream

_STREAM_FIELDS = ("subjects", "max_age", "max_bytes", "duplicate_window", "num_replicas")


async def provision(jetstream: JetStreamContext, *, replicas: int = 1) -> list[str]:
    """Make every stream and consumer that is missing or not as it should be; give their names.

    `replicas` is on how many servers of a cluster each stream lies: 1, 3 or 5. Raises nats-py's
    `APIError` when there are fewer servers.
    """
    made = [stream.name for stream in STREAMS if await _ensure_stream(jetstream, stream, replicas)]
    made += [consumer.name for consumer in CONSUMERS if await _ensure_consumer(jetstream, consumer)]
    return made


async def is_provisioned(jetstream: JetStreamContext, consumer: Consumer) -> bool:
    """Whether this consumer is there, so that subscribing to it cannot make it wrongly."""
    try:
        await jetstream.consumer_info(consumer.stream, consumer.name)
    except NotFoundError:
        return False
    return True


async def _ensure_stream(jetstream: JetStreamContext, stream: Stream, replicas: int) -> bool:
    config = StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=RetentionPolicy.WORK_QUEUE if stream.work_queue else RetentionPolicy.LIMITS,
        storage=StorageType.MEMORY if stream.in_memory else StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_age=stream.max_age,
        max_bytes=stream.max_bytes,
        duplicate_window=stream.duplicate_window,
        num_replicas=replicas,
    )
    try:
        present = (await jetstream.stream_info(stream.name)).config
    except NotFoundError:
        await jetstream.add_stream(config)
        return True
    if _alike(present, config, _STREAM_FIELDS):
        return False
    await jetstream.update_stream(config)
    return True


async def _ensure_consumer(jetstream: JetStreamContext, consumer: Consumer) -> bool:
    config = ConsumerConfig(
        durable_name=consumer.name,
        deliver_subject=f"deliver.{consumer.name}",
        deliver_group=consumer.name,
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
        filter_subjects=list(consumer.subjects),
        ack_wait=consumer.ack_wait,
        max_ack_pending=consumer.max_ack_pending,
        max_deliver=-1,
    )
    try:
        present = (await jetstream.consumer_info(consumer.stream, consumer.name)).config
    except NotFoundError:
        pass
    else:
        filters = present.filter_subjects or [present.filter_subject]
        same = _alike(present, config, ("ack_wait", "max_ack_pending", "max_deliver"))
        if same and set(filters) == set(consumer.subjects):
            return False
    await jetstream.add_consumer(consumer.stream, config)
    return True


def _alike(
    present: StreamConfig | ConsumerConfig,
    wanted: StreamConfig | ConsumerConfig,
    fields: tuple[str, ...],
) -> bool:
    return all(getattr(present, name) == getattr(wanted, name) for name in fields)
