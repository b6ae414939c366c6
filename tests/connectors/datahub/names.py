"""How DataHub names things, and what its metadata files hold, written by the tests."""

import gzip
import json
from pathlib import Path
from typing import Any


def dataset(name: str, platform: str = "hive") -> str:
    """The URN of a dataset."""
    return f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},PROD)"


def column(of: str, path: str) -> str:
    """The URN of a field."""
    return f"urn:li:schemaField:({of},{path})"


def proposal(urn: str, aspect: str, value: Any, change: str = "UPSERT") -> dict[str, Any]:
    """An MCP as files hold it."""
    entity = urn.split(":")[2]
    return {
        "entityType": entity,
        "entityUrn": urn,
        "changeType": change,
        "aspectName": aspect,
        "aspect": {"json": value},
    }


def written(path: Path, *records: Any) -> Path:
    """A metadata file."""
    body = json.dumps(list(records)).encode()
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    return path
