"""Checkpoints in the layout of PyLate and sentence-transformers, as PyLate 1.6 reads them.

``modules.json`` names the folders of one network and of dense layers in their order; ``config_sentence_transformers.json``
says how texts are put in. What an older file does not say has PyLate's default.
"""

import string
import sys
from pathlib import Path
from typing import Any, get_args

import torch
import transformers
from torch import nn

from bench.config.inputs import InputSettings
from bench.encoder import base as pretrained
from bench.encoder.base import found_weights
from bench.encoder.checkpoint import fill
from bench.encoder.foreign import read_settings, read_tensors
from bench.encoder.inputs import positions, punctuation, template
from bench.encoder.model import Activation, Dense, LateInteraction, Layer, with_layers
from bench.encoder.official import WEIGHTS, check_lengths
from bench.errors import DamagedFileError, SettingsError
from bench.files.storage import read_json

MODULES = "modules.json"
USAGE = "config_sentence_transformers.json"
NETWORK = "sentence_bert_config.json"
FILES = ("*_Dense/*.safetensors", "*_Dense/*.bin")
DEFAULTS: dict[str, Any] = {
    "query_prefix": "[Q] ",
    "document_prefix": "[D] ",
    "query_length": 32,
    "document_length": 180,
    "do_query_expansion": True,
    "attend_to_expansion_tokens": False,
    "skiplist_words": list(string.punctuation),
}
NAMES = {"query_length": "query_maxlen", "document_length": "doc_maxlen"}  # of PyLate, and here
KINDS = (None, "ColBERT", "SentenceTransformer")  # the last one where an older version saved the model
SIMILARITIES = (None, "MaxSim", "cosine")  # the last one likewise; vectors have norm 1
READ = {"max_seq_length", "do_lower_case"}  # of the network's settings; the first one is set anew for each text


def load(folder: Path) -> tuple[LateInteraction, dict[str, int]]:
    """Return the encoder of a checkpoint (float32, evaluation mode) and the lengths ``query_maxlen`` and ``doc_maxlen``.

    Raise DamagedFileError for files that are missing, damaged or do not fit each other, and SettingsError for a model that
    is used in a way that this encoder does not know.
    """
    usage, (base, *dense) = _usage(folder / USAGE), _modules(folder)
    layers = [_layer(path / "config.json") for path in dense]
    network, tokenizer = pretrained.load(base)
    sizes = [network.config.hidden_size, *(layer.outputs for layer in layers)]
    for path, layer, size in zip(dense, layers, sizes, strict=False):
        if layer.inputs != size:
            raise DamagedFileError(f"{path / 'config.json'} has in_features {layer.inputs}, but is given {size} dimensions")
    lengths = {ours: usage[theirs] for theirs, ours in NAMES.items()}
    check_lengths(lengths, positions(network), folder / USAGE)
    _add_prefixes(network, tokenizer, [usage[name] for name in ("query_prefix", "document_prefix") if usage[name]], folder)
    settings = _inputs(tokenizer, usage, _lowercase(base / NETWORK), folder / USAGE)
    encoder = with_layers(network, tokenizer, layers, settings)
    filled = [_filled(path, layer) for path, layer in zip(dense, layers, strict=True)]
    whole = filled[0].linear if isinstance(encoder.linear, nn.Linear) else nn.Sequential(*filled)
    encoder.linear.load_state_dict(whole.state_dict())
    return encoder, lengths


def _usage(path: Path) -> dict[str, Any]:
    """Return all values that PyLate reads, with its defaults for those that are absent or null."""
    said = read_settings(path)
    for name, known in (("model_type", KINDS), ("similarity_fn_name", SIMILARITIES), ("default_prompt_name", (None,))):
        if said.get(name) not in known:
            raise SettingsError(f"{path} has {name} {said[name]!r}; supported are {', '.join(map(str, known))}")
    if said.get("model_type") != "ColBERT" and not set(DEFAULTS) & set(said):
        raise SettingsError(f"{path} says nothing of queries and passages: it is a model with one vector per text")
    values = {name: default if said.get(name) is None else said[name] for name, default in DEFAULTS.items()}
    for name, default in DEFAULTS.items():
        if type(values[name]) is not type(default):
            raise DamagedFileError(f"{path} has {name} {values[name]!r}, expected {type(default).__name__}")
    prompts = said.get("prompts") or {}
    return values | {name: prompts.get(name) or "" for name in ("query", "document")}


def _modules(folder: Path) -> tuple[Path, ...]:
    """Return the folders of the network and of each dense layer, in their order."""
    path = folder / MODULES
    modules = read_json(path)
    try:
        ordered = sorted(modules, key=lambda module: module["idx"])
        kinds = [module["type"].split(".")[-1] for module in ordered]
        places = [Path(module["path"]) for module in ordered]
    except (TypeError, KeyError, AttributeError) as error:
        raise DamagedFileError(f"{path} is no list of modules with idx, type and path ({error!r})") from error
    if kinds[:1] != ["Transformer"] or not kinds[1:] or set(kinds[1:]) != {"Dense"}:
        raise SettingsError(
            f"{path} has the modules {kinds}; a late interaction model is a Transformer and Dense layers alone"
        )
    if outside := [str(place) for place in places if place.is_absolute() or ".." in place.parts]:
        raise DamagedFileError(f"{path} names the folder {outside[0]}, which is not inside {folder}")
    return tuple(folder / place for place in places)


