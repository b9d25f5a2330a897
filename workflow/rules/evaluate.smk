"""
run + judgements -> quality, and what the lengths cut off

needs   build/{corpus}/{system}/{queries}/run.trec.gz, system being model/codec/preset or bm25
        build/{corpus}/{model}/vectors/{shard}/, build/{corpus}/{model}/queries/{queries}/
makes   build/{corpus}/{system}/{queries}/metrics.json
        build/{corpus}/{model}/{codec}/{preset}/{queries}/overlap.json   with the run fp16/exact of the same model
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


rule overlap:
    input:
        run="build/{corpus}/{model}/{codec}/{preset}/{queries}/run.trec.gz",
        record="build/{corpus}/{model}/{codec}/{preset}/{queries}/run.json",
        reference="build/{corpus}/{model}/fp16/exact/{queries}/run.trec.gz",
        reference_record="build/{corpus}/{model}/fp16/exact/{queries}/run.json",
    output:
        "build/{corpus}/{model}/{codec}/{preset}/{queries}/overlap.json",
    log:
        "logs/{corpus}/{model}/{codec}/{preset}/overlap.{queries}.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.overlap"),
        settings=JOBS.overlap,
    shell:
        "python -m bench overlap --run {input.run} --reference {input.reference} {params.settings}"
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
