"""
tables, figures, records and times of jobs -> the HTML report

needs   every table and figure of the config, metrics.json of every run, latency.json of every run that is timed, texts of queries
makes   results/{name}/report.html, one file that opens on the answer and asks for nothing else
"""


# A second Snakemake draws the graph: the one that runs does not hand it to its jobs.
rule rule_graph:
    input:
        snakefile=local(str(HERE / "Snakefile")),
        rules=[
            local(str(path))
            for path in sorted(Path(HERE, "workflow", "rules").glob("*.smk"))
        ],
    output:
        f"build/{PLAN.name}.rules.dot",
    log:
        f"logs/{PLAN.name}/rule-graph.log",
    conda:
        "../envs/bench.yaml"
    params:
        plan=digest_of(repr(PLAN)),
        config=PLAN.source,
    shell:
        "python -m snakemake --snakefile {input.snakefile} --configfile {params.config:q} --rulegraph dot > {output} 2> {log}"


rule page:
    input:
        assets=[
            local(str(BENCH / "report" / "assets" / f"page.{suffix}"))
            for suffix in ("html", "css", "js")
        ],
        tables=expand(
            f"{RESULTS}/{{stem}}.{{suffix}}",
            stem=TABLES,
            suffix=["html", "csv"],
        ),
        figures=expand(f"{RESULTS}/{{stem}}.png", stem=FIGURES),
        metrics=REPORTS.metrics(),
        latencies=REPORTS.latencies(),
        queries=REPORTS.judged_queries(),
        rules=rules.rule_graph.output,
    output:
        f"{RESULTS}/report.html",
    log:
        f"logs/{PLAN.name}/page.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.page"),
        plan=digest_of(repr(PLAN)),
        config=PLAN.source,
        inputs=lambda w, input: flags(
            items=[*TABLES, *FIGURES],
            latencies=list(input.latencies) or None,
            queries=list(input.queries),
        ),
    shell:
        "python -m bench page {params.config:q} --metrics {input.metrics} {params.inputs} --rules {input.rules}"
        " --benchmarks benchmarks --output {output} 2>&1 | tee {log}"
