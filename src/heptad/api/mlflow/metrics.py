"""."""

from heptad.api.mlflow.protocol import Route

ROUTES: tuple[Route, ...] = ()
