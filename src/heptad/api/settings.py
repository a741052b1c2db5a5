"""All that an api process is told."""

import msgspec


class ApiOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where the workspace is, and where to listen."""

    root: str
    """Folder of the project, or of a workspace without one."""
    host: str = "127.0.0.1"
    port: int
    workers: int = 1
    parent: int = 0
    """Process that the server must not outlive; 0: it stands alone."""
    clock: str = ""
    """File of a shared clock; empty: the machine's clock."""
