"""Texts to token ids, in this process or as a process of its own, which imports nothing but ``tokenizers``.

BERT's tokenizers split at spaces before anything else can join two words, so the ids of a text are those of its words in
order. Each word is tokenized once; the other tokenizers read whole texts.

As a process it reads the tokenizer and then lists of texts from its standard input. It answers each list with the
lengths and the ids.
"""

import array
import itertools
import json
import os
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

MOST_WORDS = 1_000_000  # that are remembered, some 150 MB
Read = Callable[[Sequence[str]], tuple[bytes, bytes]]


def reader(tokenizer: Any) -> Read:
    """Return a function from texts to the lengths ``[texts]`` and the ids ``[all tokens]``, both as bytes of int32.

    tokenizer: ``tokenizers.Tokenizer`` without truncation and padding; no special token is added.
    """
    return _by_words(tokenizer) if splits_at_spaces(tokenizer) else _by_texts(tokenizer)


def splits_at_spaces(tokenizer: Any) -> bool:
    """Whether the ids of a text are those of its words, unless it has an entry that ``needs_whole`` finds."""
    parts = json.loads(tokenizer.to_str())
    found = [(parts[name] or {}).get("type") for name in ("normalizer", "pre_tokenizer", "model")]
    wide = [entry for entry in parts["added_tokens"] if " " in entry["content"]]
    known = all(entry["content"].startswith("[") or not entry["normalized"] for entry in wide)
    return known and found == ["BertNormalizer", "BertPreTokenizer", "WordPiece"]


def needs_whole(tokenizer: Any) -> Callable[[str], bool]:
    """Return whether a text has an added entry with a space, such as PyLate's markers "[Q] " and "[D] ".

    Normalized entries are looked for in the normalized text, where a "[" can only come from a "[".
    """
    wide = [entry for entry in tokenizer.get_added_tokens_decoder().values() if " " in entry.content]
    exact = [entry.content for entry in wide if not entry.normalized]
    loose = [tokenizer.normalizer.normalize_str(entry.content) for entry in wide if entry.normalized]

    def found(text: str) -> bool:
        if any(entry in text for entry in exact):
            return True
        if not loose or "[" not in text:
            return False
        normalized = tokenizer.normalizer.normalize_str(text)
        return any(entry in normalized for entry in loose)

    return found


def _by_texts(tokenizer: Any) -> Read:
    def read(texts: Sequence[str]) -> tuple[bytes, bytes]:
        lengths, ids = array.array("i"), array.array("i")
        for found in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
            row = found.ids
            lengths.append(len(row))
            ids.fromlist(row)
        return lengths.tobytes(), ids.tobytes()

    return read


def _by_words(tokenizer: Any) -> Read:
    known: dict[str, bytes] = {}
    wide = needs_whole(tokenizer)

    def whole(text: str) -> bytes:
        return array.array("i", tokenizer.encode(text, add_special_tokens=False).ids).tobytes()

    def read(texts: Sequence[str]) -> tuple[bytes, bytes]:
        if len(known) > MOST_WORDS:
            known.clear()
        apart = {number for number, text in enumerate(texts) if wide(text)}
        words = [[] if number in apart else text.split(" ") for number, text in enumerate(texts)]
        new = list(set(itertools.chain.from_iterable(words)) - known.keys())
        for word, found in zip(new, tokenizer.encode_batch_fast(new, add_special_tokens=False), strict=True):
            known[word] = array.array("i", found.ids).tobytes()
        rows = [b"".join(map(known.__getitem__, some)) for some in words]
        for number in apart:
            rows[number] = whole(texts[number])
        return array.array("i", [len(row) // 4 for row in rows]).tobytes(), b"".join(rows)

    return read


def send(stream: BinaryIO, *parts: bytes) -> None:
    """Write a message of some parts, with their number and sizes before them."""
    stream.write(struct.pack(f"<{len(parts) + 1}q", len(parts), *map(len, parts)))
    for part in parts:
        stream.write(part)
    stream.flush()


def receive(stream: BinaryIO) -> list[bytes]:
    """Return the parts of the next message, none at the end of the stream. Raise EOFError for a message that is cut."""
    head = stream.read(8)
    if not head:
        return []
    (count,) = struct.unpack("<q", head)
    sizes = struct.unpack(f"<{count}q", stream.read(8 * count))
    parts = [stream.read(size) for size in sizes]
    if [len(part) for part in parts] != list(sizes):
        raise EOFError
    return parts


def packed(texts: Sequence[str]) -> tuple[bytes, bytes]:
    """Return the characters of each text as bytes of int32, and all texts in UTF-8."""
    return array.array("i", map(len, texts)).tobytes(), "".join(texts).encode("utf-8", "surrogatepass")


def unpacked(lengths: bytes, joined: bytes) -> list[str]:
    """Return the texts of ``packed``."""
    whole, ends = joined.decode("utf-8", "surrogatepass"), itertools.accumulate(array.array("i", lengths), initial=0)
    return [whole[start:stop] for start, stop in itertools.pairwise(ends)]


def serve() -> None:
    """Answer messages of texts until the end of the standard input. An error is answered with its text alone."""
    import tokenizers

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints would break the answers
    source = sys.stdin.buffer
    settings, special = receive(source)
    tokenizer = tokenizers.Tokenizer.from_str(settings.decode())
    tokenizer.encode_special_tokens = bool(special)
    read = reader(tokenizer)
    while parts := receive(source):
        try:
            answer = read(unpacked(*parts))
        except Exception as error:
            send(answers, f"{type(error).__name__}: {error}".encode())
        else:
            send(answers, *answer)


if __name__ == "__main__":
    serve()
