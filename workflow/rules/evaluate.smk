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
        queries="build/{corpus}/queries/{queries}",
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
    shell:
        "python -m bench evaluate --run {input.run} --queries {input.queries} {params.settings}"
        " --output {output} 2>&1 | tee {log}"


rule truncation:
    input:
        corpus="build/{corpus}/corpus",
        vectors=JOBS.lengths,
        queries="build/{corpus}/queries/{queries}",
        query_vectors="build/{corpus}/{model}/queries/{queries}",
    output:
        "build/{corpus}/{model}/truncation/{queries}.json",
    log:
        "logs/{corpus}/{model}/truncation.{queries}.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.truncation"),
        settings=JOBS.truncation,
        vectors=lambda w, input: folders(input.vectors),
    shell:
        "python -m bench truncation --corpus {input.corpus} --vectors {params.vectors} --queries {input.queries}"
        " --query-vectors {input.query_vectors} {params.settings} --output {output} 2>&1 | tee {log}"


rule reconstruction:
    input:
        indexes=REPORTS.lossy_indexes,
        reference="build/{corpus}/{model}/fp16/index",
        queries="build/{corpus}/{model}/queries/{queries}",
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
    shell:
        "python -m bench reconstruction --indexes {input.indexes} --reference {input.reference}"
        " --queries {input.queries} --run {input.run} {params.settings} --output {output} 2>&1 | tee {log}"


rule worst:
    input:
        runs=REPORTS.worst("run.trec.gz"),
        beside=REPORTS.worst("run.json", "metrics.json"),
        against="build/{corpus}/{model}/fp16/exact/{queries}/run.trec.gz",
        beside_that=expand(
            "build/{corpus}/{model}/fp16/exact/{queries}/{file}",
            file=["run.json", "metrics.json"],
            allow_missing=True,
        ),
        indexes=REPORTS.lossy_indexes,
        index="build/{corpus}/{model}/fp16/index",
        corpus="build/{corpus}/corpus",
        queries="build/{corpus}/queries/{queries}",
        vectors="build/{corpus}/{model}/queries/{queries}",
        model="build/models/{model}",
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
