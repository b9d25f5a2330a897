"""
printed numbers + records, shards and codes -> the tables and figures of the paper

needs   results/published.csv, metrics.json, size.json and latency.json of what a table has cells for
        build/{corpus}/{model}/vectors/{shard}/, codes/{shard}/
makes   results/{name}/paper/{table}.*   snakemake table4, table5a, table5b, table7, compression, sizes, plaid-table1 or plaid-table3
        results/{name}/paper/figure2.*, clusters.*, tokens.*   snakemake figure2 or clusters
        build/{corpus}/{model}.random/vectors/{shard}/         vectors of random directions, as many as the real ones
        build/{corpus}/{model}/clusters.json                   clusters per token and tokens per cluster, of both

Nothing else asks for these files. snakemake figure3 draws the timings of the config (workflow/rules/report.smk). Figure 2
is of the first run of the config over residual-2; random vectors are clustered by the rules of the real ones.
"""


ruleorder: random_vectors > encode


for NAME in PAPER_TABLES:

    rule:
        name:
            NAME
        input:
            f"{RESULTS}/paper/{NAME}.md",


rule paper_table:
    input:
        numbers=NUMBERS,
        metrics=PAPER.metrics,
        sizes=PAPER.sizes,
        latencies=PAPER.latencies,
    output:
        expand(
            f"{RESULTS}/paper/{{{{table}}}}.{{suffix}}",
            suffix=["md", "csv", "html", "tex"],
        ),
    log:
        f"logs/{PLAN.name}/paper/{{table}}.log",
    wildcard_constraints:
        table="|".join(PAPER_TABLES),
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.paper_table"),
        records=lambda w, input: flags(
            metrics=list(input.metrics) or None,
            sizes=list(input.sizes) or None,
            latencies=list(input.latencies) or None,
        ),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench paper-table {wildcards.table} --numbers {input.numbers} {params.records} --output {params.folder}"
        " 2>&1 | tee {log}"


rule random_vectors:
    input:
        JOBS.shard,
    output:
        manifest="build/{corpus}/{model}.random/vectors/{shard}/manifest.json",
        doclens="build/{corpus}/{model}.random/vectors/{shard}/doclens.npy",
        vectors=SHARD("build/{corpus}/{model}.random/vectors/{shard}/vectors.npy"),
    log:
        "logs/{corpus}/{model}.random/vectors.{shard}.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.random_vectors"),
        settings=PAPER.random_vectors,
        vectors=lambda w, input: folders(input),
        folder=subpath(output.manifest, parent=True),
    shell:
        "python -m bench random-vectors --vectors {params.vectors} {params.settings} --output {params.folder} 2>&1 | tee {log}"


rule clusters_counted:
    input:
        model="build/models/{model}",
        corpus="build/{corpus}/corpus",
        vectors=JOBS.lengths,
        codes=JOBS.shards_of("build/{corpus}/{model}/codes/{shard}"),
        random_codes=JOBS.shards_of("build/{corpus}/{model}.random/codes/{shard}"),
    output:
        "build/{corpus}/{model}/clusters.json",
    log:
        "logs/{corpus}/{model}/clusters.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.clusters"),
        settings=PAPER.clusters,
        vectors=lambda w, input: folders(input.vectors),
    shell:
        "python -m bench clusters --model {input.model} --corpus {input.corpus} --vectors {params.vectors}"
        " --codes {input.codes} --random-codes {input.random_codes} {params.settings} --output {output} 2>&1 | tee {log}"


rule clusters_report:
    input:
        PEER_JOBS.measured("clusters.json"),
    output:
        expand(
            f"{RESULTS}/paper/{{item}}.{{suffix}}",
            item=["figure2", "clusters", "tokens"],
            suffix=["md", "csv", "html", "tex"],
        ),
        expand(f"{RESULTS}/paper/figure2.{{suffix}}", suffix=["png", "pdf"]),
    log:
        f"logs/{PLAN.name}/paper/clusters.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.clusters_report"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench clusters-report --records {input} --output {params.folder} 2>&1 | tee {log}"


rule figure2:
    input:
        f"{RESULTS}/paper/figure2.png",


rule clusters:
    input:
        f"{RESULTS}/paper/clusters.md",


rule figure3:
    input:
        PAPER.figure3,
