"""A made-up copy of DreamBooth's data set, with three of its subjects."""

import io

from image_files import make_image

from tutorial_lib.images.fetching import name_blob

CLASSES = """Classes

subject_name,class
dog6,dog
robot_toy,toy
bear_plushie,stuffed animal

Prompts

Object Prompts

prompt_list = [
'a {0} {1} on a shelf'.format(unique_token, class_token),
'a red {0} {1}'.format(unique_token, class_token)
]

Live Subject Prompts

prompt_list = [
'a {0} {1} in a hat'.format(unique_token, class_token)
]
"""
LICENSES = """Made up

bear_plushie: Photos taken by Nobody

dog6:\x20
(credit: https://unsplash.com/@someone)
00: https://unsplash.com/photos/1

robot_toy: Photos taken by Nobody Else

Licenses
"""


def make_jpeg(side):
    """Make the bytes of a small picture."""
    content = io.BytesIO()
    make_image(side, side).save(content, "JPEG")
    return content.getvalue()


def make_files():
    """Make the files of a data set of three subjects."""
    files = {
        "prompts_and_classes.txt": CLASSES.encode(),
        "references_and_licenses.txt": LICENSES.encode(),
    }
    for subject in ("bear_plushie", "dog6", "robot_toy"):
        for number in range(3):
            files[f"{subject}/0{number}.jpg"] = make_jpeg(64 + 8 * number)
    return files


def write_manifest(files, path):
    """Write the list of a data set's files; return its path."""
    rows = [
        f"{name}\t{len(content)}\t{name_blob(content)}\n"
        for name, content in files.items()
    ]
    path.write_text("# made up\n" + "".join(rows), encoding="utf-8")
    return path


def save_mini_dreambench(folder):
    """Write the data set into a folder, and the list of its files beside it.

    Returns the paths of both.
    """
    files = make_files()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder, write_manifest(files, folder.with_suffix(".tsv"))
