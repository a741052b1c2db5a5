"""A bucket is opened with settings, and its errors name where these are."""

import obstore
import pytest
from obstore.store import S3Store

from heptad.adapters.buckets import Bucket
from heptad.core.errors import DataError, SettingsError, UnavailableError
from heptad.data import RemoteSettings

pytestmark = pytest.mark.usefixtures("credentials")


def test_errors_name_the_section_and_the_place(bucket: S3Store) -> None:
    """And what was being done."""
    access = RemoteSettings(endpoint=str(bucket.config["endpoint"]))
    opened = Bucket("s3", str(bucket.config["bucket"]), access, "remote", DataError, "in/side")
    assert opened.address.endswith("/in/side")
    with pytest.raises(DataError, match=r"There is no object s3://.*/in/side/x"), opened.told("x"):
        raise FileNotFoundError
    with pytest.raises(SettingsError, match=r"\[remote\] options holds a name that s3:// has not"):
        Bucket("s3", "bucket", RemoteSettings(options={"colour": "red"}), "remote", DataError)


@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_the_other_stores_open_alike(scheme: str) -> None:
    """No server of theirs is asked here."""
    options = {"skip_signature": "true"} | ({"account_name": "someone"} if scheme == "az" else {})
    access = RemoteSettings(endpoint="http://127.0.0.1:9", options=options, retries=0, timeout="1s")
    bucket = Bucket(scheme, "bucket", access, "remote", DataError)
    with pytest.raises(UnavailableError, match=f"{scheme}://bucket/x could not be listed"), bucket.told("x", "listed"):
        obstore.head(bucket.store, "x")
