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
        corpus=TRAINING.whole("build/{corpus}/corpus"),
        queries=TRAINING.whole("build/{corpus}/queries/{queries}"),
    output:
        corpus=directory("build/{corpus}/corpus"),
        queries=directory("build/{corpus}/queries/{corpus}"),
        held_out=directory("build/{corpus}/queries/{corpus}.held-out"),
    log:
        "logs/{corpus}/part.log",
    wildcard_constraints:
        corpus=TRAINING.parts(),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.training_part"),
        settings=TRAINING.training_part,
    shell:
        "python -m bench training-part --corpus {input.corpus} --queries {input.queries} {params.settings}"
        " --output {output.corpus} --output-queries {output.queries} --output-held-out {output.held_out} 2>&1 | tee {log}"


rule mine:
    input:
        index=TRAINING.of_part("build/{corpus}/{start}/{codec}/index"),
        queries=TRAINING.of_part("build/{corpus}/{start}/queries/{queries}"),
    output:
        directory("build/models/{model}.mined/{part}"),
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
    shell:
        "python -m bench mine --index {input.index} --queries {input.queries} {params.settings}"
        " --output {output} 2>&1 | tee {log}"


rule score:
    input:
        mined="build/models/{model}.mined/{part}",
        corpus=TRAINING.of_part("build/{corpus}/corpus"),
        queries=TRAINING.of_part("build/{corpus}/queries/{queries}"),
        teacher=TRAINING.teacher,
    output:
        directory("build/models/{model}.scored/{part}"),
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
        teacher=lambda w, input: flags(folder=list(input.teacher) or None),
    shell:
        "python -m bench score --mined {input.mined} --corpus {input.corpus} --queries {input.queries}"
        " {params.settings} {params.teacher} --output {output} 2>&1 | tee {log}"


rule tuples:
    input:
        scored=TRAINING.scored,
        asked=TRAINING.asked,
        corpus=TRAINING.of_part("build/{corpus}/corpus"),
        queries=TRAINING.of_part("build/{corpus}/queries/{queries}"),
    output:
        directory("build/models/{model}.tuples"),
    log:
        "logs/models/{model}.tuples.log",
    wildcard_constraints:
        model=TRAINING.models_with("distill"),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.tuples"),
        settings=TRAINING.tuples,
        asked=lambda w, input: flags(query_vectors=list(input.asked) or None),
    shell:
        "python -m bench tuples --scored {input.scored} --corpus {input.corpus} --queries {input.queries}"
        " {params.settings} {params.asked} --output {output} 2>&1 | tee {log}"


rule distill:
    input:
        start=TRAINING.start,
        corpus=TRAINING.of_part("build/{corpus}/corpus"),
        queries=TRAINING.of_part("build/{corpus}/queries/{queries}"),
        tuples="build/models/{model}.tuples",
        held_out=TRAINING.held_out,
    output:
        model=directory("build/models/{model}"),
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
        held_out=lambda w, input: flags(validation_queries=list(input.held_out) or None),
    shell:
        "python -m bench distill --start {input.start} --corpus {input.corpus} --queries {input.queries}"
        " --tuples {input.tuples} {params.settings} {params.held_out} --log {output.steps} --output {output.model}"
        " 2>&1 | tee {log}"
