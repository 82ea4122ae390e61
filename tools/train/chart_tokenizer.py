"""The small Pix2Struct's tokenizer: T5's layout (pad, end, unknown, pieces), words and characters.

Words that charts are made of are one piece each, digits are single pieces, and letters and signs
stand behind them, so that any plain text has a segmentation.
"""
import string

from charts import LABELS, TITLES
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import T5Tokenizer

SPACE = "\u2581"
SPECIAL = ["<pad>", "</s>", "<unk>"]


def vocabulary():
    """[(piece, score)]; whole words are likelier than any spelling of them."""
    words = [SPACE + word for word in ["Yes", "No", *LABELS, *TITLES]]
    digits = [SPACE + digit for digit in string.digits] + list(string.digits)
    rest = [SPACE, *string.ascii_letters, *".,:;%?!<>()+-/'&"]
    return (
        [(piece, 0.0) for piece in SPECIAL]
        + [(piece, -4.0) for piece in words]
        + [(piece, -5.0) for piece in digits]
        + [(piece, -8.0) for piece in rest]
    )


def make_tokenizer():
    raw = Tokenizer(models.Unigram(vocabulary(), unk_id=2, byte_fallback=False))
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    raw.decoder = decoders.Metaspace()
    raw.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return T5Tokenizer(tokenizer_object=raw, extra_ids=0)


def write_sentencepiece(file):
    """The same vocabulary as spiece.model, checked by its own library to give the same ids."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as proto

    kinds = proto.ModelProto.SentencePiece
    model = proto.ModelProto()
    for index, (piece, score) in enumerate(vocabulary()):
        kind = kinds.UNKNOWN if index == 2 else kinds.CONTROL if index < 2 else kinds.NORMAL
        model.pieces.add(piece=piece, score=score, type=kind)
    model.trainer_spec.model_type = proto.TrainerSpec.UNIGRAM
    model.trainer_spec.vocab_size = len(model.pieces)
    model.trainer_spec.pad_id, model.trainer_spec.eos_id = 0, 1
    model.trainer_spec.unk_id, model.trainer_spec.bos_id = 2, -1
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = True
    model.normalizer_spec.escape_whitespaces = True
    file.write_bytes(model.SerializeToString())

    read, tokenizer = sentencepiece.SentencePieceProcessor(str(file)), make_tokenizer()
    for text in ["47", "Fig 47 Oak 9", "Yes", "what is the title?", "a  5% (b)"]:
        if read.encode(text) != tokenizer(text, add_special_tokens=False).input_ids:
            raise ValueError(f"'{text}' has other ids in {file}")
