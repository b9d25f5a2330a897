"""Writing of a model in the layouts of other programs: the official one (colbert-ai 0.2) and PyLate's (1.6).

Both are refused where the other program would not give the same vectors.
"""

import json
import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from bench.encoder import official, pylate
from bench.encoder.inputs import Inputs, template
from bench.encoder.model import LateInteraction
from bench.errors import SettingsError
from bench.files.storage import write_json

TOKENS = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token", "bos_token", "eos_token")
PLACE = {"Identity": "torch.nn.modules.linear"}


def write_official(encoder: LateInteraction, lengths: Mapping[str, int], folder: Path) -> None:
    """Write the layout of colbert-ai. Raise SettingsError for a model that colbert-ai uses in another way."""
    inputs, settings = encoder.inputs, encoder.inputs.settings
    tokenizer = inputs.tokenizer
    marks = {tokenizer(mark, add_special_tokens=False)["input_ids"][0] for mark in string.punctuation}
    only_here = settings.skiplist or settings.filler or settings.query_prompt or settings.doc_prompt
    _require(
        {
            f"its network is of BERT's kind, not {encoder.bert.config.model_type!r}": encoder.bert.config.model_type
            == "bert",
            "it has one linear layer without bias": encoder.described_layers is None,
            "it has a query_marker and a doc_marker": bool(settings.query_marker and settings.doc_marker),
            "its queries are filled with [MASK], as pad_queries": settings.pad_queries,
            "it has no skiplist, filler or prompts": not only_here,
            "its texts stand between [CLS] and [SEP], neither stripped nor lower-cased beforehand": not (
                settings.strip or settings.lowercase or settings.special_tokens != "cls-sep"
            ),
            "its pad token has no other use": not inputs.pad_is_text,
            "it drops punctuation, since colbert-ai 0.2 cannot encode passages otherwise": settings.drop_punctuation,
            "each punctuation mark is a token of its own": marks == set(inputs.skipped.tolist()),
        },
        "official",
    )
    said = {
        "dim": encoder.dim,
        **lengths,
        "query_token": "[Q]",
        "query_token_id": settings.query_marker,
        "doc_token": "[D]",
        "doc_token_id": settings.doc_marker,
        "mask_punctuation": settings.drop_punctuation,
        "attend_to_mask_tokens": settings.attend_to_mask_tokens,
        **official.ONLY,
        "nbits": 2,
        "checkpoint": folder.name,
    }
    write_json(folder / official.METADATA, said)
    _write_network(encoder.state_dict(), encoder.bert.config, folder, architectures=["HF_ColBERT"])
    _write_tokenizer(inputs, folder)


def write_pylate(encoder: LateInteraction, lengths: Mapping[str, int], folder: Path) -> None:
    """Write the layout of PyLate. Raise SettingsError for a model that PyLate uses in another way."""
    inputs, settings = encoder.inputs, encoder.inputs.settings
    tokenizer = inputs.tokenizer
    chosen = tokenizer.mask_token or tokenizer.eos_token or tokenizer.pad_token
    _require(
        {
            f"its queries are filled with {chosen!r}": not settings.pad_queries or inputs.filler == chosen,
            "its special tokens are those that its tokenizer adds": inputs.around == template(tokenizer),
            "its texts are read without the white space around them, as inputs.strip": settings.strip
            or not pylate.reads_white_space(tokenizer),
        },
        "pylate",
    )
    ours = {
        "query_prefix": settings.query_marker or "",
        "document_prefix": settings.doc_marker or "",
        **{theirs: lengths[name] for theirs, name in pylate.NAMES.items()},
        "do_query_expansion": settings.pad_queries,
        "attend_to_expansion_tokens": settings.pad_queries and settings.attend_to_mask_tokens,
        "skiplist_words": tokenizer.convert_ids_to_tokens(inputs.skipped.tolist()),
        "prompts": {"query": settings.query_prompt, "document": settings.doc_prompt},
        "default_prompt_name": None,
        "similarity_fn_name": "MaxSim",
        "model_type": "ColBERT",
    }
    write_json(folder / pylate.USAGE, ours)
    write_json(folder / pylate.NETWORK, {"max_seq_length": max(lengths.values()), "do_lower_case": settings.lowercase})
    _write_network(encoder.bert.state_dict(), encoder.bert.config, folder)
    _write_tokenizer(inputs, folder)
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    for number, layer in enumerate(encoder.layers, start=1):
        dense = folder / f"{number}_Dense"
        place = PLACE.get(layer.activation, "torch.nn.modules.activation")
        write_json(
            dense / "config.json",
            {
                "in_features": layer.inputs,
                "out_features": layer.outputs,
                "bias": layer.bias,
                "activation_function": f"{place}.{layer.activation}",
                "use_residual": layer.residual,
            },
        )
        _write_tensors(_layer_tensors(encoder, number - 1), dense / "model.safetensors")
        modules.append({"idx": number, "name": str(number), "path": dense.name, "type": "pylate.models.Dense.Dense"})
    write_json(folder / pylate.MODULES, modules)


LAYOUTS: Mapping[str, Callable[[LateInteraction, Mapping[str, int], Path], None]] = {
    "official": write_official,
    "pylate": write_pylate,
}


def _require(conditions: Mapping[str, bool], layout: str) -> None:
    broken = [condition for condition, holds in conditions.items() if not holds]
    if broken:
        raise SettingsError(
            f"the layout {layout!r} holds a model only if {broken[0]}; this one would get other vectors there"
        )


def _layer_tensors(encoder: LateInteraction, number: int) -> dict[str, torch.Tensor]:
    if encoder.described_layers is None:
        return {"linear.weight": encoder.linear.state_dict()["weight"]}
    prefix = f"{number}."
    return {name[len(prefix) :]: value for name, value in encoder.linear.state_dict().items() if name.startswith(prefix)}


def _write_network(tensors: Mapping[str, torch.Tensor], config: Any, folder: Path, **changed: Any) -> None:
    """Write weights and config.json, in full, since defaults differ between versions of transformers."""
    values = json.loads(config.to_json_string(use_diff=False))
    for name in ("dtype", "transformers_version", "_name_or_path"):
        values.pop(name, None)
    write_json(folder / "config.json", values | changed)
    _write_tensors(tensors, folder / "model.safetensors")


def _write_tensors(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    safetensors.torch.save_file(whole, path, metadata={"format": "pt"})


def _write_tokenizer(inputs: Inputs, folder: Path) -> None:
    """Write tokenizer.json as it is, under a class that every version of transformers reads as it is."""
    tokenizer = inputs.tokenizer
    if not hasattr(tokenizer, "backend_tokenizer"):
        raise SettingsError(f"the tokenizer of {tokenizer.name_or_path} has no tokenizer.json, which both layouts need")
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    named = {name: getattr(tokenizer, name) for name in TOKENS if getattr(tokenizer, name) is not None}
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": tokenizer.model_max_length}
    write_json(folder / "tokenizer_config.json", {**named, **kind, "clean_up_tokenization_spaces": False})
