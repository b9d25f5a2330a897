"""Make small random checkpoints with PyLate, and the vectors that PyLate gives for the texts; run by ``make golden``.

    python tests/golden/make_pylate.py tests/golden/pylate

Needs the packages of workflow/envs/pylate.txt, nothing of this harness. See README.md beside this file.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
import transformers
from pylate import models
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers import models as kinds
from vectors import vectors

TEXTS = json.loads((Path(__file__).parent / "texts.json").read_text())
EVERY = [*TEXTS["queries"], *TEXTS["passages"]]
HIDDEN = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "initializer_range": 0.2,
}
BERT = ["[PAD]", "[unused0]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
XLM = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def framed(tokenizer, start, end):
    ids = [(token, tokenizer.token_to_id(token)) for token in (start, end) if token]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{start} $A {end}".strip(), special_tokens=ids)


def word_piece(**names):
    tokenizer = Tokenizer(kinds.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    marks = "".join(map(chr, range(33, 127)))
    tokenizer.train_from_iterator(
        [*EVERY, " ".join(marks)], trainers.WordPieceTrainer(vocab_size=400, special_tokens=BERT, show_progress=False)
    )
    framed(tokenizer, "[CLS]", "[SEP]")
    special = {name: f"[{name[:-6].upper()}]" for name in ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special, **names)


def bytes_pairs(special, frame=None, **names):
    tokenizer = Tokenizer(kinds.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        EVERY,
        trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    if frame:
        framed(tokenizer, *frame)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def sentence_piece():
    tokenizer = Tokenizer(kinds.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    marks = [chr(code) for code in range(33, 127)]
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=XLM, unk_token="<unk>", initial_alphabet=marks, show_progress=False
    )
    tokenizer.train_from_iterator(EVERY, trainer)
    framed(tokenizer, "<s>", "</s>")
    names = dict(zip(("cls_token", "pad_token", "sep_token", "unk_token", "mask_token"), XLM, strict=True))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", **names)


def bases():
    """Yield name, tokenizer, config of a network, and what PyLate is asked for beside."""
    gelu = torch.nn.GELU()
    bert = word_piece()
    dense = {"in_features": 16, "out_features": 16, "bias": True, "activation_function": gelu, "use_residual": True}
    yield (
        "bert-residual",
        bert,
        transformers.BertConfig(vocab_size=len(bert), max_position_embeddings=128, **HIDDEN),
        [dense, {"in_features": 16, "out_features": 24, "bias": False, "use_residual": True}],
        {"query_length": 24, "document_length": 100, "attend_to_expansion_tokens": True, "skiplist_words": ["is", ","]},
    )
    frame = ("[CLS]", "[SEP]")
    special = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    modern = bytes_pairs(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"], frame, **special)
    ids = {name.replace("token", "token_id"): modern.convert_tokens_to_ids(token) for name, token in special.items()}
    small = {name: value for name, value in HIDDEN.items() if name != "initializer_range"}
    yield (
        "modernbert",
        modern,
        transformers.ModernBertConfig(
            vocab_size=len(modern), max_position_embeddings=256, local_attention=16, global_attn_every_n_layers=2,
            initializer_cutoff_factor=3.0, initializer_range=0.2, pad_token_id=ids["pad_token_id"],
            cls_token_id=ids["cls_token_id"], sep_token_id=ids["sep_token_id"], bos_token_id=ids["cls_token_id"],
            eos_token_id=ids["sep_token_id"], **small,
        ),
        [{"in_features": 16, "out_features": 16, "bias": False}],
        {"query_length": 48, "document_length": 200, "do_query_expansion": False},
    )  # fmt: skip
    xlm = sentence_piece()
    yield (
        "xlm-roberta",
        xlm,
        transformers.XLMRobertaConfig(
            vocab_size=len(xlm), max_position_embeddings=130, pad_token_id=1, bos_token_id=0, eos_token_id=2,
            type_vocab_size=1, **HIDDEN,
        ),
        [{"in_features": 16, "out_features": 16, "bias": False}],
        {"query_length": 24, "document_length": 100},
    )  # fmt: skip
    distil = word_piece()
    yield (
        "distilbert",
        distil,
        transformers.DistilBertConfig(
            vocab_size=len(distil), dim=16, n_layers=2, n_heads=2, hidden_dim=24, max_position_embeddings=128,
            initializer_range=0.2, pad_token_id=distil.pad_token_id,
        ),
        [{"in_features": 16, "out_features": 16, "bias": True, "activation_function": torch.nn.Tanh()}],
        {"query_prefix": "[unused0]", "document_prefix": "", "query_length": 24, "document_length": 64},
    )  # fmt: skip
    qwen = bytes_pairs(["<|endoftext|>"], ("", "<|endoftext|>"), eos_token="<|endoftext|>")
    yield (
        "qwen",
        qwen,
        transformers.Qwen2Config(
            vocab_size=len(qwen), num_key_value_heads=1, max_position_embeddings=256, max_window_layers=2,
            bos_token_id=None, eos_token_id=0, pad_token_id=None, **HIDDEN,
        ),
        [{"in_features": 16, "out_features": 16, "bias": False}],
        {"query_length": 24, "document_length": 100},
    )  # fmt: skip


def made(name, tokenizer, config, dense, usage, output):
    torch.manual_seed(7)
    with tempfile.TemporaryDirectory() as folder:
        transformers.AutoModel.from_config(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        network = models.ColBERT(folder, embedding_size=16, device="cpu", **usage)[0]
        layers = [models.Dense(**layer) for layer in dense]
        model = models.ColBERT(modules=[network, *layers], device="cpu", **usage)
    folder = output / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save(str(folder), create_model_card=False)
    np.savez_compressed(output / f"{name}.npz", **vectors(models.ColBERT(str(folder), device="cpu"), TEXTS))


if __name__ == "__main__":
    torch.set_num_threads(1)
    for each in bases():
        made(*each, Path(sys.argv[1]))
