"""Step 1: from the outside world to versions of one table."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
    from heptad.data.cleaning.files import clean_file as clean_file
    from heptad.data.cleaning.requests import CleanedRows as CleanedRows
    from heptad.data.cleaning.requests import RefusedRow as RefusedRow
    from heptad.data.cleaning.requests import RowRepair as RowRepair
    from heptad.data.cleaning.requests import clean_rows as clean_rows
    from heptad.data.cleaning.settings import CleanRule as CleanRule
    from heptad.data.cleaning.settings import CleanSettings as CleanSettings
    from heptad.data.cleaning.settings import RowRule as RowRule
    from heptad.data.cleaning.settings import SimilarRows as SimilarRows
    from heptad.data.cleaning.suggesting.accepting import accept_rules as accept_rules
    from heptad.data.cleaning.suggesting.labels import Labels as Labels
    from heptad.data.cleaning.suggesting.labels import read_labels as read_labels
    from heptad.data.cleaning.suggesting.reading import read_cells as read_cells
    from heptad.data.cleaning.suggesting.rules import FlaggedCell as FlaggedCell
    from heptad.data.cleaning.suggesting.rules import SuggestedRule as SuggestedRule
    from heptad.data.cleaning.suggesting.rules import rule_lines as rule_lines
    from heptad.data.cleaning.suggesting.suggestions import Suggester as Suggester
    from heptad.data.cleaning.suggesting.suggestions import Suggestions as Suggestions
    from heptad.data.columns.keys import row_ids as row_ids
    from heptad.data.columns.schema import infer_schema as infer_schema
    from heptad.data.columns.suggestion import suggest_settings as suggest_settings
    from heptad.data.data import Data as Data
    from heptad.data.expectations.settings import ColumnExpectation as ColumnExpectation
    from heptad.data.expectations.settings import ExpectSettings as ExpectSettings
    from heptad.data.features.entities import read_entities as read_entities
    from heptad.data.features.features import Features as Features
    from heptad.data.features.joins import Values as Values
    from heptad.data.features.joins import join_features as join_features
    from heptad.data.features.leakage import TrainingSet as TrainingSet
    from heptad.data.features.leakage import training_set_of as training_set_of
    from heptad.data.features.online import MOST_KEY as MOST_KEY
    from heptad.data.features.online import STAMP as STAMP
    from heptad.data.features.online import OnlineStore as OnlineStore
    from heptad.data.features.online import Pair as Pair
    from heptad.data.features.online import checked_pairs as checked_pairs
    from heptad.data.features.parity import Parity as Parity
    from heptad.data.features.parity import ParityDifference as ParityDifference
    from heptad.data.features.pushing import FeatureWriter as FeatureWriter
    from heptad.data.features.reading import FeatureReader as FeatureReader
    from heptad.data.features.reading import OnlineRow as OnlineRow
    from heptad.data.features.records import FeatureView as FeatureView
    from heptad.data.features.registry import ViewChange as ViewChange
    from heptad.data.features.settings import FeatureSettings as FeatureSettings
    from heptad.data.features.settings import MadeSettings as MadeSettings
    from heptad.data.features.settings import OnlineSettings as OnlineSettings
    from heptad.data.features.wire import FeatureRequests as FeatureRequests
    from heptad.data.profiles.distances import column_distances as column_distances
    from heptad.data.profiles.distances import distance as distance
    from heptad.data.profiles.distances import largest_shift as largest_shift
    from heptad.data.profiles.profile import ColumnProfile as ColumnProfile
    from heptad.data.profiles.profile import Profile as Profile
    from heptad.data.profiles.profile import merge as merge
    from heptad.data.profiles.profile import profile_frame as profile_frame
    from heptad.data.records import Column as Column
    from heptad.data.records import DatasetVersion as DatasetVersion
    from heptad.data.records import Finding as Finding
    from heptad.data.records import Fitted as Fitted
    from heptad.data.records import Repair as Repair
    from heptad.data.records import Role as Role
    from heptad.data.records import Schema as Schema
    from heptad.data.records import SourceRead as SourceRead
    from heptad.data.settings import ColumnType as ColumnType
    from heptad.data.settings import DataSettings as DataSettings
    from heptad.data.sources.files import FileSource as FileSource
    from heptad.data.sources.settings import SourceSettings as SourceSettings
    from heptad.data.sources.source import Place as Place
    from heptad.data.sources.source import Source as Source
    from heptad.data.sources.source import SourceTable as SourceTable
    from heptad.data.sources.source import open_source as open_source
    from heptad.data.versions.diff import DatasetDiff as DatasetDiff
    from heptad.data.versions.splits import Fold as Fold
    from heptad.data.versions.splits import hash_folds as hash_folds
    from heptad.data.versions.splits import hash_holdout as hash_holdout
    from heptad.data.versions.splits import time_cut as time_cut
    from heptad.data.versions.splits import time_folds as time_folds
    from heptad.data.versions.splits import unit_hashes as unit_hashes
    from heptad.data.versions.tables import sync_commit as sync_commit
    from heptad.data.versions.versions import find_version as find_version

__getattr__, __all__ = attach(
    __name__,
    {
        "clean_file": "cleaning.files",
        "Fitted": "records",
        "SimilarRows": "cleaning.settings",
        "RowRule": "cleaning.settings",
        "clean_rows": "cleaning.requests",
        "RowRepair": "cleaning.requests",
        "RefusedRow": "cleaning.requests",
        "CleanedRows": "cleaning.requests",
        "FlaggedCell": "cleaning.suggesting.rules",
        "Labels": "cleaning.suggesting.labels",
        "SuggestedRule": "cleaning.suggesting.rules",
        "Suggester": "cleaning.suggesting.suggestions",
        "Suggestions": "cleaning.suggesting.suggestions",
        "accept_rules": "cleaning.suggesting.accepting",
        "read_cells": "cleaning.suggesting.reading",
        "read_labels": "cleaning.suggesting.labels",
        "rule_lines": "cleaning.suggesting.rules",
        "CleanRule": "cleaning.settings",
        "CleanSettings": "cleaning.settings",
        "Column": "records",
        "ColumnExpectation": "expectations.settings",
        "ColumnProfile": "profiles.profile",
        "ColumnType": "settings",
        "Data": "data",
        "DataSettings": "settings",
        "DatasetDiff": "versions.diff",
        "DatasetVersion": "records",
        "ExpectSettings": "expectations.settings",
        "FeatureReader": "features.reading",
        "FeatureRequests": "features.wire",
        "FeatureSettings": "features.settings",
        "FeatureView": "features.records",
        "FeatureWriter": "features.pushing",
        "Features": "features.features",
        "FileSource": "sources.files",
        "Finding": "records",
        "Fold": "versions.splits",
        "MOST_KEY": "features.online",
        "MadeSettings": "features.settings",
        "OnlineRow": "features.reading",
        "OnlineSettings": "features.settings",
        "OnlineStore": "features.online",
        "Pair": "features.online",
        "Parity": "features.parity",
        "ParityDifference": "features.parity",
        "Place": "sources.source",
        "Profile": "profiles.profile",
        "Repair": "records",
        "Role": "records",
        "STAMP": "features.online",
        "Schema": "records",
        "Source": "sources.source",
        "SourceRead": "records",
        "SourceSettings": "sources.settings",
        "SourceTable": "sources.source",
        "TrainingSet": "features.leakage",
        "Values": "features.joins",
        "ViewChange": "features.registry",
        "checked_pairs": "features.online",
        "column_distances": "profiles.distances",
        "distance": "profiles.distances",
        "find_version": "versions.versions",
        "hash_folds": "versions.splits",
        "hash_holdout": "versions.splits",
        "infer_schema": "columns.schema",
        "join_features": "features.joins",
        "largest_shift": "profiles.distances",
        "merge": "profiles.profile",
        "open_source": "sources.source",
        "profile_frame": "profiles.profile",
        "read_entities": "features.entities",
        "row_ids": "columns.keys",
        "suggest_settings": "columns.suggestion",
        "sync_commit": "versions.tables",
        "time_cut": "versions.splits",
        "time_folds": "versions.splits",
        "training_set_of": "features.leakage",
        "unit_hashes": "versions.splits",
    },
)
