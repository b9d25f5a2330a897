"""
model + passages -> token vectors, and fewer of them

needs   build/models/{model}/, build/{corpus}/corpus/, build/{corpus}/queries/{queries}/
makes   build/{corpus}/{model}/vectors/{shard}/   float16 vectors with their tokens and passage lengths, the source of every codec
        build/{corpus}/{model}/vectors.pool-{pool}/{shard}/   the same, near ones of a passage merged, from the stored shard
        build/{corpus}/{model}/queries/{queries}/ query vectors, which are never merged
"""

# The vectors of a shard go once every index is made from them, unless the config keeps them.
SHARD = str if PLAN.keep_vectors else temp


rule encode:
    input:
        model="build/models/{model}",
        corpus="build/{corpus}/corpus",
    output:
        expand(
            "build/{corpus}/{model}/vectors/{shard}/{file}",
            file=LENGTHS,
            allow_missing=True,
        ),
        vectors=SHARD("build/{corpus}/{model}/vectors/{shard}/vectors.npy"),
        tokens=SHARD("build/{corpus}/{model}/vectors/{shard}/tokens.npy"),
    log:
        "logs/{corpus}/{model}/encode.{shard}.log",
    benchmark:
        "benchmarks/{corpus}/{model}/encode.{shard}.tsv"
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.encode"),
        settings=JOBS.encode,
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench encode --model {input.model} --corpus {input.corpus} {params.settings}"
        " --output {params.folder} 2>&1 | tee {log}"


rule merge:
    input:
        JOBS.encoded,
    output:
        expand(
            "build/{corpus}/{model}/vectors.pool-{pool}/{shard}/{file}",
            file=LENGTHS[:2],
            allow_missing=True,
        ),
        vectors=SHARD("build/{corpus}/{model}/vectors.pool-{pool}/{shard}/vectors.npy"),
        tokens=SHARD("build/{corpus}/{model}/vectors.pool-{pool}/{shard}/tokens.npy"),
    log:
        "logs/{corpus}/{model}/merge.pool-{pool}.{shard}.log",
    benchmark:
        "benchmarks/{corpus}/{model}/merge.pool-{pool}.{shard}.tsv"
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.merge"),
        vectors=lambda w, input: folders(input),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench merge --vectors {params.vectors} --pool {wildcards.pool} --output {params.folder} 2>&1 | tee {log}"


rule encode_queries:
    input:
        model="build/models/{model}",
        queries="build/{corpus}/queries/{queries}",
    output:
        directory("build/{corpus}/{model}/queries/{queries}"),
    log:
        "logs/{corpus}/{model}/encode-queries.{queries}.log",
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.encode_queries"),
        settings=JOBS.encode_queries,
    shell:
        "python -m bench encode-queries --model {input.model} --queries {input.queries} {params.settings}"
        " --output {output} 2>&1 | tee {log}"
