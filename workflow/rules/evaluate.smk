"""
run + judgements -> quality

needs   build/{corpus}/{system}/{queries}/run.trec.gz, system being model/codec/preset or bm25
makes   build/{corpus}/{system}/{queries}/metrics.json
"""


def axes_of(w):
    """Model, codec and preset of a system, as the tables name them."""
    parts = w.system.split("/") if "/" in w.system else ("bm25", "text", "bm25")
    return dict(zip(("model", "codec", "preset"), parts))


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
        settings=lambda w: flags(
            {
                "measures": PLAN.entries[w.queries].measures,
                "depth": PLAN.depth,
                "dataset": PLAN.entries[w.queries].id,
                **axes_of(w),
            }
        ),
        queries=subpath(input.queries, parent=True),
    shell:
        "python -m bench evaluate --run {input.run} --queries {params.queries} {params.settings}"
        " --output {output} 2>&1 | tee {log}"
