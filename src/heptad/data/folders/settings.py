"""The section `[remote]` of heptad.toml: where folders are pushed to and pulled from."""

from heptad.core.settings import Count, Settings, Span


class RemoteSettings(Settings, frozen=True, kw_only=True):
    """`[remote]`: a place that several people or machines share their data through."""

    uri: str = ""
    """A folder (relative to the project's), or `s3://BUCKET/PREFIX`, `gs://`, `az://`; empty: there is none."""
    endpoint: str = ""
    """Address of an S3 API server that is not Amazon's, for example `http://127.0.0.1:9000`."""
    options: dict[str, str] = {}
    """Options of the object store, such as `region`; secrets as `${NAME}`, or in the environment."""
    timeout: Span = "5m"
    """How long sending or fetching one pack, of 16 MB, may take."""
    retries: Count = 5
    """How often to ask again after an error that may pass."""
