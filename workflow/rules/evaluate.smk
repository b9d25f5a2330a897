"""
run + judgements -> quality, and what the lengths cut off

needs   build/{corpus}/{system}/{queries}/run.trec.gz, system being model/codec/preset, bm25 or runs/name
        build/{corpus}/{model}/vectors/{shard}/, build/{corpus}/{model}/queries/{queries}/
makes   build/{corpus}/{system}/{queries}/metrics.json
        build/{corpus}/{model}/truncation/{queries}.json
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
        system="bm25|runs/[a-z0-9-]+|[a-z0-9.-]+/[a-z0-9.-]+/[a-z0-9.-]+",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.evaluate"),
        settings=JOBS.evaluate,
        queries=subpath(input.queries, parent=True),
    shell:
        "python -m bench evaluate --run {input.run} --queries {params.queries} {params.settings}"
        " --output {output} 2>&1 | tee {log}"


rule truncation:
    input:
        corpus="build/{corpus}/corpus/manifest.json",
        vectors=JOBS.shards_of("build/{corpus}/{model}/vectors/{shard}/manifest.json"),
        queries="build/{corpus}/queries/{queries}/manifest.json",
        query_vectors="build/{corpus}/{model}/queries/{queries}/manifest.json",
    output:
        "build/{corpus}/{model}/truncation/{queries}.json",
    log:
        "logs/{corpus}/{model}/truncation.{queries}.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.truncation"),
        settings=JOBS.truncation,
        corpus=subpath(input.corpus, parent=True),
        vectors=lambda w, input: folders(input.vectors),
        queries=subpath(input.queries, parent=True),
        query_vectors=subpath(input.query_vectors, parent=True),
    shell:
        "python -m bench truncation --corpus {params.corpus} --vectors {params.vectors} --queries {params.queries}"
        " --query-vectors {params.query_vectors} {params.settings} --output {output} 2>&1 | tee {log}"
