#!/usr/bin/env python3
"""Makes the shipped checkpoint folder from the training's state: weights, held-out charts, figures.

    python tools/train/publish_charts_pix2struct.py --state STATE --pool POOL \\
        --out models/charts-pix2struct

Every figure comes from the files as published: weights read again, pictures decoded from their PNGs,
inputs by the reference's processor, answers by transformers' generate.
"""
import argparse
import json
import platform
import shutil
from pathlib import Path

import matplotlib
import numpy as np
import torch
import transformers
from chart_inputs import FONT, make_processor
from chart_model import LONGEST_ANSWER, make_model
from chart_tokenizer import make_tokenizer, write_sentencepiece
from charts import KINDS, questions, random_chart
from draw_pool import FIRST_TRAINING_SEED, SHARD, draw
from PIL import Image
from transformers import AutoTokenizer, Pix2StructForConditionalGeneration
from transformers.models.pix2struct.image_processing_pix2struct import Pix2StructImageProcessor

HELD_OUT_SEEDS = range(50)
ASKED = [["value"], ["highest", "lowest", "name"], ["more", "title", "count"]]  # one of each


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--pool", type=Path, required=True, help="what it was trained on")
    parser.add_argument("--out", type=Path, default=Path("models/charts-pix2struct"))
    parser.add_argument(
        "--vernier",
        default="not counted yet",
        help="for the card: what `vernier eval` counted on these files, as 'f32 9 of 10'",
    )
    parser.add_argument("--seed", type=int, default=2026)
    return parser.parse_args()


def write_checkpoint(folder, state):
    tokenizer = make_tokenizer()
    model = make_model(len(tokenizer))
    model.load_state_dict(state["modules"][0])
    model.generation_config.max_new_tokens = LONGEST_ANSWER
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    make_processor().save_pretrained(folder)
    name_the_font(folder / "preprocessor_config.json")
    tokenizer.save_pretrained(folder)
    write_sentencepiece(folder / "spiece.model")


def name_the_font(file):
    """A key of vernier's, which transformers leaves alone: what questions were drawn with."""
    settings = json.loads(file.read_text())
    settings["header_font"] = Path(FONT).name
    file.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")


def content(chart):
    return tuple(sorted(zip(chart.labels, chart.values)))


def check_unseen(charts, pool):
    """That no chart of the pool shows the same values under the same labels."""
    shown = {content(random_chart(seed)[0]) for seed in range(*trained_seeds(pool))}
    seen = [chart for chart in charts if content(chart) in shown]
    if seen:
        raise SystemExit(f"trained on a held-out chart: {seen[0]}")


def trained_seeds(pool):
    last = max(int(file.stem) for file in pool.glob("*.json"))
    return FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + (last + 1) * SHARD


def write_held_out(folder, pool, seed):
    """The pictures, and charts.json in ChartQA's form. Returns the questions with their kinds."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "png").mkdir(parents=True)
    pictures, charts = draw(HELD_OUT_SEEDS)
    check_unseen(charts, pool)
    random = np.random.default_rng(seed)
    rows = []
    for index, (picture, chart) in enumerate(zip(pictures, charts)):
        name = f"{index:02d}.png"
        Image.fromarray(picture).save(folder / "png" / name, optimize=True)
        asked = questions(chart)
        for choice in ASKED:
            kind = choice[index % len(choice)]
            query, label = asked[kind][random.integers(len(asked[kind]))]
            rows.append(
                {"imgname": name, "query": query, "label": label, "kind": kind, "chart": chart.kind}
            )
    published = [{key: row[key] for key in ("imgname", "query", "label")} for row in rows]
    (folder / "charts.json").write_text(json.dumps(published, indent=1) + "\n")
    return rows


def relaxed_match(answer, label):
    """ChartQA's: numbers within 5 %, everything else equal but for case."""
    try:
        found, wanted = float(answer), float(label)
    except ValueError:
        return answer.lower() == label.lower()
    return abs(found - wanted) <= 0.05 * abs(wanted)


@torch.inference_mode()
def answers(folder, rows):
    """[(answer, ids, smallest margin of a chosen score)] of the published files, one at a time."""
    model = Pix2StructForConditionalGeneration.from_pretrained(folder).eval()
    processor = Pix2StructImageProcessor.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    given = []
    for row in rows:
        picture = Image.open(folder / "test/png" / row["imgname"])
        inputs = processor(picture, header_text=row["query"], return_tensors="pt")
        out = model.generate(
            **inputs, use_cache=True, output_scores=True, return_dict_in_generate=True
        )
        top_two = torch.stack([scores[0].topk(2).values for scores in out.scores])
        margin = (top_two[:, 0] - top_two[:, 1]).min().item()
        ids = out.sequences[0].tolist()
        given.append((tokenizer.decode(ids, skip_special_tokens=True), ids, margin))
    return given


def write_reference(folder, rows, given):
    reference = [
        {"imgname": row["imgname"], "query": row["query"], "answer": answer, "ids": ids}
        for row, (answer, ids, _) in zip(rows, given)
    ]
    lines = ",\n".join(" " + json.dumps(entry) for entry in reference)
    (folder / "test/reference_answers.json").write_text(f"[\n{lines}\n]\n")


def share(rows, given, key, value):
    chosen = [(row, answer) for row, (answer, *_) in zip(rows, given) if value in (None, row[key])]
    right = sum(relaxed_match(answer, row["label"]) for row, answer in chosen)
    return f"{right} of {len(chosen)}"


def write_card(folder, arguments, rows, given, state):
    right = sum(relaxed_match(answer, row["label"]) for row, (answer, *_) in zip(rows, given))
    wrong = [
        f"`{row['imgname']}` {row['query']} {answer or 'nothing'}, not {row['label']}"
        for row, (answer, *_) in zip(rows, given)
        if not relaxed_match(answer, row["label"])
    ]
    kinds = sorted({row["kind"] for row in rows})
    first, end = trained_seeds(arguments.pool)
    model = Pix2StructForConditionalGeneration.from_pretrained(folder)
    text = (Path(__file__).parent / "charts_pix2struct_card.md").read_text()
    text = text.format(
        accuracy=100 * right / len(rows),
        right=right,
        total=len(rows),
        vernier=arguments.vernier,
        by_kind="; ".join(f"{kind} {share(rows, given, 'kind', kind)}" for kind in kinds),
        by_chart="; ".join(f"{kind} {share(rows, given, 'chart', kind)}" for kind in KINDS),
        wrong="\n".join(f"- {line}" for line in wrong) or "- none",
        smallest_margin=min(margin for *_, margin in given),
        parameters=sum(weight.numel() for weight in model.parameters()),
        trained=end - first,
        steps=state["step"],
        seed=arguments.seed,
        python=platform.python_version(),
        torch=torch.__version__.split("+")[0],
        transformers=transformers.__version__,
        matplotlib=matplotlib.__version__,
    )
    (folder / "README.md").write_text(text)


def main():
    arguments = parse_arguments()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    state = torch.load(arguments.state / "state.pt", weights_only=True)
    write_checkpoint(arguments.out, state)
    rows = write_held_out(arguments.out / "test", arguments.pool, arguments.seed)
    given = answers(arguments.out, rows)
    write_reference(arguments.out, rows, given)
    write_card(arguments.out, arguments, rows, given, state)
    print("all", share(rows, given, "kind", None))


if __name__ == "__main__":
    main()
