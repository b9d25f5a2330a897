"""
model + passages -> token vectors

needs   build/models/{model}/, build/{corpus}/corpus/, build/{corpus}/queries/{queries}/
makes   build/{corpus}/{model}/vectors/{shard}/   float16 vectors and passage lengths, the source of every codec
        build/{corpus}/{model}/queries/{queries}/ query vectors
"""

# The vectors of a shard go once every index is made from them, unless the config keeps them.
SHARD = str if PLAN.keep_vectors else temp


rule encode:
    input:
        model="build/models/{model}/manifest.json",
        corpus="build/{corpus}/corpus/manifest.json",
    output:
        manifest="build/{corpus}/{model}/vectors/{shard}/manifest.json",
        vectors=SHARD("build/{corpus}/{model}/vectors/{shard}/vectors.npy"),
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
        model=subpath(input.model, parent=True),
        corpus=subpath(input.corpus, parent=True),
        folder=subpath(output.manifest, parent=True),
    shell:
        "python -m bench encode --model {params.model} --corpus {params.corpus} {params.settings}"
        " --output {params.folder} 2>&1 | tee {log}"


rule encode_queries:
    input:
        model="build/models/{model}/manifest.json",
        queries="build/{corpus}/queries/{queries}/manifest.json",
    output:
        "build/{corpus}/{model}/queries/{queries}/manifest.json",
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
        model=subpath(input.model, parent=True),
        queries=subpath(input.queries, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench encode-queries --model {params.model} --queries {params.queries} {params.settings}"
        " --output {params.folder} 2>&1 | tee {log}"
