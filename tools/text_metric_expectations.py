#!/usr/bin/env python3
"""Writes tests/data/text_metrics/random.json: random texts scored by rouge_score, sacrebleu, jiwer and rapidfuzz.

usage: text_metric_expectations.py [OUTPUT]
needs: pip install rouge_score sacrebleu jiwer rapidfuzz
"""
import json
import random
import sys
from importlib.metadata import version
from pathlib import Path

import jiwer
import sacrebleu
from rapidfuzz.distance import Levenshtein
from rouge_score import rouge_scorer

OUTPUT = Path(__file__).resolve().parent.parent / "tests/data/text_metrics/random.json"
WORDS = ["The", "chart", "SHOWS", "3.5%", "1,234.50", "-7", "10-20", "İstanbul", "ΟΔΟΣ", "ΣΑΣ'", "Straße", "naïve", "cafe\u0301", "日本", "図表", "😀", "👍🏽", "it's",
         "(a)", "b/c", "x.y", "end.", ",", "...", "&amp;", "&quot;q&quot;", "&amp;lt;", "<skipped>", "well-", "\u212a", "١٢٣", "٪", "٣.٥", "100", "Zwei\u00adteile", "a_b", "{x}", "[y]", "~", "`"]
GAPS = [" "] * 12 + ["  ", "\t", "\n", "\u00a0", "\u3000", "\u2028", "\x1c", "\x85", "-\n", "\r\n", "\u200b", ""]
NUMBERS = ["1e400", "-1e400", "1e-400", "0e999999999999999999999", "1e-99999999999999999999", "1e99999999999999999999", "0." + "0" * 400 + "1", "9" * 400, "1_0", "_1", "1_", "1__0", "1e1_0", "١٢٫٥", "١٢.٥",
           "+5", "--5", "+-5", "5.", ".5", ".", "e5", "5e", "5e+", "0x10", "infinity", "-Inf", "nan(1)", "+nan", "１２", "²", "1\u00a0", "\u20033 ", "5%%", "%", "12 %", "%5", "1 2", "", " ", "1e5", "1E5", "1.5e3%", "١٪", "NaN", "0", "-0", "0%"]


def text(rng):
    return "".join(rng.choice(WORDS) + rng.choice(GAPS) for _ in range(rng.randrange(0, 14)))


def changed(rng, words):
    """A text near another one: words dropped, doubled, replaced, swapped."""
    parts = words.split(" ")
    for _ in range(rng.randrange(0, 4)):
        at = rng.randrange(len(parts))
        parts[at:at + 1] = rng.choice([[], [parts[at]] * 2, [rng.choice(WORDS)], [parts[at].lower()]])
        parts = parts or [""]
    return " ".join(parts)


def python_float(value):
    try:
        return repr(float(value))
    except ValueError:
        return None


def main():
    rng = random.Random(2026)
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    pairs = []
    for _ in range(400):
        reference = text(rng)
        pairs.append((reference, text(rng) if rng.random() < 0.2 else changed(rng, reference)))
    rows = []
    for reference, candidate in pairs:
        rouge = scorer.score(reference, candidate)
        row = {"reference": reference, "candidate": candidate, "lower": reference.lower(),
               "rouge": [rouge[name].fmeasure for name in ("rouge1", "rouge2", "rougeL")],
               "bleu_tokens": sacrebleu.BLEU().tokenizer(reference.rstrip()).split(), "bleu": sacrebleu.sentence_bleu(candidate, [reference]).score,
               "ned": Levenshtein.normalized_distance(reference, candidate)}
        if reference.split():  # an empty reference is an error there
            words = [" ".join(side.split()) for side in (reference, candidate)]
            row["wer"] = jiwer.process_words(*words).wer
        if reference:
            row["cer"] = Levenshtein.distance(reference, candidate) / len(reference)
        rows.append(row)
    several = []
    for _ in range(60):
        references = [text(rng) for _ in range(rng.randrange(1, 4))]
        candidate = changed(rng, rng.choice(references))
        several.append({"references": references, "candidate": candidate, "bleu": sacrebleu.sentence_bleu(candidate, references).score})
    result = {"what": "random texts scored by the published packages", "versions": {name: version(name) for name in ("rouge_score", "sacrebleu", "jiwer", "rapidfuzz")},
              "pairs": rows, "corpus_bleu": sacrebleu.corpus_bleu([c for _, c in pairs], [[r for r, _ in pairs]]).score, "several_references": several,
              "floats": [{"text": n, "value": python_float(n)} for n in NUMBERS]}
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=0, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