def _layer(path: Path) -> Layer:
    said = read_settings(path)
    kinds = {"in_features": int, "out_features": int, "bias": bool, "activation_function": str, "use_residual": bool}
    values = {"bias": True, "use_residual": False, **said}
    for name, kind in kinds.items():
        if type(values.get(name)) is not kind:
            raise DamagedFileError(f"{path} has {name} {values.get(name)!r}, expected {kind.__name__}")
    if unknown := sorted(set(values) - set(kinds)):
        raise SettingsError(
            f"{path} has {unknown[0]} {values[unknown[0]]!r}, which is not known; known are {', '.join(kinds)}"
        )
    activation = values["activation_function"].split(".")
    if activation[:2] != ["torch", "nn"] or activation[-1] not in get_args(Activation):
        raise SettingsError(
            f"{path} has activation_function {values['activation_function']!r}; supported are those of torch.nn named "
            f"{', '.join(get_args(Activation))}"
        )
    return Layer(
        inputs=values["in_features"],
        outputs=values["out_features"],
        bias=values["bias"],
        activation=activation[-1],
        residual=values["use_residual"],
    )


def _filled(folder: Path, layer: Layer) -> Dense:
    source = found_weights(folder, WEIGHTS)
    if source is None:
        raise DamagedFileError(f"{folder} has neither of {list(WEIGHTS)}")
    dense = Dense(layer)
    fill(dense, read_tensors(source), source)
    return dense


def _lowercase(path: Path) -> bool:
    said = read_settings(path) if path.exists() else {}
    if unknown := sorted(set(said) - READ):
        raise SettingsError(f"{path} has {unknown[0]} {said[unknown[0]]!r}, which is not known; known are {sorted(READ)}")
    return bool(said.get("do_lower_case", False))


def reads_white_space(tokenizer: transformers.PreTrainedTokenizerBase) -> bool:
    """Whether white space around a text changes its tokens; PyLate removes it beforehand."""
    return any(tokenizer(f"{space}a{space}")["input_ids"] != tokenizer("a")["input_ids"] for space in (" ", "\n", "\t"))


def _add_prefixes(
    network: nn.Module, tokenizer: transformers.PreTrainedTokenizerBase, prefixes: list[str], folder: Path
) -> None:
    """Make each prefix one token, as PyLate does; those that are new stand at the end of the vocabulary.

    A new token has the mean of all embeddings; PyLate draws it at random around that mean.
    """
    new = [prefix for prefix in prefixes if prefix not in tokenizer.get_vocab()]
    before = len(tokenizer)
    tokenizer.add_tokens(prefixes)
    if not new:
        return
    if len(tokenizer) > network.get_input_embeddings().num_embeddings:
        network.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        table = network.get_input_embeddings().weight
        table[before : len(tokenizer)] = table[:before].mean(dim=0)
    print(f"{folder}: {', '.join(map(repr, new))} added to the vocabulary, with the mean of all embeddings", file=sys.stderr)


def _inputs(
    tokenizer: transformers.PreTrainedTokenizerBase, usage: dict[str, Any], lowercase: bool, source: Path
) -> InputSettings:
    """Return how texts are put in. What fills queries becomes the token that batches are padded with, as in PyLate."""
    vocabulary = tokenizer.get_vocab()
    if absent := [word for word in usage["skiplist_words"] if word not in vocabulary]:
        raise SettingsError(
            f"{source} has {absent[0]!r} among skiplist_words, which the tokenizer does not have: PyLate would drop every "
            "unknown word in its place; remove it from skiplist_words"
        )
    marked = usage["query_prefix"] or usage["document_prefix"] or usage["do_query_expansion"]
    if tokenizer.truncation_side != "right" or (tokenizer.padding_side != "right" and marked):
        raise SettingsError(f"the tokenizer of {source.parent} pads or truncates on the left; only the right is supported")
    filler = tokenizer.mask_token or tokenizer.eos_token or tokenizer.pad_token
    if filler is None:
        raise SettingsError(
            f"the tokenizer of {source.parent} has none of mask_token, eos_token, pad_token to fill queries with"
        )
    tokenizer.pad_token = filler
    plain = set(usage["skiplist_words"]) == set(punctuation(vocabulary))
    framed = ([tokenizer.cls_token_id], [tokenizer.sep_token_id]) == template(tokenizer)
    return InputSettings(
        query_marker=usage["query_prefix"] or None,
        doc_marker=usage["document_prefix"] or None,
        pad_queries=usage["do_query_expansion"],
        attend_to_mask_tokens=usage["do_query_expansion"] and usage["attend_to_expansion_tokens"],
        drop_punctuation=plain,
        skiplist=() if plain else tuple(usage["skiplist_words"]),
        filler=None if tokenizer.mask_token else filler,
        special_tokens="cls-sep" if framed else "tokenizer",
        query_prompt=usage["query"],
        doc_prompt=usage["document"],
        strip=reads_white_space(tokenizer),
        lowercase=lowercase,
    )
