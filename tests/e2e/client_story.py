"""A small pipeline told by the real openlineage-python: extract, features, train. The address is the first argument."""

import sys
import time
import uuid
from datetime import UTC, datetime

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.transport.http import HttpCompression, HttpConfig, HttpTransport

STEPS = (
    ("extract", ("postgres://db:5432", "crm.public.customers"), ("s3://lake", "raw/customers")),
    ("features", ("s3://lake", "raw/customers"), ("s3://lake", "features/customers")),
    ("train", ("s3://lake", "features/customers"), ("mlflow://elsewhere:5000", "models/churn")),
)


def tell(url: str, pause: float) -> None:
    """Send START and COMPLETE of each step, with a pause between all of them."""
    # The client's own defaults but for the numbers: what is given replaces them whole.
    retry = {"total": 12, "connect": 12, "read": 12, "backoff_factor": 0.3, "allowed_methods": ["POST"]}
    config = HttpConfig(url=url, compression=HttpCompression.GZIP, retry=retry)
    client = OpenLineageClient(transport=HttpTransport(config))
    for name, read, written in STEPS:
        run = Run(runId=str(uuid.uuid4()))
        for state in (RunState.START, RunState.COMPLETE):
            client.emit(
                RunEvent(
                    eventType=state,
                    eventTime=datetime.now(UTC).isoformat(),
                    run=run,
                    job=Job(namespace="client_story", name=name),
                    producer="https://example.org/client-story/1.0",
                    inputs=[InputDataset(*read)],
                    outputs=[OutputDataset(*written)],
                )
            )
            time.sleep(pause)


if __name__ == "__main__":
    tell(sys.argv[1], float(sys.argv[2]))
