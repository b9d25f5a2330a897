"""
run + judgements -> quality

needs   build/{corpus}/{system}/{queries}/run.trec.gz, system being model/codec/preset or bm25
makes   build/{corpus}/{system}/{queries}/metrics.json
"""


rule evaluate:
    input:
        run="build/{corpus}/{system}/{queries}/run.trec.gz",
        record="build/{corpus}/{system}/{queries}/run.json",
        queries="build/{corpus}/queries/{queries}/manifest.json",
    output:
        "build/{corpus}/{system}/{queries}/metrics.json",
    log:
        "logs/{corpus}/{system}/evaluate.{queries}.log",
    wildcard_constraints:
        system="bm25|[a-z0-9.-]+/[a-z0-9.-]+/[a-z0-9.-]+",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.evaluate"),
        settings=JOBS.evaluate,
        queries=subpath(input.queries, parent=True),
    shell:
        "python -m bench evaluate --run {input.run} --queries {params.queries} {params.settings}"
        " --output {output} 2>&1 | tee {log}"
