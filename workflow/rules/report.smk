"""
records of quality, size and latency -> tables and figures

needs   truncation of every query set, metrics.json of every run, size.json of every index, latency.json of every run that is timed, logs of trainings
makes   results/{name}/records.json, all facts in one file, for the gate
        results/{name}/table1_quality.*, table2_size.*, figure1_quality_bytes.*, figure2_size.*
        results/{name}/table3_latency.*, figure3_latency.*, where the config has latency
        results/{name}/table4_training.*, figure4_training.*, supervision.*, where it trains models, or distils them
        results/{name}/table5_models.*, where it names a baseline
        results/{name}/table7_codecs.*, figure5_codecs.*, where it has rates
        results/{name}/table6_protocol.*

A category of the HTML report has three items or more: of exactly two, Snakemake makes a switch that breaks the page.
"""


rule tables:
    input:
        metrics=JOBS.metrics(),
        sizes=JOBS.sizes(),
    output:
        report(
            f"{RESULTS}/table1_quality.html",
            caption="../report/table1.rst",
            category="Quality",
            labels={"item": "Table 1"},
        ),
        report(
            f"{RESULTS}/table2_size.html",
            caption="../report/table2.rst",
            category="Size",
            labels={"item": "Table 2"},
        ),
        report(
            f"{RESULTS}/table1_quality.csv",
            caption="../report/table1.rst",
            category="Quality",
            labels={"item": "Table 1 as plain numbers"},
        ),
        report(
            f"{RESULTS}/table2_size.csv",
            caption="../report/table2.rst",
            category="Size",
            labels={"item": "Table 2 as plain numbers"},
        ),
        expand(
            f"{RESULTS}/{{table}}.{{suffix}}",
            table=["table1_quality", "table2_size"],
            suffix=["md", "tex"],
        ),
    log:
        f"logs/{PLAN.name}/tables.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.tables"),
        means=JOBS.means(),
        margins=JOBS.margins(),
        seed=PLAN.seed_for("report"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench tables --metrics {input.metrics} --sizes {input.sizes} {params.means} {params.margins} --seed {params.seed}"
        " --output {params.folder} 2>&1 | tee {log}"


rule records:
    input:
        metrics=JOBS.metrics(),
        sizes=JOBS.sizes(),
        latencies=JOBS.latencies(),
    output:
        f"{RESULTS}/records.json",
    log:
        f"logs/{PLAN.name}/records.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.records"),
        latencies=flags(latencies=JOBS.latencies() or None),
    shell:
        "python -m bench records --metrics {input.metrics} --sizes {input.sizes} {params.latencies}"
        " --output {output} 2>&1 | tee {log}"


rule protocol_report:
    input:
        truncations=JOBS.truncations(),
        metrics=JOBS.metrics(),
    output:
        report(
            f"{RESULTS}/table6_protocol.html",
            caption="../report/table6.rst",
            category="Quality",
            labels={"item": "Table 6"},
        ),
        expand(f"{RESULTS}/table6_protocol.{{suffix}}", suffix=["csv", "md", "tex"]),
    log:
        f"logs/{PLAN.name}/protocol-report.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.protocol_report"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench protocol-report --truncations {input.truncations} --metrics {input.metrics}"
        " --output {params.folder} 2>&1 | tee {log}"


