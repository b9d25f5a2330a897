"""What an encoder is fed with (arXiv 2004.12832, section 3.2; the same in ColBERTv2)."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from bench.config.settings import NONE, Settings


def _marker(value: Any) -> Any:
    return None if value == NONE else value


Marker = Annotated[str | None, BeforeValidator(_marker)]


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
