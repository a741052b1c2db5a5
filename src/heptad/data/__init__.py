"""Step 1: from the outside world to versions of one table."""

from typing import TYPE_CHECKING

from heptad.core.lazy import attach

if TYPE_CHECKING:
    from heptad.data.assembling.layout import layout_in_words as layout_in_words
    from heptad.data.cards.document import Block as Block
    from heptad.data.cards.document import Code as Code
    from heptad.data.cards.document import Document as Document
    from heptad.data.cards.document import Items as Items
    from heptad.data.cards.document import Section as Section
    from heptad.data.cards.document import TableBlock as TableBlock
    from heptad.data.cards.document import to_html as to_html
    from heptad.data.cards.document import to_markdown as to_markdown
    from heptad.data.cards.records import DataCard as DataCard
    from heptad.data.cards.settings import CardColumn as CardColumn
    from heptad.data.cards.settings import CardSettings as CardSettings
    from heptad.data.cleaning.files import clean_file as clean_file
    from heptad.data.cleaning.requests import CleanedRows as CleanedRows
    from heptad.data.cleaning.requests import RefusedRow as RefusedRow
    from heptad.data.cleaning.requests import clean_requests as clean_requests
    from heptad.data.cleaning.requests import clean_rows as clean_rows
    from heptad.data.cleaning.settings import CleanRule as CleanRule
    from heptad.data.cleaning.settings import CleanSettings as CleanSettings
    from heptad.data.cleaning.settings import RowRule as RowRule
    from heptad.data.cleaning.settings import SimilarRows as SimilarRows
    from heptad.data.cleaning.singles.cleaner import RowCleaner as RowCleaner
    from heptad.data.cleaning.singles.probes import probes as probes
    from heptad.data.cleaning.singles.rules import RequestRules as RequestRules
    from heptad.data.cleaning.singles.rules import request_rules as request_rules
    from heptad.data.cleaning.suggesting.accepting import accept_rules as accept_rules
    from heptad.data.cleaning.suggesting.labels import Labels as Labels
    from heptad.data.cleaning.suggesting.labels import read_labels as read_labels
    from heptad.data.cleaning.suggesting.reading import Cells as Cells
    from heptad.data.cleaning.suggesting.reading import read_cells as read_cells
    from heptad.data.cleaning.suggesting.rules import SuggestedRule as SuggestedRule
    from heptad.data.cleaning.suggesting.rules import rule_lines as rule_lines
    from heptad.data.cleaning.suggesting.suggestions import Suggester as Suggester
    from heptad.data.cleaning.suggesting.suggestions import Suggestions as Suggestions
    from heptad.data.columns.column_types import Dates as Dates
    from heptad.data.columns.column_types import conform as conform
    from heptad.data.columns.column_types import read_columns as read_columns
    from heptad.data.columns.column_types import read_times as read_times
    from heptad.data.columns.dialogues import size_of as size_of
    from heptad.data.columns.keys import row_ids as row_ids
    from heptad.data.columns.schema import infer_schema as infer_schema
    from heptad.data.columns.suggestion import suggest_settings as suggest_settings
    from heptad.data.corrections.records import Correction as Correction
    from heptad.data.data import Data as Data
    from heptad.data.erasing.finding import FoundRows as FoundRows
    from heptad.data.erasing.finding import every_version as every_version
    from heptad.data.erasing.kept import ForgetKept as ForgetKept
    from heptad.data.erasing.naming import check_columns_exist as check_columns_exist
    from heptad.data.erasing.naming import named_by as named_by
    from heptad.data.erasing.naming import named_in as named_in
    from heptad.data.erasing.redacting import rewrite_records as rewrite_records
    from heptad.data.erasing.redacting import scrub_store as scrub_store
    from heptad.data.erasing.removing import ERASURE as ERASURE
    from heptad.data.erasing.subjects import Subjects as Subjects
    from heptad.data.expectations.checking import Checked as Checked
    from heptad.data.expectations.history import rows_of as rows_of
    from heptad.data.expectations.importing.reading import import_expectations as import_expectations
    from heptad.data.expectations.importing.reading import import_object as import_object
    from heptad.data.expectations.importing.translation import LeftOut as LeftOut
    from heptad.data.expectations.importing.translation import SchemaReader as SchemaReader
    from heptad.data.expectations.importing.translation import WrittenSchema as WrittenSchema
    from heptad.data.expectations.inferring import infer_expectations as infer_expectations
    from heptad.data.expectations.junit import junit_xml as junit_xml
    from heptad.data.expectations.page import render_expectations as render_expectations
    from heptad.data.expectations.settings import ColumnExpectation as ColumnExpectation
    from heptad.data.expectations.settings import ExpectSettings as ExpectSettings
    from heptad.data.expectations.settings import TableExpectation as TableExpectation
    from heptad.data.features.entities import read_entities as read_entities
    from heptad.data.features.features import Features as Features
    from heptad.data.features.joins import Values as Values
    from heptad.data.features.joins import join_features as join_features
    from heptad.data.features.leakage import TrainingSet as TrainingSet
    from heptad.data.features.leakage import training_set_of as training_set_of
    from heptad.data.features.online import MOST_KEY as MOST_KEY
    from heptad.data.features.online import STAMP as STAMP
    from heptad.data.features.online import CompactingStore as CompactingStore
    from heptad.data.features.online import OnlineStore as OnlineStore
    from heptad.data.features.online import Pair as Pair
    from heptad.data.features.online import checked_pairs as checked_pairs
    from heptad.data.features.parity import Parity as Parity
    from heptad.data.features.parity import ParityDifference as ParityDifference
    from heptad.data.features.publishing import PublishedFeatures as PublishedFeatures
    from heptad.data.features.pushing import FeatureWriter as FeatureWriter
    from heptad.data.features.reading import FeatureReader as FeatureReader
    from heptad.data.features.reading import OnlineRow as OnlineRow
    from heptad.data.features.records import FeatureView as FeatureView
    from heptad.data.features.registry import ViewChange as ViewChange
    from heptad.data.features.settings import FeatureSettings as FeatureSettings
    from heptad.data.features.settings import MadeSettings as MadeSettings
    from heptad.data.features.settings import OnlineSettings as OnlineSettings
    from heptad.data.folders.changes import FolderChanges as FolderChanges
    from heptad.data.folders.checkout import PlacedFolder as PlacedFolder
    from heptad.data.folders.folders import Folders as Folders
    from heptad.data.folders.records import FolderVersion as FolderVersion
    from heptad.data.folders.settings import RemoteSettings as RemoteSettings
    from heptad.data.folders.status import FolderStatus as FolderStatus
    from heptad.data.folders.tree import shown_path as shown_path
    from heptad.data.folders.versions import FORGOTTEN as FORGOTTEN
    from heptad.data.labelling.records import LabellingFunction as LabellingFunction
    from heptad.data.labelling.settings import LabellingSettings as LabellingSettings
    from heptad.data.manifests.settings import ManifestSettings as ManifestSettings
    from heptad.data.privacy.anonymity import Anonymity as Anonymity
    from heptad.data.privacy.anonymity import measure_anonymity as measure_anonymity
    from heptad.data.privacy.finding import PersonalColumn as PersonalColumn
    from heptad.data.privacy.finding import find_personal as find_personal
    from heptad.data.privacy.generalising import Generalised as Generalised
    from heptad.data.privacy.generalising import anonymise as anonymise
    from heptad.data.privacy.generalising import generalise as generalise
    from heptad.data.privacy.noise import NoiseMaker as NoiseMaker
    from heptad.data.privacy.noise import Noisy as Noisy
    from heptad.data.privacy.records import NoisyStatistics as NoisyStatistics
    from heptad.data.privacy.settings import PrivacySettings as PrivacySettings
    from heptad.data.privacy.statistics import Statistics as Statistics
    from heptad.data.privacy.statistics import wanted_of as wanted_of
    from heptad.data.profiles.distances import column_distances as column_distances
    from heptad.data.profiles.distances import distance as distance
    from heptad.data.profiles.distances import largest_shift as largest_shift
    from heptad.data.profiles.looking import Overview as Overview
    from heptad.data.profiles.looking import look_at_file as look_at_file
    from heptad.data.profiles.looking import look_at_version as look_at_version
    from heptad.data.profiles.page import render_overview as render_overview
    from heptad.data.profiles.page import summary_of as summary_of
    from heptad.data.profiles.profile import ColumnProfile as ColumnProfile
    from heptad.data.profiles.profile import Profile as Profile
    from heptad.data.profiles.profile import merge as merge
    from heptad.data.profiles.profile import profile_frame as profile_frame
    from heptad.data.progress import Estimate as Estimate
    from heptad.data.progress import Progress as Progress
    from heptad.data.progress import note_done as note_done
    from heptad.data.progress import watching_work as watching_work
    from heptad.data.records import Column as Column
    from heptad.data.records import DatasetVersion as DatasetVersion
    from heptad.data.records import ExpectationResult as ExpectationResult
    from heptad.data.records import Finding as Finding
    from heptad.data.records import Fitted as Fitted
    from heptad.data.records import MessagesReleased as MessagesReleased
    from heptad.data.records import Repair as Repair
    from heptad.data.records import RowsReleased as RowsReleased
    from heptad.data.records import Schema as Schema
    from heptad.data.records import SourceRead as SourceRead
    from heptad.data.records import SplitRule as SplitRule
    from heptad.data.settings import CatchUp as CatchUp
    from heptad.data.settings import ColumnType as ColumnType
    from heptad.data.settings import DataSettings as DataSettings
    from heptad.data.sources.archives import split_member as split_member
    from heptad.data.sources.cache import SourceCache as SourceCache
    from heptad.data.sources.cache import content_digest as content_digest
    from heptad.data.sources.credentials import refuse_secrets_in as refuse_secrets_in
    from heptad.data.sources.credentials import reveal_all as reveal_all
    from heptad.data.sources.credentials import without_secrets as without_secrets
    from heptad.data.sources.files import FileSource as FileSource
    from heptad.data.sources.files import cache_of as cache_of
    from heptad.data.sources.files import read_local as read_local
    from heptad.data.sources.formats import flattened as flattened
    from heptad.data.sources.html_tables import is_page as is_page
    from heptad.data.sources.schemes import is_stream as is_stream
    from heptad.data.sources.settings import OnChange as OnChange
    from heptad.data.sources.settings import RestSettings as RestSettings
    from heptad.data.sources.settings import SourceSettings as SourceSettings
    from heptad.data.sources.source import Place as Place
    from heptad.data.sources.source import Source as Source
    from heptad.data.sources.source import SourceTable as SourceTable
    from heptad.data.sources.source import open_source as open_source
    from heptad.data.streams.addresses import StreamAddress as StreamAddress
    from heptad.data.streams.following import Until as Until
    from heptad.data.streams.following import follow as follow
    from heptad.data.streams.locks import is_landing as is_landing
    from heptad.data.streams.records import Landed as Landed
    from heptad.data.streams.records import LandingState as LandingState
    from heptad.data.streams.records import StreamState as StreamState
    from heptad.data.streams.records import ViewOnline as ViewOnline
    from heptad.data.streams.registry import Registered as Registered
    from heptad.data.streams.registry import RegistryAddress as RegistryAddress
    from heptad.data.streams.registry import SchemaRegistry as SchemaRegistry
    from heptad.data.streams.stream import BATCH_BYTES as BATCH_BYTES
    from heptad.data.streams.stream import RECENT_MARKS as RECENT_MARKS
    from heptad.data.streams.stream import Batch as Batch
    from heptad.data.streams.stream import Stream as Stream
    from heptad.data.streams.stream import lost_messages as lost_messages
    from heptad.data.streams.stream import open_stream as open_stream
    from heptad.data.streams.tls import tls_of as tls_of
    from heptad.data.streams.tls import untrusted as untrusted
    from heptad.data.toml import toml_key as toml_key
    from heptad.data.toml import toml_value as toml_value
    from heptad.data.versions.diff import DatasetDiff as DatasetDiff
    from heptad.data.versions.digests import rows_digest as rows_digest
    from heptad.data.versions.marking import ROLLED_BACK as ROLLED_BACK
    from heptad.data.versions.marking import roll_back as roll_back
    from heptad.data.versions.marking import tag as tag
    from heptad.data.versions.marking import tags_of as tags_of
    from heptad.data.versions.marking import untag as untag
    from heptad.data.versions.pruned import is_pruned as is_pruned
    from heptad.data.versions.pruned import pruned_in_words as pruned_in_words
    from heptad.data.versions.pruned import with_rows as with_rows
    from heptad.data.versions.pruning import Freed as Freed
    from heptad.data.versions.pruning import is_here as is_here
    from heptad.data.versions.pruning import mark_pruned as mark_pruned
    from heptad.data.versions.pruning import sweep as sweep
    from heptad.data.versions.pruning import unswept as unswept
    from heptad.data.versions.pruning import would_free as would_free
    from heptad.data.versions.purging import forget_past as forget_past
    from heptad.data.versions.remaining import as_it_is as as_it_is
    from heptad.data.versions.remaining import erased as erased
    from heptad.data.versions.remaining import erased_in_words as erased_in_words
    from heptad.data.versions.split_rules import sides_of as sides_of
    from heptad.data.versions.split_rules import split_rule as split_rule
    from heptad.data.versions.splits import Fold as Fold
    from heptad.data.versions.splits import Sides as Sides
    from heptad.data.versions.splits import sides_by_time as sides_by_time
    from heptad.data.versions.splits import time_cut as time_cut
    from heptad.data.versions.splits import unit_hashes as unit_hashes
    from heptad.data.versions.splits import with_given as with_given
    from heptad.data.versions.tables import scan_table as scan_table
    from heptad.data.versions.tables import sync_commit as sync_commit
    from heptad.data.versions.turns import collecting as collecting
    from heptad.data.versions.turns import no_collecting as no_collecting
    from heptad.data.versions.versions import LATEST as LATEST
    from heptad.data.versions.versions import find_version as find_version