rule figures:
    input:
        metrics=JOBS.metrics(),
        sizes=JOBS.sizes(),
    output:
        report(
            f"{RESULTS}/figure1_quality_bytes.png",
            caption="../report/figure1.rst",
            category="Quality",
            labels={"item": "Figure 1"},
        ),
        report(
            f"{RESULTS}/figure2_size.png",
            caption="../report/figure2.rst",
            category="Size",
            labels={"item": "Figure 2"},
        ),
        expand(
            f"{RESULTS}/{{figure}}.pdf",
            figure=["figure1_quality_bytes", "figure2_size"],
        ),
    log:
        f"logs/{PLAN.name}/figures.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.figures"),
        seed=PLAN.seed_for("report"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench figures --metrics {input.metrics} --sizes {input.sizes} --seed {params.seed}"
        " --output {params.folder} 2>&1 | tee {log}"


rule latency_report:
    input:
        latencies=JOBS.latencies(),
        metrics=JOBS.timed_metrics(),
        sizes=JOBS.timed_sizes(),
    output:
        report(
            f"{RESULTS}/table3_latency.html",
            caption="../report/table3.rst",
            category="Latency",
            labels={"item": "Table 3"},
        ),
        report(
            f"{RESULTS}/table3_latency.csv",
            caption="../report/table3.rst",
            category="Latency",
            labels={"item": "Table 3 as plain numbers"},
        ),
        report(
            f"{RESULTS}/figure3_latency.png",
            caption="../report/figure3.rst",
            category="Latency",
            labels={"item": "Figure 3"},
        ),
        expand(f"{RESULTS}/table3_latency.{{suffix}}", suffix=["md", "tex"]),
        f"{RESULTS}/figure3_latency.pdf",
    log:
        f"logs/{PLAN.name}/latency-report.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.latency_report"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench latency-report --latencies {input.latencies} --metrics {input.metrics} --sizes {input.sizes}"
        " --output {params.folder} 2>&1 | tee {log}"


rule training_report:
    input:
        TRAINING.logs(),
    output:
        report(
            f"{RESULTS}/table4_training.html",
            caption="../report/table4.rst",
            category="Training",
            labels={"item": "Table 4"},
        ),
        report(
            f"{RESULTS}/table4_training.csv",
            caption="../report/table4.rst",
            category="Training",
            labels={"item": "Table 4 as plain numbers"},
        ),
        report(
            f"{RESULTS}/figure4_training.png",
            caption="../report/figure4.rst",
            category="Training",
            labels={"item": "Figure 4"},
        ),
        expand(f"{RESULTS}/table4_training.{{suffix}}", suffix=["md", "tex"]),
        f"{RESULTS}/figure4_training.pdf",
    log:
        f"logs/{PLAN.name}/training-report.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.training_report"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench training-report --logs {input} --output {params.folder} 2>&1 | tee {log}"


rule supervision_report:
    input:
        TRAINING.distilled("build/models/{model}.tuples/manifest.json"),
    output:
        report(
            f"{RESULTS}/supervision.html",
            caption="../report/supervision.rst",
            category="Training",
            labels={"item": "Supervision"},
        ),
        expand(f"{RESULTS}/supervision.{{suffix}}", suffix=["csv", "md", "tex"]),
    log:
        f"logs/{PLAN.name}/supervision-report.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.supervision_report"),
        tuples=lambda w, input: folders(input),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench supervision-report --tuples {params.tuples} --output {params.folder} 2>&1 | tee {log}"


rule models_report:
    input:
        JOBS.metrics_of("fp16", "exact"),
    output:
        report(
            f"{RESULTS}/table5_models.html",
            caption="../report/table5.rst",
            category="Training",
            labels={"item": "Table 5"},
        ),
        expand(f"{RESULTS}/table5_models.{{suffix}}", suffix=["csv", "md", "tex"]),
    log:
        f"logs/{PLAN.name}/models-report.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.models_report"),
        baseline=PLAN.baseline,
        margins=JOBS.margins(),
        settings=flags(
            {
                "starts": TRAINING.starts(),
                "seen": TRAINING.seen(),
                "seed": PLAN.seed_for("report"),
            }
        ),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench models-report --metrics {input} --baseline {params.baseline} {params.settings}"
        " {params.margins}"
        " --output {params.folder} 2>&1 | tee {log}"


rule codecs_report:
    input:
        metrics=JOBS.rated("metrics.json"),
        runs=JOBS.rated("run.trec.gz"),
        sizes=JOBS.rated_sizes(),
    output:
        report(
            f"{RESULTS}/table7_codecs.html",
            caption="../report/table7.rst",
            category="Codecs",
            labels={"item": "Table 7"},
        ),
        report(
            f"{RESULTS}/figure5_codecs.png",
            caption="../report/figure5.rst",
            category="Codecs",
            labels={"item": "Figure 5"},
        ),
        report(
            f"{RESULTS}/table7_codecs.csv",
            caption="../report/table7.rst",
            category="Codecs",
            labels={"item": "Table 7 as plain numbers"},
        ),
        expand(f"{RESULTS}/table7_codecs.{{suffix}}", suffix=["md", "tex"]),
        f"{RESULTS}/figure5_codecs.pdf",
    log:
        f"logs/{PLAN.name}/codecs-report.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.codecs_report"),
        settings=JOBS.rates(),
        margins=JOBS.margins(),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench codecs-report --metrics {input.metrics} --runs {input.runs} --sizes {input.sizes}"
        " {params.settings} {params.margins} --output {params.folder} 2>&1 | tee {log}"
