"""
pretrained weights (+ training set) -> model

needs   build/{corpus}/corpus/, build/{corpus}/queries/{queries}/ of the training set
makes   build/models/{model}/            one folder per model: safetensors, tokenizer, colbert.json
        build/models/{model}.triples.jsonl, build/models/{model}.steps.jsonl   of trained ones
"""


def models_with(key):
    """Wildcard constraint: names of the models whose settings have ``key``."""
    return (
        "|".join(name for name, model in PLAN.models.items() if model.get(key))
        or "none-with-" + key
    )


def training_folder(kind):
    """Corpus folder or query folder of the data set that a model is fitted or trained on."""

    def find(w):
        model = PLAN.models[w.model]
        name = (model.get("projection") or model["train"])["dataset"].replace("/", "-")
        corpus = PLAN.corpora[name].corpus_name
        return f"build/{corpus}/{'corpus' if kind == 'corpus' else 'queries/' + name}/manifest.json"

    return find


def training_entry(w):
    model = PLAN.models[w.model]
    return PLAN.corpora[
        (model.get("projection") or model["train"])["dataset"].replace("/", "-")
    ]


rule project:
    input:
        corpus=training_folder("corpus"),
    output:
        "build/models/{model}/manifest.json",
    log:
        "logs/models/{model}.log",
    benchmark:
        "benchmarks/models/{model}.tsv"
    wildcard_constraints:
        model=models_with("projection"),
    conda:
        "../envs/bench.yaml"
    threads: 2
    params:
        code=code_digest("bench.verbs.project"),
        settings=lambda w, threads: flags(
            {
                **PLAN.models[w.model]["base"],
                **{
                    name: "none" if value is None else value
                    for name, value in PLAN.inputs(w.model).items()
                },
                "passages": PLAN.models[w.model]["projection"]["passages"],
                "dim": PLAN.models[w.model]["projection"]["dim"],
                "doc_maxlen": training_entry(w).doc_maxlen,
                "seed": PLAN.seed_for("project", w.model),
                "precision": PLAN.precision,
                "threads": 2,
            }
        ),
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
        model=models_with("pooling"),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.pool"),
        settings=lambda w: flags(PLAN.models[w.model]["base"]),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench pool {params.settings} --output {params.folder} 2>&1 | tee {log}"


rule triples:
    input:
        corpus=training_folder("corpus"),
        queries=training_folder("queries"),
    output:
        "build/models/{model}.triples.jsonl",
    log:
        "logs/models/{model}.triples.log",
    wildcard_constraints:
        model=models_with("start"),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.triples"),
        settings=lambda w: flags(
            {
                "count": PLAN.models[w.model]["train"]["steps"]
                * PLAN.models[w.model]["train"]["batch"],
                "negatives": PLAN.models[w.model]["train"]["negatives"],
                "mining_depth": PLAN.models[w.model]["train"]["mining_depth"],
                "seed": PLAN.seed_for("triples", w.model),
            }
        ),
        corpus=subpath(input.corpus, parent=True),
        queries=subpath(input.queries, parent=True),
    shell:
        "python -m bench triples --corpus {params.corpus} --queries {params.queries} {params.settings}"
        " --output {output} 2>&1 | tee {log}"


rule train:
    input:
        start=lambda w: f"build/models/{PLAN.models[w.model]['start']}/manifest.json",
        corpus=training_folder("corpus"),
        queries=training_folder("queries"),
        triples="build/models/{model}.triples.jsonl",
    output:
        model="build/models/{model}/manifest.json",
        steps="build/models/{model}.steps.jsonl",
    log:
        "logs/models/{model}.log",
    benchmark:
        "benchmarks/models/{model}.tsv"
    wildcard_constraints:
        model=models_with("start"),
    conda:
        "../envs/bench.yaml"
    threads: 2
    resources:
        gpu=0,
    params:
        code=code_digest("bench.verbs.train"),
        settings=lambda w: flags(
            {
                **{
                    name: PLAN.models[w.model]["train"][name]
                    for name in (
                        "steps",
                        "batch",
                        "learning_rate",
                        "warmup",
                        "temperature",
                        "doc_maxlen",
                    )
                },
                **{
                    name: "none" if value is None else value
                    for name, value in PLAN.inputs(w.model).items()
                },
                "query_maxlen": training_entry(w).query_maxlen,
                "seed": PLAN.seed_for("train", w.model),
                "precision": PLAN.precision,
                "threads": 2,
            }
        ),
        start=subpath(input.start, parent=True),
        corpus=subpath(input.corpus, parent=True),
        queries=subpath(input.queries, parent=True),
        folder=subpath(output.model, parent=True),
    shell:
        "python -m bench train --start {params.start} --corpus {params.corpus} --queries {params.queries}"
        " --triples {input.triples} {params.settings} --log {output.steps} --output {params.folder} 2>&1 | tee {log}"
