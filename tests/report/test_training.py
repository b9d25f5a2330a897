"""Figure 4 and its table: logs of training."""

import pytest

from bench.cli import main
from bench.errors import DamagedFileError, DataError
from bench.report.figures import save
from bench.report.training import training_frame, training_table
from bench.report.training_figure import training_curves
from bench.training.log import Step


def write_log(folder, name, steps=20, validated=()):
    path = folder / f"{name}.steps.jsonl"
    lines = [
        Step(
            step,
            1.0 / step,
            1e-3 * min(step, 5),
            step / steps,
            {"kl": 1.0 / step},
            100.0 + step,
            9000.0,
            {"RR@10": validated[step]} if step in validated else {},
        ).line()
        for step in range(1, steps + 1)
    ]
    path.write_text("".join(lines))
    return path


@pytest.fixture
def frame(tmp_path):
    """Two runs, one validated at 0.25, 0.5 and 0.5."""
    logs = [write_log(tmp_path, "distilled", 20, {5: 0.25, 10: 0.5, 20: 0.5}), write_log(tmp_path, "contrastive", 10)]
    return training_frame(logs)


def test_a_row_per_step_stands_under_the_name_of_its_model(frame):
    assert frame.groupby("model", sort=False).size().to_dict() == {"distilled": 20, "contrastive": 10}
    row = frame.iloc[9]
    assert (row["step"], row["loss"], row["measure"], row["value"], row["queries_per_s"]) == (10, 0.1, "RR@10", 0.5, 110.0)


def test_the_table_shows_the_last_tenth_the_kept_step_and_the_throughput(frame):
    shown = training_table(frame).shown
    assert shown.iloc[0].to_dict() == {
        "model": "distilled",
        "steps": "20",
        "loss, first step": "1.000",
        "loss, last tenth": "0.051",
        "accuracy, last tenth": "0.975",
        "peak learning rate": "5.0e-03",
        "best RR@10": "0.500",
        "kept step": "10",
        "queries / s": "110.5",
        "tokens / s": "9,000",
    }
    assert (shown.iloc[1]["best RR@10"], shown.iloc[1]["kept step"]) == ("–", "10")


def test_an_old_log_without_throughput_has_a_dash_and_never_a_zero(tmp_path):
    path = tmp_path / "old.steps.jsonl"
    path.write_text('{"step": 1, "loss": 0.5, "learning_rate": 0.001, "accuracy": 1.0}\n')
    shown = training_table(training_frame([path])).shown.iloc[0]
    assert (shown["queries / s"], shown["tokens / s"]) == ("–", "–")


def test_figure_4_has_a_panel_each_for_loss_rate_and_validation(frame):
    loss, rate, validation = training_curves(frame).axes
    assert [axes.get_ylabel() for axes in (loss, rate, validation)] == ["loss", "learning rate", "RR@10"]
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["distilled", "contrastive"]
    assert rate.lines[0].get_ydata().tolist() == frame["learning_rate"].iloc[:20].tolist()
    assert validation.lines[0].get_xydata().tolist() == [[5, 0.25], [10, 0.5], [20, 0.5]]
    (ring,) = [line for line in validation.lines if line.get_markerfacecolor() == "none"]
    assert ring.get_xydata().tolist() == [[10, 0.5]]
    assert [text.get_text() for text in validation.get_legend().get_texts()] == ["kept"]
    assert loss.lines[0].get_color() == rate.lines[0].get_color() == validation.lines[0].get_color()
    assert loss.lines[0].get_color() != loss.lines[2].get_color()


def test_the_thick_line_is_the_running_mean_over_a_twentieth_of_the_run(tmp_path):
    frame = training_frame([write_log(tmp_path, "long", 60)])
    thick = training_curves(frame).axes[0].lines[1]
    assert thick.get_ydata()[-1] == pytest.approx((1 / 58 + 1 / 59 + 1 / 60) / 3)


def test_figure_4_has_no_panel_of_validations_where_there_was_none(tmp_path):
    axes = training_curves(training_frame([write_log(tmp_path, "plain")])).axes
    assert [panel.get_ylabel() for panel in axes] == ["loss", "learning rate"]


def test_figure_4_of_the_same_logs_has_identical_bytes(frame, tmp_path):
    for name in ("a", "b"):
        save(training_curves(frame), tmp_path / name)
    for suffix in (".png", ".pdf"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_the_verb_writes_table_and_figure(tmp_path, capsys):
    logs = [str(write_log(tmp_path, name)) for name in ("a", "b")]
    assert main(["training-report", "--logs", *logs, "--output", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == f"2 runs, 40 steps in {tmp_path / 'out'}\n"
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"figure4_training.png", "figure4_training.pdf", "table4_training.csv", "table4_training.md"} <= names


def test_two_logs_of_one_model_are_refused(tmp_path):
    path = write_log(tmp_path, "a")
    with pytest.raises(DataError, match="two logs are of the model 'a'"):
        training_frame([path, path])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:3] + lines[2:], r"line 4 of .* is of step 3, not 4"),
        (lambda lines: lines[1:], r"line 1 of .* is of step 2, not 1"),
        (lambda lines: [], "has no step"),
    ],
)
def test_a_log_in_which_a_step_is_missing_or_stands_twice_is_refused(tmp_path, change, message):
    path = write_log(tmp_path, "a")
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))
    with pytest.raises(DataError, match=message):
        training_frame([path])


@pytest.mark.parametrize("content", ['{"step": 1, "lo', "[1]\n", '{"steps": 1}\n'])
def test_a_file_that_is_no_log_is_refused(tmp_path, content):
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(DamagedFileError, match=r"a\.jsonl is not a log of training"):
        training_frame([tmp_path / "a.jsonl"])


def test_a_missing_log_is_refused(tmp_path):
    with pytest.raises(DamagedFileError, match=r"a\.jsonl is missing"):
        training_frame([tmp_path / "a.jsonl"])
