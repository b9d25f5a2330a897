"""
pretrained weights (+ training set) -> model

needs   build/{corpus}/corpus/, build/{corpus}/queries/{queries}/ of the training set
makes   build/models/{model}/            one folder per model: safetensors, tokenizer, colbert.json
        build/models/{model}.triples.jsonl, build/models/{model}.steps.jsonl   of trained ones
"""


rule project:
    input:
        corpus=JOBS.training_corpus,
    output:
        "build/models/{model}/manifest.json",
    log:
        "logs/models/{model}.log",
    benchmark:
        "benchmarks/models/{model}.tsv"
    wildcard_constraints:
        model=JOBS.models_with("projection"),
    conda:
        "../envs/bench.yaml"
    threads: 2
    params:
        code=code_digest("bench.verbs.project"),
        settings=JOBS.project,
        corpus=subpath(input.corpus, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench project {params.settings} --corpus {params.corpus} --output {params.folder} 2>&1 | tee {log}"


rule pool:
    output:
        "build/models/{model}/manifest.json",
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model=JOBS.models_with("pooling"),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.pool"),
        settings=JOBS.pool,
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench pool {params.settings} --output {params.folder} 2>&1 | tee {log}"


rule triples:
    input:
        corpus=JOBS.training_corpus,
        queries=JOBS.training_queries,
    output:
        "build/models/{model}.triples.jsonl",
    log:
        "logs/models/{model}.triples.log",
    wildcard_constraints:
        model=JOBS.models_with("train"),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.triples"),
        settings=JOBS.triples,
        corpus=subpath(input.corpus, parent=True),
        queries=subpath(input.queries, parent=True),
    shell:
        "python -m bench triples --corpus {params.corpus} --queries {params.queries} {params.settings}"
        " --output {output} 2>&1 | tee {log}"


rule train:
    input:
        start=JOBS.start,
        corpus=JOBS.training_corpus,
        queries=JOBS.training_queries,
        triples="build/models/{model}.triples.jsonl",
    output:
        model="build/models/{model}/manifest.json",
        steps="build/models/{model}.steps.jsonl",
    log:
        "logs/models/{model}.log",
    benchmark:
        "benchmarks/models/{model}.tsv"
    wildcard_constraints:
        model=JOBS.models_with("train"),
    conda:
        "../envs/bench.yaml"
    threads: 2
    params:
        code=code_digest("bench.verbs.train"),
        settings=JOBS.train,
        start=subpath(input.start, parent=True),
        corpus=subpath(input.corpus, parent=True),
        queries=subpath(input.queries, parent=True),
        folder=subpath(output.model, parent=True),
    shell:
        "python -m bench train --start {params.start} --corpus {params.corpus} --queries {params.queries}"
        " --triples {input.triples} {params.settings} --log {output.steps} --output {params.folder} 2>&1 | tee {log}"
