"""
pretrained weights (+ training set) -> model

needs   build/{corpus}/corpus/, build/{corpus}/queries/{queries}/ of the training set
makes   build/models/{model}/            one folder per model: safetensors, tokenizer, colbert.json
        build/models/{model}.triples.jsonl, build/models/{model}.steps.jsonl   of trained ones
        build/teachers/{teacher}/, {teacher}.triples.jsonl, {teacher}.steps.jsonl   cross-encoders that are trained here
"""


rule project:
    input:
        corpus=TRAINING.fitted_on,
    output:
        directory("build/models/{model}"),
    log:
        "logs/models/{model}.log",
    benchmark:
        "benchmarks/models/{model}.tsv"
    wildcard_constraints:
        model=TRAINING.models_with("projection"),
    conda:
        "../envs/bench.yaml"
    threads: 2
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.project"),
        settings=TRAINING.project,
        corpus=lambda w, input: flags(corpus=list(input.corpus) or None),
    shell:
        "python -m bench project {params.settings} {params.corpus} --output {output} 2>&1 | tee {log}"


rule pool:
    output:
        directory("build/models/{model}"),
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model=TRAINING.models_with("pooling"),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.pool"),
        settings=TRAINING.pool,
    shell:
        "python -m bench pool {params.settings} --output {output} 2>&1 | tee {log}"


rule convert:
    output:
        directory("build/models/{model}"),
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model=TRAINING.models_with("checkpoint"),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.convert"),
        settings=TRAINING.convert,
    shell:
        "python -m bench convert {params.settings} --output {output} 2>&1 | tee {log}"


rule triples:
    input:
        corpus=TRAINING.corpus,
        queries=TRAINING.queries,
    output:
        "build/models/{model}.triples.jsonl",
    log:
        "logs/models/{model}.triples.log",
    wildcard_constraints:
        model=TRAINING.models_with("train"),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.triples"),
        settings=TRAINING.triples,
    shell:
        "python -m bench triples --corpus {input.corpus} --queries {input.queries} {params.settings}"
        " --output {output} 2>&1 | tee {log}"


rule train:
    input:
        start=TRAINING.start,
        corpus=TRAINING.corpus,
        queries=TRAINING.queries,
        triples="build/models/{model}.triples.jsonl",
    output:
        model=directory("build/models/{model}"),
        steps="build/models/{model}.steps.jsonl",
    log:
        "logs/models/{model}.log",
    benchmark:
        "benchmarks/models/{model}.tsv"
    wildcard_constraints:
        model=TRAINING.models_with("train"),
    conda:
        "../envs/bench.yaml"
    threads: 2
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.train"),
        settings=TRAINING.train,
    shell:
        "python -m bench train --start {input.start} --corpus {input.corpus} --queries {input.queries}"
        " --triples {input.triples} {params.settings} --log {output.steps} --output {output.model} 2>&1 | tee {log}"


use rule triples as teacher_triples with:
    output:
        "build/teachers/{teacher}.triples.jsonl",
    log:
        "logs/teachers/{teacher}.triples.log",
    wildcard_constraints:
        teacher=TRAINING.trained_teachers(),
    params:
        code=code_digest("bench.verbs.triples"),
        settings=TRAINING.teacher_triples,


rule train_teacher:
    input:
        corpus=TRAINING.corpus,
        queries=TRAINING.queries,
        triples="build/teachers/{teacher}.triples.jsonl",
    output:
        model=directory("build/teachers/{teacher}"),
        steps="build/teachers/{teacher}.steps.jsonl",
    log:
        "logs/teachers/{teacher}.log",
    benchmark:
        "benchmarks/teachers/{teacher}.tsv"
    wildcard_constraints:
        teacher=TRAINING.trained_teachers(),
    conda:
        "../envs/bench.yaml"
    threads: 2
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.train_teacher"),
        settings=TRAINING.train_teacher,
    shell:
        "python -m bench train-teacher --corpus {input.corpus} --queries {input.queries} --triples {input.triples}"
        " {params.settings} --log {output.steps} --output {output.model} 2>&1 | tee {log}"
