"""Puts data/ into the wheel; pyproject.toml says all the rest."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithData(build_py):
    """Copies data/ into the library, where an install will find it."""

    def run(self) -> None:
        """Build as usual; an editable install leaves data/ in the clone."""
        super().run()
        if not self.editable_mode:
            inside = Path(self.build_lib, "tutorial_lib", "data")
            shutil.copytree("data", inside, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithData})
