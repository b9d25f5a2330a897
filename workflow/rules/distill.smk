"""
denoised supervision, once per round: mined passages -> a teacher's scores -> n-way tuples -> model

needs   build/models/{start}/ and its index of the training passages, build/{corpus}/{start}/{codec}/index/
        build/teachers/{teacher}/ of a teacher that is trained here
makes   build/{corpus}/corpus/, build/{corpus}/queries/{corpus}/, build/{corpus}/queries/{corpus}.held-out/
                                              the part of a training set, where the config asks for one
        build/models/{model}.mined/{part}/    the start's top passages of some training queries
        build/models/{model}.scored/{part}/   the same with the teacher's scores
        build/models/{model}.tuples/
        build/models/{model}/, build/models/{model}.steps.jsonl

Round 1 of a model of two is the model {model}.round1, and the second one starts from it.
"""


ruleorder: training_part > corpus
ruleorder: training_part > queries


rule training_part:
    input:
        corpus=TRAINING.whole("build/{corpus}/corpus/manifest.json"),
        queries=TRAINING.whole("build/{corpus}/queries/{queries}/manifest.json"),
    output:
        corpus="build/{corpus}/corpus/manifest.json",
        queries="build/{corpus}/queries/{corpus}/manifest.json",
        held_out="build/{corpus}/queries/{corpus}.held-out/manifest.json",
    log:
        "logs/{corpus}/part.log",
    wildcard_constraints:
        corpus=TRAINING.parts(),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.training_part"),
        settings=TRAINING.training_part,
        whole=subpath(input.corpus, parent=True),
        asked=subpath(input.queries, parent=True),
        folder=subpath(output.corpus, parent=True),
        queries=subpath(output.queries, parent=True),
        held_out=subpath(output.held_out, parent=True),
    shell:
        "python -m bench training-part --corpus {params.whole} --queries {params.asked} {params.settings}"
        " --output {params.folder} --output-queries {params.queries} --output-held-out {params.held_out} 2>&1 | tee {log}"


rule mine:
    input:
        index=TRAINING.of_part("build/{corpus}/{start}/{codec}/index/manifest.json"),
        queries=TRAINING.of_part(
            "build/{corpus}/{start}/queries/{queries}/manifest.json"
        ),
    output:
        "build/models/{model}.mined/{part}/manifest.json",
    log:
        "logs/models/{model}.mine.{part}.log",
    benchmark:
        "benchmarks/models/{model}.mine.{part}.tsv"
    wildcard_constraints:
        model=TRAINING.models_with("distill"),
        part="[0-9]{5}",
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.mine"),
        settings=TRAINING.mine,
        index=subpath(input.index, parent=True),
        queries=subpath(input.queries, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench mine --index {params.index} --queries {params.queries} {params.settings}"
        " --output {params.folder} 2>&1 | tee {log}"


rule score:
    input:
        mined="build/models/{model}.mined/{part}/manifest.json",
        corpus=TRAINING.of_part("build/{corpus}/corpus/manifest.json"),
        queries=TRAINING.of_part("build/{corpus}/queries/{queries}/manifest.json"),
        teacher=TRAINING.teacher,
    output:
        "build/models/{model}.scored/{part}/manifest.json",
    log:
        "logs/models/{model}.score.{part}.log",
    benchmark:
        "benchmarks/models/{model}.score.{part}.tsv"
    wildcard_constraints:
        model=TRAINING.models_with("distill"),
        part="[0-9]{5}",
    conda:
        "../envs/bench.yaml"
    threads: 2
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.score"),
        settings=TRAINING.score,
        mined=subpath(input.mined, parent=True),
        corpus=subpath(input.corpus, parent=True),
        queries=subpath(input.queries, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench score --mined {params.mined} --corpus {params.corpus} --queries {params.queries}"
        " {params.settings} --output {params.folder} 2>&1 | tee {log}"


rule tuples:
    input:
        scored=TRAINING.scored,
        asked=TRAINING.asked,
        corpus=TRAINING.of_part("build/{corpus}/corpus/manifest.json"),
        queries=TRAINING.of_part("build/{corpus}/queries/{queries}/manifest.json"),
    output:
        "build/models/{model}.tuples/manifest.json",
    log:
        "logs/models/{model}.tuples.log",
    wildcard_constraints:
        model=TRAINING.models_with("distill"),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.tuples"),
        settings=TRAINING.tuples,
        scored=lambda w, input: folders(input.scored),
        corpus=subpath(input.corpus, parent=True),
        queries=subpath(input.queries, parent=True),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench tuples --scored {params.scored} --corpus {params.corpus} --queries {params.queries}"
        " {params.settings} --output {params.folder} 2>&1 | tee {log}"


rule distill:
    input:
        start=TRAINING.start,
        corpus=TRAINING.of_part("build/{corpus}/corpus/manifest.json"),
        queries=TRAINING.of_part("build/{corpus}/queries/{queries}/manifest.json"),
        tuples="build/models/{model}.tuples/manifest.json",
        held_out=TRAINING.held_out,
    output:
        model="build/models/{model}/manifest.json",
        steps="build/models/{model}.steps.jsonl",
    log:
        "logs/models/{model}.log",
    benchmark:
        "benchmarks/models/{model}.tsv"
    wildcard_constraints:
        model=TRAINING.models_with("distill"),
    conda:
        "../envs/bench.yaml"
    threads: 2
    resources:
        gpu=GPU,
    params:
        code=code_digest("bench.verbs.distill"),
        settings=TRAINING.distill,
        start=subpath(input.start, parent=True),
        corpus=subpath(input.corpus, parent=True),
        queries=subpath(input.queries, parent=True),
        tuples=subpath(input.tuples, parent=True),
        folder=subpath(output.model, parent=True),
    shell:
        "python -m bench distill --start {params.start} --corpus {params.corpus} --queries {params.queries}"
        " --tuples {params.tuples} {params.settings} --log {output.steps} --output {params.folder} 2>&1 | tee {log}"
