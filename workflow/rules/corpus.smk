"""
ir_datasets id -> passages, queries and judgements

needs   ir_datasets (its cache or a download), or the installed packages for pydocs
makes   build/{corpus}/corpus/            passages.jsonl, offsets.npy
        build/{corpus}/queries/{queries}/ queries.jsonl, qrels.txt
"""


def all_entries():
    """Query sets that are evaluated, and those that models are trained on."""
    return {
        entry.name: entry for entry in (*PLAN.corpora.values(), *PLAN.entries.values())
    }


rule corpus:
    output:
        "build/{corpus}/corpus/manifest.json",
    log:
        "logs/{corpus}/corpus.log",
    benchmark:
        "benchmarks/{corpus}/corpus.tsv"
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.corpus"),
        settings=lambda w: flags(
            {
                "dataset": PLAN.corpora[w.corpus].corpus,
                "passages": PLAN.corpora[w.corpus].passages,
            }
        ),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench corpus {params.settings} --output {params.folder} 2>&1 | tee {log}"


rule queries:
    output:
        "build/{corpus}/queries/{queries}/manifest.json",
    log:
        "logs/{corpus}/queries/{queries}.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.queries"),
        settings=lambda w: flags(
            {
                "dataset": all_entries()[w.queries].id,
                "queries": all_entries()[w.queries].queries,
                "sample": all_entries()[w.queries].sample,
                "seed": PLAN.seed_for("queries", w.queries),
            }
        ),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench queries {params.settings} --output {params.folder} 2>&1 | tee {log}"
