"""What an encoder is fed with (arXiv 2004.12832, section 3.2; the same in ColBERTv2)."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from bench.config.settings import NONE, Settings


def _marker(value: Any) -> Any:
    return None if value == NONE else value


Marker = Annotated[str | None, BeforeValidator(_marker)]
ALWAYS = ("query_marker", "doc_marker", "pad_queries", "attend_to_mask_tokens", "drop_punctuation")


class InputSettings(Settings):
    """What a model must be fed with, where it differs from ColBERT's; stored beside its weights."""

    query_marker: Marker = "[unused0]"
    """Vocabulary entry used as [Q]; null (on the command line: none) for a model without it."""
    doc_marker: Marker = "[unused1]"
    """Vocabulary entry used as [D]; null (on the command line: none) for a model without it."""
    pad_queries: bool = True
    """Fill queries with [MASK] up to their length (query augmentation)."""
    attend_to_mask_tokens: bool = False
    """Let the other tokens of a query attend to the [MASK] tokens."""
    drop_punctuation: bool = True
    """Keep no passage vector for a punctuation token."""
    skiplist: tuple[str, ...] = ()
    """Further vocabulary entries without a passage vector."""
    filler: Marker = None
    """Vocabulary entry that fills queries in place of [MASK], for a model without one."""
    special_tokens: Literal["cls-sep", "tokenizer"] = "cls-sep"
    """[CLS] and [SEP] around a text, or what the tokenizer itself adds; the marker follows the first token."""
    query_prompt: str = ""
    """Text before each query, which counts as part of it."""
    doc_prompt: str = ""
    """Text before each passage, which counts as part of it."""
    strip: bool = False
    """Remove white space around texts before the tokenizer reads them."""
    lowercase: bool = False
    """Lower-case texts before the tokenizer reads them."""

    def stored(self) -> dict[str, Any]:
        """The values that are written beside weights: ColBERT's always, the others where they are not at their defaults."""
        fields = type(self).model_fields
        values = self.model_dump(mode="json")
        return {key: value for key, value in values.items() if key in ALWAYS or getattr(self, key) != fields[key].default}
