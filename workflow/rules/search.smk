"""
index + query vectors -> run

needs   build/{corpus}/{model}/{codec}/index/, build/{corpus}/{model}/queries/{queries}/
makes   build/{corpus}/{model}/{codec}/{preset}/{queries}/run.trec.gz   with its record, run.json
        build/{corpus}/bm25/{queries}/run.trec.gz                       the lexical baseline
        build/{corpus}/runs/{name}/{queries}/run.trec.gz                a run of another system
"""


rule search:
    input:
        index="build/{corpus}/{model}/{codec}/index",
        queries="build/{corpus}/{model}/queries/{queries}",
    output:
        run="build/{corpus}/{model}/{codec}/{preset}/{queries}/run.trec.gz",
        record="build/{corpus}/{model}/{codec}/{preset}/{queries}/run.json",
    log:
        "logs/{corpus}/{model}/{codec}/{preset}/search.{queries}.log",
    benchmark:
        "benchmarks/{corpus}/{model}/{codec}/{preset}/search.{queries}.tsv"
    wildcard_constraints:
        preset="|".join(PLAN.presets),
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.search"),
        settings=JOBS.search,
    shell:
        "python -m bench search --index {input.index} --queries {input.queries} {params.settings}"
        " --output {output.run} 2>&1 | tee {log}"


rule bm25:
    input:
        corpus="build/{corpus}/corpus",
        queries="build/{corpus}/queries/{queries}",
    output:
        run="build/{corpus}/bm25/{queries}/run.trec.gz",
        record="build/{corpus}/bm25/{queries}/run.json",
    log:
        "logs/{corpus}/bm25/{queries}.log",
    benchmark:
        "benchmarks/{corpus}/bm25/{queries}.tsv"
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.bm25"),
        settings=JOBS.bm25,
    shell:
        "python -m bench bm25 --corpus {input.corpus} --queries {input.queries} {params.settings}"
        " --output {output.run} 2>&1 | tee {log}"


rule import_run:
    input:
        file=in_place(JOBS.external_file),
        corpus="build/{corpus}/corpus",
        queries="build/{corpus}/queries/{queries}",
    output:
        run="build/{corpus}/runs/{name}/{queries}/run.trec.gz",
        record="build/{corpus}/runs/{name}/{queries}/run.json",
    log:
        "logs/{corpus}/runs/{name}/{queries}.log",
    wildcard_constraints:
        name="[a-z0-9-]+",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.import_run"),
        settings=JOBS.external,
    shell:
        "python -m bench import-run {params.settings} --corpus {input.corpus} --queries {input.queries}"
        " --output {output.run} 2>&1 | tee {log}"
