"""The errors that the library raises for what a reader can mend.

Each says in one or two sentences what is wrong and what to do about it. The
command line prints that text; any other exception is a fault of the library,
and its traceback is wanted.
"""


class TutorialError(ValueError):
    """Something given to the library cannot be used; says the remedy."""


class ArgumentError(TutorialError):
    """An argument of a function that cannot be used."""


class CommandError(TutorialError):
    """Arguments of the command line that cannot be used."""


class DataError(TutorialError, FileNotFoundError):
    """Files of the tutorial itself that are not there."""


class FetchError(TutorialError, OSError):
    """Files of the web that cannot be fetched, with the reason."""


class FileError(TutorialError, OSError):
    """A file that cannot be written, with the reason."""


class ImageError(TutorialError):
    """A folder, a file or an image that cannot be used."""


class JudgeError(TutorialError):
    """Judges that are missing, cannot be read, or are asked the impossible."""


class WordError(TutorialError):
    """A word, its file, or settings of its training that cannot be used."""
