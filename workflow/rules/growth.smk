"""
token vectors -> how search time grows over larger and larger mixtures of them (snakemake growth)

needs   build/{corpus}/{model}/vectors/{shard}/, build/{corpus}/{model}/queries/{queries}/
makes   build/{corpus}/{model}/growth/{queries}/growth.json
        results/{name}/growth.*, figure_growth.*

Nothing else asks for these files. The largest mixture, 16 million vectors, takes 5 GB of disk while it is measured.
"""


rule growth_measured:
    input:
        vectors=JOBS.vectors,
        queries="build/{corpus}/{model}/queries/{queries}",
    output:
        "build/{corpus}/{model}/growth/{queries}/growth.json",
    log:
        "logs/{corpus}/{model}/growth/{queries}.log",
    conda:
        "../envs/bench.yaml"
    threads: lambda wildcards: alone(2)
    params:
        code=code_digest("bench.verbs.growth"),
        settings=PEER_JOBS.growth,
        vectors=lambda w, input: folders(input.vectors),
        work=lambda w: f"build/{w.corpus}/{w.model}/growth/{w.queries}/work",
    shell:
        "python -m bench growth --vectors {params.vectors} --queries {input.queries} {params.settings}"
        " --build-threads {threads} --work {params.work} --output {output} 2>&1 | tee {log}"


rule growth:
    input:
        PEER_JOBS.measured("growth/{queries}/growth.json"),
    output:
        expand(f"{RESULTS}/growth.{{suffix}}", suffix=["md", "csv", "html", "tex"]),
        expand(f"{RESULTS}/figure_growth.{{suffix}}", suffix=["png", "pdf"]),
    log:
        f"logs/{PLAN.name}/growth.log",
    conda:
        "../envs/bench.yaml"
    params:
        code=code_digest("bench.verbs.growth_report"),
        folder=subpath(output[0], parent=True),
    shell:
        "python -m bench growth-report --record {input} --output {params.folder} 2>&1 | tee {log}"
