"""URIs of files, objects and pages: the OpenLineage pair that each stands for."""

import re
from urllib.parse import unquote

from .key import PhysicalName
from .namespace import place
from .openlineage import canonical, physical
from .systems import FILE, Shape

_WEB = re.compile(r"(https?)://([^/?#]*)([^?#]*)", re.IGNORECASE)
_AZURE = re.compile(r"([a-z0-9]+)\.(?:blob|dfs)\.(core\.[a-z.]+)(?::443)?", re.IGNORECASE)
_S3_HOST = re.compile(r"(.+)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?(?::443)?", re.IGNORECASE)
_S3_PATH = re.compile(r"s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?(?::443)?", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:/")
_TABLE_UUID = re.compile(r"/tables/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$", re.IGNORECASE)
_VOLUME = re.compile(r"(?:dbfs:)?/+Volumes/([^/]+)/([^/]+)/([^/]+)(/.*)?", re.IGNORECASE)


def split(uri: str) -> tuple[str, str]:
    """Namespace and name of a URI as OpenLineage would write them; queries, signatures and credentials are left out."""
    web = _WEB.match(uri)
    if web is not None:
        return _web(web[1].lower(), web[2].rpartition("@")[2], web[3])
    here = place(uri)
    if here.system.shape in (Shape.OBJECT, Shape.PATH):
        return canonical(here.text, "")
    if here.system.filed:
        return here.text, ""
    name = here.path.lstrip("/")
    return canonical(here.bare, name.replace("/", ".") if here.system.shape is Shape.DOTTED else name)


def is_uri(text: str) -> bool:
    """It begins with a scheme."""
    return _SCHEME.match(text) is not None


def canonical_uri(uri: str) -> str:
    """One spelling of a URI for all spellings of one place; what is no URI stays as it is."""
    if not is_uri(uri):
        return uri
    namespace, name = split(uri)
    if namespace == FILE.name:
        return f"file://{name}"
    if not name:
        return namespace
    return f"{namespace}{'' if name.startswith('/') else '/'}{name}"


def located(uri: str) -> PhysicalName | None:
    """The thing at a URI; None if it is none."""
    return physical(*split(uri)) if is_uri(uri) else None


def table_uuid(path: str) -> str | None:
    """The table that a catalogue keeps in a folder of its own: the last part of `…/tables/<uuid>`."""
    found = _TABLE_UUID.search(path)
    return found[1].lower() if found else None


def volume(path: str) -> str | None:
    """`catalog.schema.volume/subpath` of a path under /Volumes."""
    found = _VOLUME.fullmatch(path)
    if found is None:
        return None
    # The names ignore case, the files behind them do not.
    return ".".join(found.group(1, 2, 3)).lower() + (found[4] or "").rstrip("/")


def _web(scheme: str, host: str, path: str) -> tuple[str, str]:
    """A page, or an object that is addressed like one."""
    azure, bucket = _AZURE.fullmatch(host), _S3_HOST.fullmatch(host)
    if azure is not None and path.strip("/"):
        container, _, rest = unquote(path).lstrip("/").partition("/")
        return canonical(f"abfss://{container}@{azure[1]}.dfs.{azure[2]}", rest)
    if bucket is not None:
        return canonical(f"s3://{bucket[1]}", unquote(path))
    if _S3_PATH.fullmatch(host) and path.strip("/"):
        name, _, rest = unquote(path).lstrip("/").partition("/")
        return canonical(f"s3://{name}", rest)
    if host.lower() in ("storage.googleapis.com", "storage.cloud.google.com") and path.strip("/"):
        name, _, rest = unquote(path).lstrip("/").partition("/")
        return canonical(f"gs://{name}", rest)
    return canonical(f"{scheme}://{host}", path)
