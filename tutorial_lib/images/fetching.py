"""Files from the web, each whole and right or not at all."""

import hashlib
import http.client
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from tqdm.auto import tqdm

from tutorial_lib.errors import FetchError
from tutorial_lib.files import write_atomically

TRIES = 3  # of one file, if its transfer breaks off
TIMEOUT = 30  # seconds without a single byte
PIECE = 64 * 1024  # bytes, after each of which the bar moves
REFUSALS = {
    401: "wants a login",
    403: "refuses access",
    429: "has had too many requests",
}


@dataclass(frozen=True)
class RemoteFile:
    """A file on the web whose contents are known beforehand.

    `path` is below the source's address. `blob` is Git's name for the
    contents, 40 hexadecimal digits.
    """

    path: str
    num_bytes: int
    blob: str


@dataclass(frozen=True)
class Source:
    """Where files are fetched from, and what helps if that fails.

    `remedy` completes the sentence "...; go online once, or ".
    """

    url: str
    remedy: str


def name_blob(content: bytes) -> str:
    """Return the name that Git has for a file's contents, its blob id.

    It is the SHA-1 of a small header and the contents (Pro Git, chapter
    10.2).
    """
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content).hexdigest()


def list_missing(files: list[RemoteFile], folder: Path) -> list[RemoteFile]:
    """Return the files that a folder lacks, or has in another size."""
    missing = []
    for file in files:
        try:
            if (folder / file.path).stat().st_size == file.num_bytes:
                continue
        except OSError:  # not there, or not for all to see
            pass
        missing.append(file)
    return missing


def fetch_files(
    files: list[RemoteFile], source: Source, folder: Path, what: str
) -> None:
    """Fetch what a folder lacks of some files, with a bar.

    `what` names them on the bar. A file appears in the folder once it is
    whole; those that are there stay if another fails, so that running the
    same again goes on. Raises FetchError, which says the remedy.
    """
    missing = list_missing(files, folder)
    if not missing:
        return
    with tqdm(
        total=sum(file.num_bytes for file in missing),
        desc=f"Fetching {what}",
        unit="B",
        unit_scale=True,
    ) as bar:
        for file in missing:
            content = fetch_content(file, source, bar)
            with write_atomically(folder / file.path) as unfinished:
                unfinished.write_bytes(content)


def fetch_content(file: RemoteFile, source: Source, bar: tqdm) -> bytes:
    """Fetch a file's contents, in several tries if the transfer breaks off.

    Raises FetchError if that does not help, or if other contents come.
    """
    url = f"{source.url.rstrip('/')}/{urllib.parse.quote(file.path)}"
    content = b""
    for _ in range(TRIES):
        start = bar.n
        content = read_url(url, source, bar)
        if len(content) >= file.num_bytes:
            break
        bar.update(start - bar.n)  # it begins anew
    if len(content) < file.num_bytes:
        raise FetchError(
            f"The transfer of {url} broke off {TRIES} times, at last after "
            f"{len(content):,} of {file.num_bytes:,} bytes; run the same "
            f"again, which goes on with this file, or {source.remedy}."
        )
    if name_blob(content) != file.blob:
        raise FetchError(
            f"{url} sends other contents than it should ({len(content):,} "
            f"bytes, and {file.num_bytes:,} are right), perhaps a login "
            f"page; go online another way, or {source.remedy}."
        )
    return content


def read_url(url: str, source: Source, bar: tqdm) -> bytes:
    """Return what an address sends, as far as it comes.

    A transfer that breaks off returns what came. Raises FetchError if there
    is no answer, or if it is a refusal.
    """
    content = bytearray()
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            while piece := response.read(PIECE):
                content += piece
                bar.update(len(piece))
    except urllib.error.HTTPError as error:
        raise FetchError(
            explain_status(url, error.code, error.headers, source)
        ) from None
    except (urllib.error.URLError, ValueError) as error:  # no such address
        reason = getattr(error, "reason", error)
        raise FetchError(
            f"{url} cannot be reached ({reason}); go online once, or "
            f"{source.remedy}."
        ) from None
    except (OSError, http.client.HTTPException):  # it broke off
        pass
    return bytes(content)


def explain_status(
    url: str, status: int, headers: Message, source: Source
) -> str:
    """Return the sentence for an answer that is no file."""
    host = urllib.parse.urlsplit(url).netloc
    if status in REFUSALS:
        seconds = headers.get("Retry-After", "")
        wait = f"{seconds} seconds" if seconds.isdecimal() else "some minutes"
        return (
            f"{host} {REFUSALS[status]} ({status}); wait {wait} and run the "
            f"same again, which goes on where it stopped, or {source.remedy}."
        )
    if status in (404, 410):
        return (
            f"{url} is not there ({status}); check the address that is set, "
            f"or {source.remedy}."
        )
    return (
        f"{host} is out of order ({status}); run the same again later, or "
        f"{source.remedy}."
    )
