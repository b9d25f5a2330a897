"""
token vectors -> indexes, one per codec

needs   build/{corpus}/{model}/vectors/{shard}/, or vectors.pool-{pool}/{shard}/ for a codec such as residual-2.pool-{pool}
makes   build/{corpus}/{model}/centroids{times}/         k-means centroids and held-out vectors, shared by codecs
        build/{corpus}/{model}/codes{times}/{shard}/     nearest centroids, shared by codecs
        build/{corpus}/{model}/{codec}/codec/            the fitted codec
        build/{corpus}/{model}/{codec}/index/            the index
        build/{corpus}/{model}/{codec}/size.json         its bytes by component

{times} is empty, or -x4 for codecs such as opq-16x4, which have four times the paper's number of centroids, or -t and -x4t
for opq-16t and opq-16x4t, whose centroids are found within the tokens of the vocabulary. Behind it stands .pool-{pool} where
the codec has it.

Codes are assigned once and residuals quantized per codec: the search for the nearest centroid is nearly all of the
work, and its result is 2 bytes a vector, against the 256 of the vectors that each codec reads again.
"""


rule centroids:
    input:
        JOBS.vectors,
    output:
        directory("build/{corpus}/{model}/centroids{times}"),
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
    shell:
        "python -m bench centroids --vectors {params.vectors} {params.settings} --output {output} 2>&1 | tee {log}"


rule assign:
    input:
        vectors=JOBS.shard,
        centroids="build/{corpus}/{model}/centroids{times}",
    output:
        directory("build/{corpus}/{model}/codes{times}/{shard}"),
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
    shell:
        "python -m bench assign --vectors {params.vectors} --centroids {input.centroids} --threads 1"
        " {params.settings} --output {output} 2>&1 | tee {log}"


rule fit:
    input:
        centroids=JOBS.with_centroids("build/{corpus}/{model}/centroids{times}"),
        queries=JOBS.fit_queries,
    output:
        directory("build/{corpus}/{model}/{codec}/codec"),
    log:
        "logs/{corpus}/{model}/{codec}/fit.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.fit"),
        settings=JOBS.fit,
        queries=lambda w, input: flags(queries=list(input.queries) or None),
    shell:
        "python -m bench fit --centroids {input.centroids} {params.queries} {params.settings}"
        " --output {output} 2>&1 | tee {log}"


rule compress:
    input:
        vectors=JOBS.shard,
        codes=JOBS.with_centroids("build/{corpus}/{model}/codes{times}/{shard}"),
        codec="build/{corpus}/{model}/{codec}/codec",
    output:
        temp(directory("build/{corpus}/{model}/{codec}/residuals/{shard}")),
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
    shell:
        "python -m bench compress --vectors {params.vectors} --codes {input.codes} --codec {input.codec}"
        " {params.settings} --output {output} 2>&1 | tee {log}"


rule index:
    input:
        corpus="build/{corpus}/corpus",
        vectors=JOBS.lengths,
        codes=JOBS.shards_of("build/{corpus}/{model}/codes{times}/{shard}"),
        residuals=JOBS.shards_of("build/{corpus}/{model}/{codec}/residuals/{shard}"),
        codec="build/{corpus}/{model}/{codec}/codec",
    output:
        directory("build/{corpus}/{model}/{codec}/index"),
    log:
        "logs/{corpus}/{model}/{codec}/index.log",
    benchmark:
        "benchmarks/{corpus}/{model}/{codec}/index.tsv"
    wildcard_constraints:
        codec="(?!fp16)[a-z0-9.-]+",
    conda:
        "../envs/bench.yaml"
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.index"),
        settings=JOBS.on_device,
        vectors=lambda w, input: folders(input.vectors),
    shell:
        "python -m bench index --corpus {input.corpus} --vectors {params.vectors} --codec {input.codec}"
        " --codes {input.codes} --residuals {input.residuals} {params.settings} --output {output} 2>&1 | tee {log}"


rule index_uncompressed:
    input:
        corpus="build/{corpus}/corpus",
        vectors=JOBS.vectors,
    output:
        directory("build/{corpus}/{model}/{codec}/index"),
    log:
        "logs/{corpus}/{model}/{codec}/index.log",
    benchmark:
        "benchmarks/{corpus}/{model}/{codec}/index.tsv"
    wildcard_constraints:
        codec="fp16(\\.pool-[0-9]+)?",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.index"),
        vectors=lambda w, input: folders(input.vectors),
    shell:
        "python -m bench index --corpus {input.corpus} --vectors {params.vectors} --output {output} 2>&1 | tee {log}"


rule size:
    input:
        "build/{corpus}/{model}/{codec}/index",
    output:
        "build/{corpus}/{model}/{codec}/size.json",
    log:
        "logs/{corpus}/{model}/{codec}/size.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.size"),
        settings=JOBS.size,
    shell:
        "python -m bench size --index {input} {params.settings} --output {output} 2>&1 | tee {log}"
