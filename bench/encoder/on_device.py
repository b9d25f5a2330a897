"""Encoding of passages on a GPU, where the host waits for nothing but the results of three blocks before.

A block of texts goes there once, as flat ids in pinned memory. Padding, masks, the choice of the vectors that are kept and
the order of the passages are made there; the float16 vectors of a block come back on a second stream.
"""

import collections
import contextlib
import copy
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import nn

from bench.encoder.batching import length_batches
from bench.encoder.model import Encoder, per_token
from bench.encoder.tokens import Tokens
from bench.errors import SettingsError

TOKENS = 65_536  # of a batch where memory allows
LEAST = 2_048
TOKENS_PER_BLOCK = 737_280  # of texts of full length
BLOCKS_AHEAD = 3
BROADCAST = ("bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert")  # a mask may have one row a text
GIB = 2**30


def device_passages(
    encoder: Encoder,
    blocks: Iterable[tuple[Tokens, np.ndarray]],
    texts: int,
    maxlen: int,
    *,
    precision: str,
    device: str,
    progress: Any,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return vectors ``[vectors, dim]`` float16, ``doclens [texts]`` int32, what the blocks said of their texts, and the ids
    of the tokens that keep vectors.

    blocks: of ``Inputs.passage_blocks``. Raise SettingsError where the memory of the device is too small.
    """
    place = torch.device(device)
    vectors = np.empty((texts * (maxlen if per_token(encoder) else 1), encoder.dim), np.float16)  # touched as it fills
    doclens, uncut, done = [np.empty(0, np.int32)], [np.empty((0, 2), np.int32)], 0
    ids = [encoder.inputs.kept_ids(Tokens.of([]))]
    with torch.inference_mode(), naming_memory(place), Copies(place) as copies:
        network = at_precision(encoder.bert, precision)
        most = batch_tokens(network, place, maxlen)
        keeps = torch.from_numpy(encoder.inputs.keeps).to(place)
        for tokens, said in blocks:
            counts = kept_counts(encoder, tokens)
            found = _block(encoder, network, tokens, counts, keeps, most)
            copies.fetch(found, vectors[done : done + len(found)])
            done += len(found)
            doclens.append(counts.astype(np.int32))
            uncut.append(said)
            ids.append(encoder.inputs.kept_ids(tokens))
            progress(len(tokens))
    return vectors[:done], np.concatenate(doclens), np.concatenate(uncut), np.concatenate(ids)


def kept_counts(encoder: Encoder, tokens: Tokens) -> np.ndarray:
    """Return the number of vectors of each passage, ``[passages]`` int64."""
    return encoder.inputs.kept_counts(tokens) if per_token(encoder) else np.ones(len(tokens), np.int64)


def _block(
    encoder: Encoder, network: Any, tokens: Tokens, counts: np.ndarray, keeps: torch.Tensor, most: int
) -> torch.Tensor:
    """Return the vectors ``[vectors, dim]`` float16 of one block, in the order of its passages, on the device."""
    place, total = keeps.device, int(counts.sum())
    batches = list(length_batches(tokens.lengths, most, even_from=most // 8))
    order = np.concatenate([np.empty(0, np.int64), *batches])
    rows = np.stack([tokens.offsets[:-1], tokens.lengths, np.cumsum(counts) - counts])[:, order]
    flat, table = moved(tokens.ids, place), moved(rows.astype(np.int32), place)
    found = torch.empty((total + 1, encoder.dim), dtype=torch.float16, device=place)  # the last row is for what is dropped
    done = 0
    for batch in batches:
        starts, lengths, first = table[:, done : done + len(batch), None]
        done += len(batch)
        shortest, longest = int(tokens.lengths[batch[0]]), int(tokens.lengths[batch[-1]])
        columns = torch.arange(longest, device=place, dtype=torch.int32)
        real = columns < lengths
        ids = torch.where(real, flat[(starts + columns).clamp_(max=len(flat) - 1)], encoder.inputs.pad).long()
        mask = None if shortest == longest else attention_mask(network, real)
        hidden = network(input_ids=ids, attention_mask=mask).last_hidden_state
        made = encoder.head(hidden.float(), real).flatten(0, 1)
        if per_token(encoder):
            keep = keeps[ids] & real
            target = torch.where(keep, first + keep.cumsum(1) - 1, total).flatten()
        else:
            target = first.flatten().long()
        found.index_copy_(0, target, made.half())
    return found[:total]


def attention_mask(network: Any, real: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
    """Return the mask of a batch for a network: what is added to the logits of attention, ``[texts, 1, 1, longest]``, or
    1 for a real token, ``[texts, longest]``, from which others make their own.

    dtype: of the attention, the network's own by default. Of a mask of the second form, transformers asks the device
    whether it masks anything, and widens it to one row a token. Fused attention wants rows at multiples of 16 values.
    """
    if getattr(network.config, "model_type", None) not in BROADCAST:
        return real.long()
    kind, (texts, longest) = dtype or network.dtype, real.shape
    mask = torch.zeros((texts, 1, 1, -(-longest // 16) * 16), dtype=kind, device=real.device)[..., :longest]
    return mask.masked_fill_(~real[:, None, None, :], torch.finfo(kind).min)


def at_precision(network: Any, precision: str) -> Any:
    """Return the network with its weights in ``precision``: itself for float32, else a copy that keeps its buffers."""
    if precision == "float32":
        return network
    half = copy.deepcopy(network)
    for parameter in half.parameters():
        parameter.data = parameter.data.to(torch.bfloat16)
    return half


def batch_tokens(network: nn.Module, place: torch.device, longest: int, wanted: int = TOKENS) -> int:
    """Return the tokens of a batch for which half of the free memory is enough, at most ``wanted``.

    Raise SettingsError for a device with too little memory for ``LEAST`` tokens, or one text of the longest.
    """
    if place.type != "cuda":
        return wanted
    config: Any = network.config
    hidden = getattr(config, "hidden_size", 1024)
    width = getattr(config, "intermediate_size", None) or 4 * hidden
    each = 4 * (16 * hidden + 3 * width) + 4 * longest  # bytes a token: in float32, as if nothing of a layer were freed
    free, total = torch.cuda.mem_get_info(place)
    free += torch.cuda.memory_reserved(place) - torch.cuda.memory_allocated(place)
    fits = int(0.5 * free / each)
    least = max(LEAST, longest)
    if fits < least:
        raise SettingsError(
            f"{torch.cuda.get_device_name(place)} has {free / GIB:.1f} of {total / GIB:.1f} GiB free, a batch of {least} "
            f"tokens of this network needs {2 * least * each / GIB:.1f} GiB: end what else is on it, or lower the length"
        )
    return min(wanted, fits)


@contextlib.contextmanager
def naming_memory(place: torch.device) -> Iterator[None]:
    """Turn an error for lack of memory into SettingsError with the amount and what to lower."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        free, total = torch.cuda.mem_get_info(place)
        said = str(error).split(". ")[0]
        raise SettingsError(
            f"{place} is out of memory ({said}; {free / GIB:.1f} of {total / GIB:.1f} GiB free): end what else is on it, "
            "lower the length of texts, or give bfloat16"
        ) from error


def moved(array: np.ndarray, place: torch.device) -> torch.Tensor:
    """Return an array on the device, by way of pinned memory without a wait."""
    with_owner = torch.from_numpy(np.require(array, requirements="W"))
    return with_owner.pin_memory().to(place, non_blocking=True) if place.type == "cuda" else with_owner


class Copies:
    """Copies from the device on a stream of their own, and from pinned memory to their place in a thread."""

    def __init__(self, place: torch.device):
        self.stream = torch.cuda.Stream(place) if place.type == "cuda" else None
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="copies")
        self.waiting: collections.deque[Future[None]] = collections.deque()

    def __enter__(self) -> "Copies":
        return self

    def __exit__(self, *error: object) -> None:
        while self.waiting:
            self.waiting.popleft().result()
        self.thread.shutdown()

    def fetch(self, found: torch.Tensor, target: np.ndarray) -> None:
        """Copy a tensor to an array of its shape, later; at most ``BLOCKS_AHEAD`` copies wait."""
        if self.stream is None:
            target[...] = found.numpy()
            return
        if len(self.waiting) == BLOCKS_AHEAD:
            self.waiting.popleft().result()
        self.stream.wait_stream(torch.cuda.current_stream())
        pinned = torch.empty(found.shape, dtype=found.dtype, pin_memory=True)
        with torch.cuda.stream(self.stream):
            pinned.copy_(found, non_blocking=True)
            found.record_stream(self.stream)
        self.waiting.append(self.thread.submit(_store, self.stream.record_event(), pinned, target))


def _store(copied: torch.cuda.Event, pinned: torch.Tensor, target: np.ndarray) -> None:
    copied.synchronize()
    np.copyto(target, pinned.numpy())
