"""A server of objects as S3 has them, small enough to read, that fails when a test wants it to."""

import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4
from xml.sax.saxutils import escape

KEY, SECRET = "andon-key", "andon-secret"
Failure = Callable[[str, str], int | None]


def never(method: str, name: str) -> int | None:
    """Refuse nothing."""
    return None


class ObjectServer:
    """Objects of one bucket in memory, behind HTTP on a port of this computer.

    Attributes
    ----------
    objects : content by name
    asked : how often each (method, name) was asked for
    fails : says with which status a (method, name) is refused, ``None`` for not at all
    loses : the same, but what was asked for is done: only the answer is another one
    sent : bytes of objects that were sent
    page : how many names one answer lists at most
    """

    bucket = "lake"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.asked: Counter[tuple[str, str]] = Counter()
        self.fails: Failure = never
        self.loses: Failure = never
        self.sent = 0
        self.page = 1000
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def address(self, folder: str = "hall", *, secret: str = SECRET, bucket: str = bucket) -> str:
        return f"s3://{KEY}:{secret}@{bucket}/{folder}?endpoint={self.endpoint}"

    def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        handler = type("Handler", (_Handler,), {"held": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Go away; objects are kept."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def names(self, begin: str = "hall/lake/") -> list[str]:
        return sorted(name for name in self.objects if name.startswith(begin))


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    """Give a server with an empty bucket that is gone when the block ends."""
    server = ObjectServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    open_connections: set[object]

    def __init__(self, *arguments: object) -> None:
        self.open_connections = set()
        super().__init__(*arguments)  # type: ignore[arg-type]

    def server_close(self) -> None:
        """Cut connections that clients keep for their next request, too."""
        super().server_close()
        for each in list(self.open_connections):
            self.shutdown_request(each)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    held: ObjectServer
    _lost: int | None = None
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.open_connections.add(self.request)  # type: ignore[attr-defined]

    def finish(self) -> None:
        self.server.open_connections.discard(self.request)  # type: ignore[attr-defined]
        super().finish()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name that it has above
        """Say nothing."""

    def do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        _, bucket, *rest = unquote(parts.path).split("/", 2)
        name = rest[0] if rest else ""
        query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.held.asked[self.command, name] += 1
        self._lost = self.held.loses(self.command, name)
        if (status := self.held.fails(self.command, name)) is not None:
            self._refuse(status, "Wanted")
        elif f"Credential={KEY}/" not in self.headers.get("Authorization", ""):
            self._refuse(403, "InvalidAccessKeyId")
        elif bucket != self.held.bucket:
            self._refuse(404, "NoSuchBucket")
        elif not name:
            (self._delete_many if "delete" in query else self._list)(query, body)
        else:
            getattr(self, f"_{self.command.lower()}")(name, query, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do  # noqa: N815 - the names that the base class looks for

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        if self._lost is not None:
            status, body, headers = self._lost, b"", {}
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        length = headers.get("Content_Length")
        if length is None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.held.sent += len(body)
            self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def _get(self, name: str, query: dict[str, str], body: bytes) -> None:
        content = self.held.objects.get(name)
        if content is None:
            self._refuse(404, "NoSuchKey")
            return
        told = {"ETag": '"1"', "Last_Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self._answer(200, content, Content_Length=str(len(content)), **told)
            return
        size = len(content)
        first = int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
        last = min(size - 1, int(asked[2])) if asked[1] and asked[2] else size - 1
        if first > last:
            self._refuse(416, "InvalidRange")
            return
        self._answer(206, content[first : last + 1], Content_Range=f"bytes {first}-{last}/{size}", **told)

    _head = _get

    def _put(self, name: str, query: dict[str, str], body: bytes) -> None:
        if "partNumber" in query:
            self.held.uploads[query["uploadId"]][int(query["partNumber"])] = body
        elif (source := self.headers.get("x-amz-copy-source")) is not None:
            content = self.held.objects.get(unquote(source).lstrip("/").partition("/")[2])
            if content is None:
                self._refuse(404, "NoSuchKey")
                return
            self.held.objects[name] = content
            self._answer(200, b"<CopyObjectResult><ETag>1</ETag></CopyObjectResult>")
            return
        else:
            self.held.objects[name] = body
        self._answer(200, ETag='"1"')

    def _post(self, name: str, query: dict[str, str], body: bytes) -> None:
        if "uploads" in query:
            number = uuid4().hex
            self.held.uploads[number] = {}
            root = "InitiateMultipartUploadResult"
            self._answer(200, f"<{root}><UploadId>{number}</UploadId></{root}>".encode())
            return
        parts = self.held.uploads.pop(query["uploadId"])
        self.held.objects[name] = b"".join(parts[number] for number in sorted(parts))
        root = "CompleteMultipartUploadResult"
        self._answer(200, f"<{root}><ETag>1</ETag></{root}>".encode())

    def _delete(self, name: str, query: dict[str, str], body: bytes) -> None:
        if "uploadId" in query:
            self.held.uploads.pop(query["uploadId"], None)
        else:
            self.held.objects.pop(name, None)
        self._answer(204)

    def _delete_many(self, query: dict[str, str], body: bytes) -> None:
        gone = re.findall(r"<Key>(.*?)</Key>", body.decode())
        for name in gone:
            self.held.asked["DELETE", name] += 1
            if (status := self.held.fails("DELETE", name)) is not None:
                self._refuse(status, "Wanted")
                return
            self.held.objects.pop(name, None)
        told = "".join(f"<Deleted><Key>{escape(name)}</Key></Deleted>" for name in gone)
        self._answer(200, f"<DeleteResult>{told}</DeleteResult>".encode())

    def _list(self, query: dict[str, str], body: bytes) -> None:
        names = [
            name for name in self.held.names(query.get("prefix", "")) if name > query.get("continuation-token", "")
        ]
        told = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(self.held.objects[name])}</Size><ETag>1</ETag>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for name in names[: self.held.page]
        )
        more = len(names) > self.held.page
        token = f"<NextContinuationToken>{escape(names[self.held.page - 1])}</NextContinuationToken>" if more else ""
        self._answer(
            200,
            f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{told}</ListBucketResult>".encode(),
        )


@contextmanager
def lake_address() -> Iterator[str]:
    """Give the address of an empty lake, in a server of our own or in the bucket that TEST_OBJECTS names."""
    if where := os.environ.get("TEST_OBJECTS", ""):
        begin, _, options = where.partition("?")
        yield f"{begin.rstrip('/')}/{uuid4().hex}?{options}"
        return
    with object_server() as server:
        yield server.address()
