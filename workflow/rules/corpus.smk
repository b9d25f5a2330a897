"""
ir_datasets id or own files -> passages, queries and judgements

needs   ir_datasets (its cache or a download), the installed packages for pydocs, or own files; a list of ids where the config
        names one
makes   build/{corpus}/corpus/            passages.jsonl, offsets.npy
        build/{corpus}/queries/{queries}/ queries.jsonl, qrels.txt
"""


rule corpus:
    input:
        JOBS.passages,
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
        settings=JOBS.corpus,
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench corpus {params.settings} --output {params.folder} 2>&1 | tee {log}"


rule queries:
    input:
        JOBS.asked,
    output:
        "build/{corpus}/queries/{queries}/manifest.json",
    log:
        "logs/{corpus}/queries/{queries}.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.queries"),
        settings=JOBS.queries,
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench queries {params.settings} --output {params.folder} 2>&1 | tee {log}"
