"""An image's hash outlives what is done to images, and tells others apart."""

from pathlib import Path

import pytest
from PIL import Image
from tests.data.manifests.conftest import encoded, picture

from heptad.data.manifests.images import difference_hash, look_at


def far(first: int, second: int) -> int:
    return ((first ^ second) & (2**64 - 1)).bit_count()


def test_the_hash_outlives_size_format_and_brightness() -> None:
    """And tells most other images apart."""
    photo = picture(1, 400, 300)
    first = difference_hash(photo)
    assert far(first, difference_hash(photo.resize((131, 97)))) <= 4
    assert far(first, difference_hash(photo.point(lambda value: value * 0.8))) <= 4
    assert far(first, difference_hash(photo.convert("L"))) <= 4
    others = [far(first, difference_hash(picture(seed, 400, 300))) for seed in range(2, 60)]
    assert min(others) > 10


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_formats_are_told_by_content(kind: str, tmp_path: Path) -> None:
    """Whatever the file is called."""
    path = tmp_path / "x.img"
    path.write_bytes(encoded(picture(3), kind))
    found = look_at(path, 10**8)
    assert (found.media, found.width, found.height, found.problem) == (f"image/{kind.lower()}", 120, 90, None)
    assert found.hash is not None
    assert far(found.hash, difference_hash(picture(3))) <= 4


def test_an_image_of_one_colour_has_a_hash(tmp_path: Path) -> None:
    """It fits a column of whole numbers, as every hash does."""
    path = tmp_path / "x.png"
    path.write_bytes(encoded(Image.new("RGBA", (1, 1))))
    assert look_at(path, 10**8).hash == 0
    white = Image.linear_gradient("L").rotate(90)
    assert -(2**63) <= difference_hash(white) < 2**63
