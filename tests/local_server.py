"""A web server on this machine, which can be told to misbehave."""

import contextlib
import http.server
import threading


class LocalServer(http.server.ThreadingHTTPServer):
    """Serves `files` (path -> bytes) and notes what was asked for.

    `faults` says, path by path, what to do instead, once for each entry: a
    status such as 404, (status, Retry-After), bytes to send instead, or
    "cut" to break off after half of the file.
    """

    def __init__(self, files, handler=None):
        super().__init__(("127.0.0.1", 0), handler or Handler)
        self.files = files
        self.faults = {}
        self.asked = []

    @property
    def url(self):
        """The server's address."""
        return f"http://127.0.0.1:{self.server_port}/data"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one request as its LocalServer says."""

    def do_GET(self):
        path = self.path.removeprefix("/data/")
        self.server.asked.append(path)
        faults = self.server.faults.get(path)
        fault = faults.pop(0) if faults else None
        content = self.server.files.get(path, b"")
        if isinstance(fault, bytes):
            content = fault
        elif fault is None and path not in self.server.files:
            fault = 404
        if isinstance(fault, int | tuple):
            status, wait = fault if isinstance(fault, tuple) else (fault, "")
            self.send_response(status)
            if wait:
                self.send_header("Retry-After", wait)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if fault else content)

    def log_message(self, *arguments):
        """Say nothing."""


@contextlib.contextmanager
def serve(files, handler=None):
    """Run a LocalServer within a `with` block."""
    server = LocalServer(files, handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
