"""What a reader imports from the library itself."""

import os
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


@pytest.mark.parametrize(("given", "kept"), [(None, "5000"), ("7", "7")])
def test_torch_is_told_how_long_its_threads_spin(given, kept):
    code = "import os, tutorial_lib; print(os.environ['GOMP_SPINCOUNT'])"
    env = {k: v for k, v in os.environ.items() if k != "GOMP_SPINCOUNT"}
    if given:
        env["GOMP_SPINCOUNT"] = given
    output = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert output.strip() == kept
