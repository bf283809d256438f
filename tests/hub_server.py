"""A server on this machine that speaks the hub's protocol.

A repository's files lie at /OWNER/NAME/resolve/REVISION/PATH. HEAD says
their size, hash and commit; weights are kept elsewhere (/cdn/), and may be
asked for from some byte on. Read in huggingface_hub, file_download.py.
"""

import hashlib
import http.server
import re
from pathlib import Path

from local_server import serve

RESOLVE = re.compile("/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
ERROR_CODES = {  # what the hub says of a status, beside the number
    "no repository": (401, "RepoNotFound"),
    "no revision": (404, "RevisionNotFound"),
    "no file": (404, "EntryNotFound"),
    "gated": (403, "GatedRepo"),
    "bad token": (401, ""),
    "too many": (429, ""),
    "out of order": (500, ""),
}


class HubHandler(http.server.BaseHTTPRequestHandler):
    """Answers one request as the hub does, or as a fault says.

    The server's `files` are (repository, revision, path) -> bytes or a file.
    Its `faults`, path -> list, are a key of ERROR_CODES, used once; "cut"
    breaks off a transfer after half of what is asked for.
    """

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        """Answer with the headers alone."""
        self.do_GET()

    def do_GET(self):
        """Answer with a file, or with why there is none."""
        place = self.path.removeprefix("/cdn")
        match = RESOLVE.fullmatch(place)
        if not match:
            self.refuse("no repository")
            return
        repository, revision, path = match.groups()
        self.server.asked.append((self.command, path, self.get_start()))
        faults = self.server.faults.get(path, [])
        fault = faults.pop(0) if faults and self.is_due(faults[0]) else None
        known = {(r, v) for r, v, _ in self.server.files}
        if repository not in {r for r, _ in known}:
            fault = "no repository"
        elif (repository, revision) not in known:
            fault = "no revision"
        elif (repository, revision, path) not in self.server.files:
            fault = fault or "no file"
        if fault in ERROR_CODES:
            self.refuse(fault)
            return
        content = self.server.files[repository, revision, path]
        if isinstance(content, Path):
            content = content.read_bytes()
        self.send(content, revision, path, is_cut=fault == "cut")

    def is_due(self, fault):
        """Return whether a fault belongs to this request: HEAD or GET."""
        return (self.command == "GET") == (fault == "cut")

    def get_start(self):
        """Return the byte from which on the file is asked for."""
        start = self.headers.get("Range", "bytes=0-")
        return int(start.removeprefix("bytes=").partition("-")[0])

    def send(self, content, revision, path, is_cut):
        """Send a file, or say where it lies."""
        name = hashlib.sha256(content).hexdigest()
        elsewhere = path.endswith(".safetensors")
        start, size = self.get_start(), len(content)
        if elsewhere and not self.path.startswith("/cdn"):
            self.send_response(302)
            host = f"http://localhost:{self.server.server_port}"
            self.send_header("Location", f"{host}/cdn{self.path}")
            self.send_header("X-Linked-Etag", f'"{name}"')
            self.send_header("X-Linked-Size", str(size))
            content = b""
        else:
            self.send_response(206 if start else 200)
            if start:
                span = f"bytes {start}-{size - 1}/{size}"
                self.send_header("Content-Range", span)
                content = content[start:]
        label = path.rpartition("/")[2]
        self.send_header("Content-Disposition", f'inline; filename="{label}";')
        self.send_header("ETag", f'"{name}"')
        self.send_header("X-Repo-Commit", revision)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(content[: len(content) // 2] if is_cut else content)
        if is_cut:
            self.close_connection = True

    def refuse(self, fault):
        """Answer with a status that is no file."""
        status, code = ERROR_CODES[fault]
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        if fault == "bad token":
            message = "Invalid credentials in Authorization header"
            self.send_header("X-Error-Message", message)
        if fault == "too many":
            self.send_header("Retry-After", "7")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        """Say nothing."""


def serve_hub(files):
    """Run a hub with these files within a `with` block."""
    return serve(files, HubHandler)


def list_repository(repository, revision, folder):
    """Return a folder's files as a HubHandler finds them."""
    return {
        (repository, revision, path.relative_to(folder).as_posix()): path
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }
