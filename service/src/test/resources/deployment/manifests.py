"""What of the chart's manifests no schema of Kubernetes checks: the monitoring kinds, and the expressions of Prometheus.

Takes a file {"schemas": {KIND: SCHEMA}, "objects": [...], "expressions": [...]} and prints a line for each fault.
"""
import json
import sys

import jsonschema
import promql_parser

with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)

for item in given["objects"]:
    schema = given["schemas"].get(item["kind"])
    name = f"{item['kind']}/{item['metadata']['name']}"
    if schema is None:
        print(f"{name}: there is no schema of this kind")
        continue
    for error in jsonschema.Draft202012Validator(schema).iter_errors(item):
        print(f"{name}: {error.json_path}: {error.message}")

for expression in given["expressions"]:
    try:
        promql_parser.parse(expression)
    except ValueError as error:
        print(f"{expression}: {error}")
