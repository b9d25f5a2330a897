"""
run + judgements -> quality, what the lengths cut off, and what compression lost

needs   build/{corpus}/{system}/{queries}/run.trec.gz, system being model/codec/preset, bm25 or runs/name
        build/{corpus}/{model}/vectors/{shard}/, build/{corpus}/{model}/queries/{queries}/
        build/{corpus}/{model}/{codec}/index/ of every codec, build/models/{model}/
makes   build/{corpus}/{system}/{queries}/metrics.json
        build/{corpus}/{model}/truncation/{queries}.json
        build/{corpus}/{model}/reconstruction/{queries}.json   decoded vectors of every codec against uncompressed ones
        build/{corpus}/{model}/worst/{queries}.json            the queries that lost most by each codec
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


rule reconstruction:
    input:
        indexes=JOBS.lossy_indexes,
        reference="build/{corpus}/{model}/fp16/index/manifest.json",
        queries="build/{corpus}/{model}/queries/{queries}/manifest.json",
        run="build/{corpus}/{model}/fp16/exact/{queries}/run.trec.gz",
        record="build/{corpus}/{model}/fp16/exact/{queries}/run.json",
    output:
        "build/{corpus}/{model}/reconstruction/{queries}.json",
    log:
        "logs/{corpus}/{model}/reconstruction.{queries}.log",
    conda:
        "../envs/bench.yaml"
    threads: 1
    params:
        code=code_digest("bench.verbs.reconstruction"),
        settings=JOBS.reconstruction,
        indexes=lambda w, input: folders(input.indexes),
        reference=subpath(input.reference, parent=True),
        queries=subpath(input.queries, parent=True),
    shell:
        "python -m bench reconstruction --indexes {params.indexes} --reference {params.reference}"
        " --queries {params.queries} --run {input.run} {params.settings} --output {output} 2>&1 | tee {log}"


rule worst:
    input:
        runs=JOBS.worst("run.trec.gz"),
        metrics=JOBS.worst("metrics.json"),
        against="build/{corpus}/{model}/fp16/exact/{queries}/run.trec.gz",
        reference="build/{corpus}/{model}/fp16/exact/{queries}/metrics.json",
        model="build/models/{model}/manifest.json",
    output:
        "build/{corpus}/{model}/worst/{queries}.json",
    log:
        "logs/{corpus}/{model}/worst.{queries}.log",
    conda:
        "../envs/bench.yaml"
    threads: 1
    params:
        code=code_digest("bench.verbs.worst"),
        most=WORST,
    shell:
        "python -m bench worst --runs {input.runs} --against {input.against} --most {params.most}"
        " --output {output} 2>&1 | tee {log}"