__getattr__, __all__ = attach(
    __name__,
    {
        "is_pruned": "versions.pruned",
        "pruned_in_words": "versions.pruned",
        "with_rows": "versions.pruned",
        "Freed": "versions.pruning",
        "is_here": "versions.pruning",
        "mark_pruned": "versions.pruning",
        "sweep": "versions.pruning",
        "unswept": "versions.pruning",
        "would_free": "versions.pruning",
        "no_collecting": "versions.turns",
        "rows_of": "expectations.history",
        "collecting": "versions.turns",
        "LATEST": "versions.versions",
        "CatchUp": "settings",
        "Anonymity": "privacy.anonymity",
        "BATCH_BYTES": "streams.stream",
        "Batch": "streams.stream",
        "Block": "cards.document",
        "CardColumn": "cards.settings",
        "CardSettings": "cards.settings",
        "Checked": "expectations.checking",
        "CleanRule": "cleaning.settings",
        "CleanSettings": "cleaning.settings",
        "CleanedRows": "cleaning.requests",
        "Code": "cards.document",
        "Column": "records",
        "ColumnExpectation": "expectations.settings",
        "ColumnProfile": "profiles.profile",
        "ColumnType": "settings",
        "CompactingStore": "features.online",
        "Correction": "corrections.records",
        "Data": "data",
        "DataCard": "cards.records",
        "DataSettings": "settings",
        "DatasetDiff": "versions.diff",
        "DatasetVersion": "records",
        "Dates": "columns.column_types",
        "Document": "cards.document",
        "ERASURE": "erasing.removing",
        "ExpectSettings": "expectations.settings",
        "ExpectationResult": "records",
        "FORGOTTEN": "folders.versions",
        "FeatureReader": "features.reading",
        "FeatureSettings": "features.settings",
        "FeatureView": "features.records",
        "FeatureWriter": "features.pushing",
        "Features": "features.features",
        "FileSource": "sources.files",
        "Finding": "records",
        "Fitted": "records",
        "Fold": "versions.splits",
        "Sides": "versions.splits",
        "FolderChanges": "folders.changes",
        "FolderStatus": "folders.status",
        "FolderVersion": "folders.records",
        "Folders": "folders.folders",
        "ForgetKept": "erasing.kept",
        "FoundRows": "erasing.finding",
        "Items": "cards.document",
        "LabellingFunction": "labelling.records",
        "LabellingSettings": "labelling.settings",
        "Generalised": "privacy.generalising",
        "Labels": "cleaning.suggesting.labels",
        "Landed": "streams.records",
        "LandingState": "streams.records",
        "MOST_KEY": "features.online",
        "MadeSettings": "features.settings",
        "ManifestSettings": "manifests.settings",
        "MessagesReleased": "records",
        "NoiseMaker": "privacy.noise",
        "Noisy": "privacy.noise",
        "NoisyStatistics": "privacy.records",
        "OnChange": "sources.settings",
        "OnlineRow": "features.reading",
        "OnlineSettings": "features.settings",
        "OnlineStore": "features.online",
        "Overview": "profiles.looking",
        "Pair": "features.online",
        "Parity": "features.parity",
        "ParityDifference": "features.parity",
        "PersonalColumn": "privacy.finding",
        "Place": "sources.source",
        "PlacedFolder": "folders.checkout",
        "PrivacySettings": "privacy.settings",
        "Profile": "profiles.profile",
        "PublishedFeatures": "features.publishing",
        "RECENT_MARKS": "streams.stream",
        "ROLLED_BACK": "versions.marking",
        "RefusedRow": "cleaning.requests",
        "Registered": "streams.registry",
        "RegistryAddress": "streams.registry",
        "RemoteSettings": "folders.settings",
        "Repair": "records",
        "RequestRules": "cleaning.singles.rules",
        "RestSettings": "sources.settings",
        "RowCleaner": "cleaning.singles.cleaner",
        "RowRule": "cleaning.settings",
        "RowsReleased": "records",
        "STAMP": "features.online",
        "Schema": "records",
        "SchemaRegistry": "streams.registry",
        "Section": "cards.document",
        "SimilarRows": "cleaning.settings",
        "Source": "sources.source",
        "SourceCache": "sources.cache",
        "SourceRead": "records",
        "SourceSettings": "sources.settings",
        "SourceTable": "sources.source",
        "SplitRule": "records",
        "Statistics": "privacy.statistics",
        "Stream": "streams.stream",
        "StreamAddress": "streams.addresses",
        "StreamState": "streams.records",
        "Subjects": "erasing.subjects",
        "SuggestedRule": "cleaning.suggesting.rules",
        "Suggester": "cleaning.suggesting.suggestions",
        "Suggestions": "cleaning.suggesting.suggestions",
        "TableBlock": "cards.document",
        "TableExpectation": "expectations.settings",
        "TrainingSet": "features.leakage",
        "Until": "streams.following",
        "Values": "features.joins",
        "ViewChange": "features.registry",
        "ViewOnline": "streams.records",
        "accept_rules": "cleaning.suggesting.accepting",
        "anonymise": "privacy.generalising",
        "as_it_is": "versions.remaining",
        "cache_of": "sources.files",
        "check_columns_exist": "erasing.naming",
        "checked_pairs": "features.online",
        "clean_file": "cleaning.files",
        "clean_requests": "cleaning.requests",
        "clean_rows": "cleaning.requests",
        "column_distances": "profiles.distances",
        "conform": "columns.column_types",
        "content_digest": "sources.cache",
        "distance": "profiles.distances",
        "erased": "versions.remaining",
        "erased_in_words": "versions.remaining",
        "every_version": "erasing.finding",
        "find_personal": "privacy.finding",
        "find_version": "versions.versions",
        "flattened": "sources.formats",
        "follow": "streams.following",
        "forget_past": "versions.purging",
        "generalise": "privacy.generalising",
        "import_expectations": "expectations.importing.reading",
        "import_object": "expectations.importing.reading",
        "LeftOut": "expectations.importing.translation",
        "SchemaReader": "expectations.importing.translation",
        "WrittenSchema": "expectations.importing.translation",
        "infer_expectations": "expectations.inferring",
        "infer_schema": "columns.schema",
        "is_landing": "streams.locks",
        "is_page": "sources.html_tables",
        "is_stream": "sources.schemes",
        "join_features": "features.joins",
        "junit_xml": "expectations.junit",
        "largest_shift": "profiles.distances",
        "layout_in_words": "assembling.layout",
        "look_at_file": "profiles.looking",
        "look_at_version": "profiles.looking",
        "lost_messages": "streams.stream",
        "measure_anonymity": "privacy.anonymity",
        "merge": "profiles.profile",
        "named_by": "erasing.naming",
        "named_in": "erasing.naming",
        "Estimate": "progress",
        "Progress": "progress",
        "note_done": "progress",
        "watching_work": "progress",
        "open_source": "sources.source",
        "open_stream": "streams.stream",
        "probes": "cleaning.singles.probes",
        "profile_frame": "profiles.profile",
        "Cells": "cleaning.suggesting.reading",
        "read_cells": "cleaning.suggesting.reading",
        "read_columns": "columns.column_types",
        "read_entities": "features.entities",
        "read_labels": "cleaning.suggesting.labels",
        "read_local": "sources.files",
        "read_times": "columns.column_types",
        "refuse_secrets_in": "sources.credentials",
        "render_expectations": "expectations.page",
        "render_overview": "profiles.page",
        "request_rules": "cleaning.singles.rules",
        "reveal_all": "sources.credentials",
        "rewrite_records": "erasing.redacting",
        "roll_back": "versions.marking",
        "row_ids": "columns.keys",
        "size_of": "columns.dialogues",
        "rows_digest": "versions.digests",
        "rule_lines": "cleaning.suggesting.rules",
        "scan_table": "versions.tables",
        "scrub_store": "erasing.redacting",
        "shown_path": "folders.tree",
        "split_member": "sources.archives",
        "sides_of": "versions.split_rules",
        "split_rule": "versions.split_rules",
        "suggest_settings": "columns.suggestion",
        "summary_of": "profiles.page",
        "sync_commit": "versions.tables",
        "tag": "versions.marking",
        "tags_of": "versions.marking",
        "time_cut": "versions.splits",
        "sides_by_time": "versions.splits",
        "to_html": "cards.document",
        "to_markdown": "cards.document",
        "toml_key": "toml",
        "toml_value": "toml",
        "tls_of": "streams.tls",
        "untrusted": "streams.tls",
        "training_set_of": "features.leakage",
        "unit_hashes": "versions.splits",
        "with_given": "versions.splits",
        "untag": "versions.marking",
        "wanted_of": "privacy.statistics",
        "without_secrets": "sources.credentials",
    },
)
