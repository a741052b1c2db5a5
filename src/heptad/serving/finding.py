"""One answer by its id: what asks about a single prediction does not load what whole tables need."""

from contextlib import closing

from deltalake import DeltaTable, QueryBuilder

from heptad.core.errors import NotFoundError
from heptad.core.workspace import Workspace
from heptad.serving.journal import Journal
from heptad.serving.log_rows import TABLE, prediction_at, prediction_of
from heptad.serving.records import Prediction
from heptad.serving.snapshot import serve_folder


def find_prediction(workspace: Workspace, identity: str) -> Prediction:
    """A prediction of the project, collected or not; raises `NotFoundError`.

    The table is read after the journal: what was moved meanwhile is there by then. Of the table, the statistics of its
    files say which of them may hold the id, and of those that column is read.
    """
    path, folder = serve_folder(workspace).journal, str(workspace.tables / TABLE)
    if path.exists():
        with closing(Journal(path)) as journal:
            for _, entries in journal.find(identity):
                return prediction_at(entries, 0, workspace.name)
    if DeltaTable.is_deltatable(folder):
        found = QueryBuilder().register("log", DeltaTable(folder)).execute(_by_id(identity)).read_all()
        if found.num_rows:
            return prediction_of({name: found[name].to_pylist()[0] for name in found.column_names})
    raise NotFoundError("prediction", identity, remedy="list some: heptad serving list")


def _by_id(identity: str) -> str:
    """The query with the id as hexadecimal digits, so that nothing in it can be taken for more than an id."""
    digits = identity.encode().hex()
    return f"SELECT * FROM log WHERE id = arrow_cast(decode('{digits}', 'hex'), 'Utf8')"  # noqa: S608 - digits alone
