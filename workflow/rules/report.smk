"""
records of quality, size and latency -> tables and figures

needs   truncation of every query set, metrics.json of every run, size.json of every index, latency.json of every run that is timed, logs of trainings
makes   results/{name}/records.json, all facts in one file, for the gate
        results/{name}/published.*, printed numbers beside measured ones (snakemake verdict, which fails where one is off)
        results/{name}/table1_quality.*, table2_size.*, figure1_quality_bytes.*, figure2_size.*
        results/{name}/table3_latency.*, figure3_latency.*, where the config has latency
        results/{name}/table4_training.*, figure4_training.*, supervision.*, where it trains models, or distils them
        results/{name}/table5_models.*, where it names a baseline
        results/{name}/table7_codecs.*, figure5_codecs.*, where it has rates
        results/{name}/table6_protocol.*
        results/{name}/table8_loss.*, figure8_loss.*, worst_queries.*, where it compresses what it also searches uncompressed
"""


rule tables:
    input:
        metrics=REPORTS.metrics(),
        sizes=REPORTS.sizes(),
    output:
        table("table1_quality"),
        table("table2_size"),
    log:
        f"logs/{PLAN.name}/tables.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.tables"),
        means=REPORTS.means(),
        margins=REPORTS.margins(),
        seed=PLAN.seed_for("report"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench tables --metrics {input.metrics} --sizes {input.sizes} {params.means} {params.margins} --seed {params.seed}"
        " --output {params.folder} 2>&1 | tee {log}"


rule records:
    input:
        metrics=REPORTS.metrics(),
        sizes=REPORTS.sizes(),
        latencies=REPORTS.latencies(),
    output:
        f"{RESULTS}/records.json",
    log:
        f"logs/{PLAN.name}/records.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.records"),
        latencies=lambda w, input: flags(latencies=list(input.latencies) or None),
    shell:
        "python -m bench records --metrics {input.metrics} --sizes {input.sizes} {params.latencies}"
        " --output {output} 2>&1 | tee {log}"


rule published:
    input:
        numbers=NUMBERS,
        metrics=REPORTS.metrics(),
    output:
        expand(f"{RESULTS}/published.{{suffix}}", suffix=["csv", "md", "html", "tex"]),
    log:
        f"logs/{PLAN.name}/published.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.published"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench published --numbers {input.numbers} --metrics {input.metrics} --output {params.folder}"
        " 2>&1 | tee {log}"


rule verdict:
    input:
        f"{RESULTS}/published.csv",
    output:
        touch(f"build/{PLAN.name}.verdict"),
    log:
        f"logs/{PLAN.name}/verdict.log",
    conda:
        "../envs/bench.yaml"
    shell:
        "python -m bench verdict {input} 2>&1 | tee {log}"


rule protocol_report:
    input:
        truncations=REPORTS.truncations(),
        metrics=REPORTS.metrics(),
    output:
        table("table6_protocol"),
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
        metrics=REPORTS.metrics(),
        sizes=REPORTS.sizes(),
    output:
        figure("figure1_quality_bytes"),
        figure("figure2_size"),
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
        latencies=REPORTS.latencies(),
        metrics=REPORTS.timed_metrics(),
        sizes=REPORTS.timed_sizes(),
    output:
        table("table3_latency"),
        figure("figure3_latency"),
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
        table("table4_training"),
        figure("figure4_training"),
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
        TRAINING.distilled("build/models/{model}.tuples"),
    output:
        table("supervision"),
    log:
        f"logs/{PLAN.name}/supervision-report.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.supervision_report"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench supervision-report --tuples {input} --output {params.folder} 2>&1 | tee {log}"


rule models_report:
    input:
        REPORTS.metrics_of("fp16", "exact"),
    output:
        table("table5_models"),
    log:
        f"logs/{PLAN.name}/models-report.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.models_report"),
        baseline=PLAN.baseline,
        margins=REPORTS.margins(),
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
        metrics=REPORTS.rated("metrics.json"),
        runs=REPORTS.rated("run.trec.gz"),
        records=REPORTS.rated("run.json"),
        sizes=REPORTS.sizes_of(REPORTS.rated("run.json")),
    output:
        table("table7_codecs"),
        figure("figure5_codecs"),
    log:
        f"logs/{PLAN.name}/codecs-report.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.codecs_report"),
        settings=REPORTS.rates(),
        margins=REPORTS.margins(),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench codecs-report --metrics {input.metrics} --runs {input.runs} --sizes {input.sizes}"
        " {params.settings} {params.margins} --output {params.folder} 2>&1 | tee {log}"


rule losses_report:
    input:
        metrics=REPORTS.compared("metrics.json"),
        runs=REPORTS.compared("run.trec.gz"),
        records=REPORTS.compared("run.json"),
        sizes=REPORTS.sizes_of(REPORTS.compared("run.json")),
        reconstructions=REPORTS.by_model("reconstruction"),
    output:
        table("table8_loss"),
        figure("figure8_loss"),
    log:
        f"logs/{PLAN.name}/losses-report.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.losses_report"),
        depths=REPORTS.overlaps(),
        seed=PLAN.seed_for("report"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench losses-report --metrics {input.metrics} --runs {input.runs} --sizes {input.sizes}"
        " --reconstructions {input.reconstructions} {params.depths} --seed {params.seed}"
        " --output {params.folder} 2>&1 | tee {log}"


rule worst_report:
    input:
        REPORTS.by_model("worst"),
    output:
        table("worst_queries"),
        f"{RESULTS}/worst_queries.json",
    log:
        f"logs/{PLAN.name}/worst-report.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.worst_report"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench worst-report --worst {input} --output {params.folder} 2>&1 | tee {log}"
