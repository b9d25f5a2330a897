"""The ids of many texts as flat arrays: in this process, or ahead of a device in processes of their own."""

import collections
import contextlib
import os
import queue
import subprocess
import sys
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import transformers

from bench.encoder import tokenizer_worker
from bench.encoder.tokenizer_worker import packed, receive, send
from bench.encoder.tokens import Tokens
from bench.errors import SettingsError

TEXTS_PER_MESSAGE = 256
MESSAGES_AHEAD = 4  # of each process


class Tokenizing:
    """One tokenizer, which adds no special tokens, pads nothing and cuts nothing."""

    def __init__(self, tokenizer: transformers.PreTrainedTokenizerBase):
        self.tokenizer = tokenizer
        self._reader: tuple[Any, tokenizer_worker.Read] | None = None
        self._processes: Processes | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Tokenizing":
        return Tokenizing(self.tokenizer)

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Return the ids of each text, the same as the tokenizer's own."""
        backend = self._backend()
        if backend is None:
            if not len(texts):
                return Tokens.of([])
            return Tokens.of(self.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"])
        state = (backend.encode_special_tokens, backend.get_vocab_size())
        if self._reader is None or self._reader[0] != state:
            self._reader = (state, tokenizer_worker.reader(backend))
        return _tokens(self._reader[1](texts))

    @property
    def by_words(self) -> bool:
        """Whether the tokenizer reads word by word, as BERT's do."""
        backend = self._backend()
        return backend is not None and tokenizer_worker.splits_at_spaces(backend)

    def blocks(self, texts: Sequence[str], block: int, processes: int) -> Iterator[Tokens]:
        """Yield the ids of blocks of texts, in order; at least one block, which may be empty."""
        starts = range(0, max(len(texts), 1), block)
        backend = self._backend() if processes and len(texts) > TEXTS_PER_MESSAGE else None
        if backend is None:
            yield from (self(texts[start : start + block]) for start in starts)
            return
        if self._processes is None or self._processes.count != processes:
            self._processes = Processes(backend, processes)
        parts = self._processes.read(texts, TEXTS_PER_MESSAGE)
        block = max(block // TEXTS_PER_MESSAGE, 1) * TEXTS_PER_MESSAGE
        for start in range(0, len(texts), block):
            messages = -(-min(block, len(texts) - start) // TEXTS_PER_MESSAGE)
            yield Tokens.joined([next(parts) for _ in range(messages)])

    def _backend(self) -> Any:
        """Return the Rust tokenizer, set for plain texts; None for a tokenizer that needs its Python part."""
        read = getattr(type(self.tokenizer), "_encode_plus", None)
        if read is not getattr(transformers.PreTrainedTokenizerFast, "_encode_plus", self):
            return None  # a tokenizer in Python, or one that does something of its own before
        backend = self.tokenizer.backend_tokenizer
        if backend.truncation is not None:
            backend.no_truncation()
        if backend.padding is not None:
            backend.no_padding()
        if backend.encode_special_tokens != self.tokenizer.split_special_tokens:
            backend.encode_special_tokens = self.tokenizer.split_special_tokens
        return backend


class Processes:
    """Processes that tokenize; they end with this one, or when this object is dropped."""

    def __init__(self, tokenizer: Any, count: int):
        self.count = count
        environment = os.environ | {"TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}
        command = [sys.executable, "-P", str(Path(tokenizer_worker.__file__))]
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        processes = []
        for _ in range(count):
            process: Any = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
            send(process.stdin, tokenizer.to_str().encode(), b"1" if tokenizer.encode_special_tokens else b"")
            processes.append(process)
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="tokenize")
        weakref.finalize(self, _end, processes)

    def read(self, texts: Sequence[str], size: int) -> Iterator[Tokens]:
        """Yield the ids of ``size`` texts at a time, in order, some messages ahead of the reader."""
        waiting: collections.deque[Future[Tokens]] = collections.deque()
        for start in range(0, len(texts), size):
            waiting.append(self._threads.submit(self._ask, list(texts[start : start + size])))
            if len(waiting) > MESSAGES_AHEAD * self.count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _ask(self, texts: list[str]) -> Tokens:
        process = self._idle.get()
        try:
            send(process.stdin, *packed(texts))
            answer = receive(process.stdout)
        except (OSError, EOFError) as error:
            raise SettingsError(f"a process that tokenizes has ended with {process.poll()}: too little memory?") from error
        finally:
            self._idle.put(process)
        if len(answer) != 2:
            said = answer[0].decode() if answer else f"its process has ended with {process.poll()}"
            raise SettingsError(f"the tokenizer cannot read one of {len(texts)} texts: {said}")
        return _tokens(answer)


def _end(processes: Sequence[Any]) -> None:
    for process in processes:
        with contextlib.suppress(BrokenPipeError):  # of one that has ended already
            process.stdin.close()
        process.stdout.close()
        process.wait()


def _tokens(found: Sequence[bytes]) -> Tokens:
    lengths, ids = (np.frombuffer(part, np.int32) for part in found)
    return Tokens(ids, lengths)
