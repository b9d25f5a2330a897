"""The log of steps."""

from bench.training.log import Step, StepLog, steps_of

STEPS = [
    Step(1, 0.5, 1e-3, 0.25, {"kl": 0.5}, 10.0, 900.0),
    Step(2, 0.1 + 0.2, 5e-4, 1.0, {"kl": 0.25}, 11.0, 910.0, {"RR@10": 1 / 3}),
]


def test_steps_come_back_from_their_lines_as_they_were(tmp_path):
    log = StepLog(tmp_path / "s.jsonl")
    for step in STEPS:
        log.append(step)
    assert steps_of((tmp_path / "s.jsonl").read_text()) == STEPS
    assert log.text == (tmp_path / "s.jsonl").read_text()


def test_lines_are_in_the_file_as_soon_as_they_are_appended(tmp_path):
    log = StepLog(tmp_path / "s.jsonl")
    assert (tmp_path / "s.jsonl").read_text() == ""
    log.append(STEPS[0])
    assert (tmp_path / "s.jsonl").read_text().count("\n") == 1


def test_a_log_goes_on_from_the_lines_of_a_checkpoint_and_forgets_what_came_after(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_text(STEPS[0].line() + STEPS[1].line() + '{"step": 3, "lo')
    log = StepLog(path, STEPS[0].line())
    log.append(STEPS[1])
    assert [step.step for step in steps_of(path.read_text())] == [1, 2]


def test_a_log_of_before_throughput_was_measured_can_be_read():
    (step,) = steps_of('{"step": 1, "loss": 0.5, "learning_rate": 0.1, "accuracy": 1.0}\n')
    assert (step.loss, step.queries_per_s, dict(step.validation)) == (0.5, None, {})
