"""The schema of notebooks, compiled once in a process for each part that is checked."""

import json
from functools import cache
from pathlib import Path

import fastjsonschema
from nbformat import v4, validator
from nbformat.json_compat import FastJsonSchemaValidator, ValidationError


class CompiledParts(FastJsonSchemaValidator):
    """nbformat's validator, which compiles the schema of a part of a notebook, such as an output, as well.

    nbformat interprets that schema anew for each output.
    """

    def __init__(self, schema):
        super().__init__(schema)
        self._part = cache(lambda ref: fastjsonschema.compile(self._schema | {"$ref": ref}))

    def iter_errors(self, data, schema=None):
        if schema is None or schema.keys() != {"$ref"}:
            return super().iter_errors(data, schema)
        try:
            self._part(schema["$ref"])(data)
        except fastjsonschema.JsonSchemaException as error:
            return [ValidationError(str(error), schema_path=error.path)]
        return []


def check_by_compiled_schema() -> None:
    """Let nbformat check this process's notebooks and outputs by schemas that are compiled once, now."""
    key = ("fastjsonschema", v4.nbformat, v4.nbformat_minor, False)
    schema = Path(v4.__file__).parent / v4.nbformat_schema[v4.nbformat, v4.nbformat_minor]
    validator.validators[key] = CompiledParts(json.loads(schema.read_text(encoding="utf-8")))
    v4.new_notebook(cells=[v4.new_code_cell(), v4.new_markdown_cell()])
    for kind in ("execute_result", "display_data", "stream", "error"):
        v4.new_output(kind)
