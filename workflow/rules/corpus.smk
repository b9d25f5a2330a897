"""
ir_datasets id or own files -> passages, queries and judgements

needs   ir_datasets (its cache or a download), the installed packages for pydocs, or own files; a list of ids where the config
        names one
makes   build/{corpus}/corpus/            passages.jsonl, offsets.npy
        build/{corpus}/queries/{queries}/ queries.jsonl, qrels.txt
"""


rule corpus:
    input:
        in_place(JOBS.passages),
    output:
        directory("build/{corpus}/corpus"),
    log:
        "logs/{corpus}/corpus.log",
    benchmark:
        "benchmarks/{corpus}/corpus.tsv"
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.corpus"),
        settings=JOBS.corpus,
    shell:
        "python -m bench corpus {params.settings} --output {output} 2>&1 | tee {log}"


rule queries:
    input:
        files=in_place(JOBS.asked),
        corpus=JOBS.judged_of,
    output:
        directory("build/{corpus}/queries/{queries}"),
    log:
        "logs/{corpus}/queries/{queries}.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.queries"),
        settings=JOBS.queries,
        corpus=lambda w, input: flags(corpus=list(input.corpus) or None),
    shell:
        "python -m bench queries {params.settings} {params.corpus} --output {output} 2>&1 | tee {log}"
