"""Show a search box over an index as a page on this machine: ranked passages with the tokens that won."""

from pathlib import Path
from typing import Annotated

from bench.config.settings import Count, Natural
from bench.errors import SettingsError
from bench.notebook.server import LOOPBACK, SearchServer
from bench.verbs.asked import AskedEngine, Place
from bench.verbs.common import Flat, prepare_torch


def serve(
    index: Path,
    *,
    against: Path | None = None,
    place: Annotated[Place, Flat] = Place(),
    engine: Annotated[AskedEngine, Flat] = AskedEngine(),
    host: str = "127.0.0.1",
    port: Natural = 8000,
    threads: Count = 1,
) -> None:
    """Show a search box over an index as a page on this machine: ranked passages with the tokens that won.

    :param index: Index folder of the workflow (build/CORPUS/MODEL/CODEC/index) or of bench.build_index.
    :param against: Another index of the same passages, shown beside it with what moved.
    :param host: Address to listen on; others than this machine's own let anybody who reaches it search.
    :param port: Port to listen on; 0 for a free one.
    :param threads: Threads of a search.
    """
    if port > 65535:
        raise SettingsError(f"--port {port} of the command line is not from 0 to 65535")
    prepare_torch(threads=threads)
    indexes = [place.open(folder, threads) for folder in (index, against) if folder is not None]
    try:
        server = SearchServer((host, port), indexes, engine.given())
    except OSError as error:
        raise SettingsError(f"--host {host} --port {port} of the command line cannot be listened on: {error}") from error
    open_to = "" if host in LOOPBACK else ", open to whoever reaches it"
    print(f"http://{host}:{server.server_address[1]}/ (JSON: /api/search?q=...&k=10){open_to}; Ctrl-C ends it", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()
