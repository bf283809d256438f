"""What a reader imports from the library itself."""

import subprocess
import sys

import pytest

import tutorial_lib


@pytest.mark.parametrize("name", tutorial_lib.__all__)
def test_every_public_name_can_be_had_and_is_documented(name):
    assert getattr(tutorial_lib, name).__doc__


def test_an_unknown_name_gets_the_usual_error():
    with pytest.raises(AttributeError, match="no 'lern_word'"):
        tutorial_lib.lern_word  # noqa: B018


def test_the_drawn_world_does_not_wait_for_torch():
    code = (
        "import sys, tutorial_lib.world, tutorial_lib.images\n"
        "assert 'torch' not in sys.modules and 'numpy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
