#!/usr/bin/env python3
"""Run with: python3 bench/against_peers_test.py"""
import argparse
import sys
import tempfile
import unittest
from pathlib import Path

from against_peers import (
    Worker,
    alternate,
    bootstrap_interval,
    output_file,
    random_checkpoint,
    ratio_of_medians,
    verdict,
)


def stand_in(name, milliseconds):
    code = f"import sys\nfor _ in sys.stdin: print({milliseconds!r}, flush=True)"
    return Worker(name, [sys.executable, "-c", code])


class AgainstPeers(unittest.TestCase):
    def test_alternates_whole_blocks_of_both_sides(self):
        ours, theirs = stand_in("vernier", 10.0), stand_in("peer", 15.0)
        rounds = alternate([ours, theirs], block=3, seconds=0, least_rounds=4)
        ours.close()
        theirs.close()
        self.assertEqual(rounds, [([10.0] * 3, [15.0] * 3)] * 4)
        self.assertEqual(ratio_of_medians(rounds), 1.5)

    def test_fits_the_block_into_a_turn_where_none_is_given(self):
        for milliseconds, block in ((10.0, 4), (900.0, 2), (5000.0, 1)):
            workers = [stand_in(name, milliseconds) for name in ("vernier", "peer", "sparse")]
            rounds = alternate(workers, block=None, seconds=0, least_rounds=1)
            for worker in workers:
                worker.close()
            self.assertEqual(rounds, [([milliseconds] * block,) * 3])

    def test_says_which_worker_ended_and_with_what(self):
        worker = Worker("peer", [sys.executable, "-c", "raise SystemExit(4)"])
        with self.assertRaisesRegex(SystemExit, "peer ended with code 4"):
            worker.infer()
        worker.close()

    def test_closes_in_silence_what_ended_before_it_was_asked(self):
        worker = Worker("peer", [sys.executable, "-c", "raise SystemExit(4)"])
        worker.process.wait()
        with self.assertRaisesRegex(SystemExit, "peer ended with code 4"):
            worker.infer()
        worker.close()

    def test_says_what_cannot_be_started(self):
        with self.assertRaisesRegex(SystemExit, "vernier cannot be started: .*no/such/program"):
            Worker("vernier", ["no/such/program"])
        with self.assertRaisesRegex(SystemExit, "vernier cannot be started: .*no/such/program"):
            with tempfile.TemporaryDirectory() as folder:
                random_checkpoint("no/such/program", "vit", Path(folder))

    def test_makes_the_folder_of_what_it_will_write(self):
        with tempfile.TemporaryDirectory() as folder:
            path = output_file(f"{folder}/of/results/out.json")
            self.assertTrue(path.parent.is_dir())
            path.write_text("{}")
            with self.assertRaisesRegex(argparse.ArgumentTypeError, "out.json"):
                output_file(path / "within.json")

    def test_refuses_an_answer_that_is_no_number(self):
        worker = stand_in("peer", "hello")
        with self.assertRaisesRegex(SystemExit, "answered 'hello"):
            worker.infer()
        worker.close()

    def test_interval_holds_the_ratio_and_narrows_to_it_without_noise(self):
        noisy = [([10.0 + i % 3], [12.0 + i % 5]) for i in range(30)]
        low, high = bootstrap_interval(noisy)
        self.assertTrue(low <= ratio_of_medians(noisy) <= high)
        self.assertEqual(bootstrap_interval([([10.0], [15.0])] * 5), (1.5, 1.5))

    def test_verdict_is_undecided_while_an_interval_holds_the_bound(self):
        faster = {"ratio_low": 1.01, "ratio_high": 1.2}
        slower = {"ratio_low": 0.8, "ratio_high": 0.99}
        unclear = {"ratio_low": 0.9, "ratio_high": 1.1}
        self.assertEqual(verdict([faster, faster], 1.0), 0)
        self.assertEqual(verdict([faster, unclear], 1.0), 3)
        self.assertEqual(verdict([unclear, slower], 1.0), 1)


if __name__ == "__main__":
    unittest.main()
