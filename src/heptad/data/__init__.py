"""Step 1: from the outside world to versions of one table."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
    from heptad.data.data import Data as Data
    from heptad.data.diff import DatasetDiff as DatasetDiff
    from heptad.data.distances import column_distances as column_distances
    from heptad.data.distances import distance as distance
    from heptad.data.distances import largest_shift as largest_shift
    from heptad.data.files import FileSource as FileSource
    from heptad.data.keys import row_ids as row_ids
    from heptad.data.profile import ColumnProfile as ColumnProfile
    from heptad.data.profile import Profile as Profile
    from heptad.data.profile import merge as merge
    from heptad.data.profile import profile_frame as profile_frame
    from heptad.data.records import Column as Column
    from heptad.data.records import DatasetVersion as DatasetVersion
    from heptad.data.records import Finding as Finding
    from heptad.data.records import Repair as Repair
    from heptad.data.records import Role as Role
    from heptad.data.records import Schema as Schema
    from heptad.data.records import SourceRead as SourceRead
    from heptad.data.schema import infer_schema as infer_schema
    from heptad.data.settings import CleanRule as CleanRule
    from heptad.data.settings import CleanSettings as CleanSettings
    from heptad.data.settings import ColumnExpectation as ColumnExpectation
    from heptad.data.settings import ColumnType as ColumnType
    from heptad.data.settings import DataSettings as DataSettings
    from heptad.data.settings import ExpectSettings as ExpectSettings
    from heptad.data.settings import FeatureSettings as FeatureSettings
    from heptad.data.settings import SourceSettings as SourceSettings
    from heptad.data.sources import Place as Place
    from heptad.data.sources import Source as Source
    from heptad.data.sources import SourceTable as SourceTable
    from heptad.data.sources import open_source as open_source
    from heptad.data.splits import Fold as Fold
    from heptad.data.splits import hash_folds as hash_folds
    from heptad.data.splits import hash_holdout as hash_holdout
    from heptad.data.splits import time_cut as time_cut
    from heptad.data.splits import time_folds as time_folds
    from heptad.data.splits import unit_hashes as unit_hashes
    from heptad.data.suggestion import suggest_settings as suggest_settings
    from heptad.data.tables import sync_commit as sync_commit

__getattr__, __all__ = attach(
    __name__,
    {
        "CleanRule": "settings",
        "CleanSettings": "settings",
        "Column": "records",
        "ColumnExpectation": "settings",
        "ColumnProfile": "profile",
        "ColumnType": "settings",
        "Data": "data",
        "DataSettings": "settings",
        "DatasetDiff": "diff",
        "DatasetVersion": "records",
        "ExpectSettings": "settings",
        "FeatureSettings": "settings",
        "FileSource": "files",
        "Finding": "records",
        "Fold": "splits",
        "Place": "sources",
        "Profile": "profile",
        "Repair": "records",
        "Role": "records",
        "Schema": "records",
        "Source": "sources",
        "SourceRead": "records",
        "SourceSettings": "settings",
        "SourceTable": "sources",
        "column_distances": "distances",
        "distance": "distances",
        "hash_folds": "splits",
        "hash_holdout": "splits",
        "infer_schema": "schema",
        "largest_shift": "distances",
        "merge": "profile",
        "open_source": "sources",
        "profile_frame": "profile",
        "row_ids": "keys",
        "suggest_settings": "suggestion",
        "sync_commit": "tables",
        "time_cut": "splits",
        "time_folds": "splits",
        "unit_hashes": "splits",
    },
)
