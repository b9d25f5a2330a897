"""
token vectors -> indexes, one per codec

needs   build/{corpus}/{model}/vectors/{shard}/
makes   build/{corpus}/{model}/centroids{times}/         k-means centroids and held-out vectors, shared by codecs
        build/{corpus}/{model}/codes{times}/{shard}/     nearest centroids, shared by codecs
        build/{corpus}/{model}/{codec}/codec/            the fitted codec
        build/{corpus}/{model}/{codec}/index/            the index
        build/{corpus}/{model}/{codec}/size.json         its bytes by component

{times} is empty, or -x4 for codecs such as opq-16x4, which have four times the paper's number of centroids, or -t and -x4t
for opq-16t and opq-16x4t, whose centroids are found within the tokens of the vocabulary.

Codes are assigned once and residuals quantized per codec: the search for the nearest centroid is nearly all of the
work, and its result is 2 bytes a vector, against the 256 of the vectors that each codec reads again.
"""

RESIDUALS = "build/{corpus}/{model}/{codec}/residuals/{shard}/{file}"
RESIDUAL_FILES = ["manifest.json", "residuals.npy"]


rule centroids:
    input:
        JOBS.vectors,
    output:
        "build/{corpus}/{model}/centroids{times}/manifest.json",
    log:
        "logs/{corpus}/{model}/centroids{times}.log",
    benchmark:
        "benchmarks/{corpus}/{model}/centroids{times}.tsv"
    conda:
        "../envs/bench.yaml"
    threads: 2
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.centroids"),
        settings=JOBS.centroids,
        vectors=lambda w, input: folders(input),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench centroids --vectors {params.vectors} {params.settings} --output {params.folder} 2>&1 | tee {log}"


rule assign:
    input:
        vectors=JOBS.shard,
        centroids="build/{corpus}/{model}/centroids{times}/manifest.json",
    output:
        "build/{corpus}/{model}/codes{times}/{shard}/manifest.json",
    log:
        "logs/{corpus}/{model}/assign{times}.{shard}.log",
    benchmark:
        "benchmarks/{corpus}/{model}/assign{times}.{shard}.tsv"
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.assign"),
        settings=JOBS.on_device,
        vectors=lambda w, input: folders(input.vectors),
        centroids=subpath(input.centroids, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench assign --vectors {params.vectors} --centroids {params.centroids} --threads 1"
        " {params.settings} --output {params.folder} 2>&1 | tee {log}"


rule fit:
    input:
        centroids=JOBS.with_centroids(
            "build/{corpus}/{model}/centroids{times}/manifest.json"
        ),
        queries=JOBS.fit_queries,
    output:
        "build/{corpus}/{model}/{codec}/codec/manifest.json",
    log:
        "logs/{corpus}/{model}/{codec}/fit.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.fit"),
        settings=JOBS.fit,
        centroids=subpath(input.centroids, parent=True),
        queries=lambda w, input: flags({"queries": folders(input.queries) or None}),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench fit --centroids {params.centroids} {params.queries} {params.settings}"
        " --output {params.folder} 2>&1 | tee {log}"


rule compress:
    input:
        vectors=JOBS.shard,
        codes=JOBS.with_centroids(
            "build/{corpus}/{model}/codes{times}/{shard}/manifest.json"
        ),
        codec="build/{corpus}/{model}/{codec}/codec/manifest.json",
    output:
        temp(expand(RESIDUALS, file=RESIDUAL_FILES, allow_missing=True)),
    log:
        "logs/{corpus}/{model}/{codec}/compress.{shard}.log",
    benchmark:
        "benchmarks/{corpus}/{model}/{codec}/compress.{shard}.tsv"
    conda:
        "../envs/bench.yaml"
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.compress"),
        settings=JOBS.on_device,
        vectors=lambda w, input: folders(input.vectors),
        codes=subpath(input.codes, parent=True),
        codec=subpath(input.codec, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench compress --vectors {params.vectors} --codes {params.codes} --codec {params.codec}"
        " {params.settings} --output {params.folder} 2>&1 | tee {log}"


rule index:
    input:
        corpus="build/{corpus}/corpus/manifest.json",
        vectors=JOBS.vectors,
        codes=JOBS.shards_of(
            "build/{corpus}/{model}/codes{times}/{shard}/manifest.json"
        ),
        residuals=JOBS.shards_of(RESIDUALS, RESIDUAL_FILES),
        codec="build/{corpus}/{model}/{codec}/codec/manifest.json",
    output:
        "build/{corpus}/{model}/{codec}/index/manifest.json",
    log:
        "logs/{corpus}/{model}/{codec}/index.log",
    benchmark:
        "benchmarks/{corpus}/{model}/{codec}/index.tsv"
    wildcard_constraints:
        codec="(?!fp16)[a-z0-9.-]+",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.index"),
        corpus=subpath(input.corpus, parent=True),
        vectors=lambda w, input: folders(input.vectors),
        codec=subpath(input.codec, parent=True),
        codes=lambda w, input: folders(input.codes),
        residuals=lambda w, input: folders(input.residuals),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench index --corpus {params.corpus} --vectors {params.vectors} --codec {params.codec}"
        " --codes {params.codes} --residuals {params.residuals} --output {params.folder} 2>&1 | tee {log}"


rule index_uncompressed:
    input:
        corpus="build/{corpus}/corpus/manifest.json",
        vectors=JOBS.vectors,
    output:
        "build/{corpus}/{model}/fp16/index/manifest.json",
    log:
        "logs/{corpus}/{model}/fp16/index.log",
    benchmark:
        "benchmarks/{corpus}/{model}/fp16/index.tsv"
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.index"),
        corpus=subpath(input.corpus, parent=True),
        vectors=lambda w, input: folders(input.vectors),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench index --corpus {params.corpus} --vectors {params.vectors} --output {params.folder} 2>&1 | tee {log}"


rule size:
    input:
        "build/{corpus}/{model}/{codec}/index/manifest.json",
    output:
        "build/{corpus}/{model}/{codec}/size.json",
    log:
        "logs/{corpus}/{model}/{codec}/size.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.size"),
        settings=JOBS.size,
        index=subpath(input[0], parent=True),
    shell:
        "python -m bench size --index {params.index} {params.settings} --output {output} 2>&1 | tee {log}"
