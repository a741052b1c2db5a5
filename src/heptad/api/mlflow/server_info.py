"""What the server says of itself: its version, and what it offers."""

from heptad.api.mlflow.protocol import Call, Context, Route

VERSION = "3.17.2"
"""The version of MLflow whose protocol is spoken here."""


def _info(_context: Context, _call: Call) -> dict[str, object]:
    return {
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": False,
        "multipart_downloads_enabled": False,
        "presigned_upload_run_id_supported": False,
    }


ROUTES = (Route("GET", "mlflow/server-info", Call, _info),)
