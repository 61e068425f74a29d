"""Reads Prometheus text from standard input with Prometheus' own parser; prints what it found as JSON, special numbers as text."""
import json
import math
import sys

from prometheus_client.parser import text_string_to_metric_families


def number(value):
    return value if math.isfinite(value) else str(value)


families = {
    family.name: {
        "type": family.type,
        "help": family.documentation,
        "samples": [
            {"name": sample.name, "labels": sample.labels, "value": number(sample.value)} for sample in family.samples
        ],
    }
    for family in text_string_to_metric_families(sys.stdin.read())
}
json.dump(families, sys.stdout)
