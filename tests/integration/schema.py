"""A small validator for the JSON Schemas that tools declare: the keywords that they use, no more. A
keyword that it does not know is an error, so that none is passed over."""

import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
         "number": (int, float)}
KNOWN = {"type", "properties", "required", "additionalProperties", "items", "enum", "const",
         "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
         "format", "description", "default", "title"}


def errors(schema, value, at="$"):
    """What is wrong with `value`, as a list of texts."""
    found = [f"{at}: unknown keyword {name}" for name in schema if name not in KNOWN]
    kind = schema.get("type")
    if kind is not None:
        if not isinstance(value, TYPES[kind]) or (kind != "boolean" and isinstance(value, bool)):
            return found + [f"{at}: {value!r} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: {value!r} is not {schema['const']!r}")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{at}: {value} is below {schema['minimum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{at}: {value!r} does not match {schema['pattern']}")
    if schema.get("format") == "date-time" and not re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value):
        found.append(f"{at}: {value!r} is no time")
    if isinstance(value, dict):
        found += object_errors(schema, value, at)
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            found += errors(schema["items"], item, f"{at}[{index}]")
    return found


def object_errors(schema, value, at):
    found = [f"{at}: {name} is missing" for name in schema.get("required", ())
             if name not in value]
    properties = schema.get("properties", {})
    for name, member in value.items():
        if name in properties:
            found += errors(properties[name], member, f"{at}.{name}")
        elif schema.get("additionalProperties") is False:
            found.append(f"{at}: {name} is not declared")
    return found
