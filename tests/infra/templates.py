"""Reads a CloudFormation template: what it consists of, with its conditions decided."""

from collections.abc import Iterator, Mapping
from typing import Any

Template = Mapping[str, Any]
Named = Iterator[tuple[str, Mapping[str, Any]]]


def plain(template: Template) -> dict[str, Any]:
    """Return the template with its conditions decided by the defaults of its parameters."""
    defaults = {name: p["Default"] for name, p in template.get("Parameters", {}).items()}

    def value(of: Any) -> Any:
        if isinstance(of, Mapping):
            if set(of) == {"Ref"} and of["Ref"] in defaults:
                return defaults[of["Ref"]]
            if set(of) == {"Fn::Equals"}:
                first, second = (value(part) for part in of["Fn::Equals"])
                return first == second
            if set(of) == {"Fn::Not"}:
                return not value(of["Fn::Not"][0])
            if set(of) == {"Fn::If"}:
                condition, if_true, if_false = of["Fn::If"]
                return value(if_true if decided[condition] else if_false)
            items = {key: value(part) for key, part in of.items()}
            return {key: part for key, part in items.items() if part != {"Ref": "AWS::NoValue"}}
        if isinstance(of, list):
            return [part for part in map(value, of) if part != {"Ref": "AWS::NoValue"}]
        return of

    decided: dict[str, bool] = {}
    for name, condition in template.get("Conditions", {}).items():
        decided[name] = value(condition)
    resources = {
        name: value(resource)
        for name, resource in template["Resources"].items()
        if decided.get(resource.get("Condition"), True)
    }
    return {**template, "Resources": resources}


def of_type(template: Template, kind: str) -> Named:
    """Yield name and properties of the resources of a type, such as ``SQS::Queue``."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == f"AWS::{kind}":
            yield name, resource.get("Properties", {})


def properties(template: Template, name: str) -> Mapping[str, Any]:
    """Return the properties of a resource."""
    found: Mapping[str, Any] = template["Resources"][name].get("Properties", {})
    return found


def referred(value: Any) -> str:
    """Return the resource that a ``Ref`` or an ``Fn::GetAtt`` names, or an empty string."""
    if isinstance(value, Mapping):
        return str(value.get("Ref") or value.get("Fn::GetAtt", [""])[0])
    return ""


def text(value: Any) -> str:
    """Return a value as text: what it joins and substitutes included, names of resources not."""
    if isinstance(value, Mapping):
        if "Fn::Join" in value:
            return "".join(map(text, value["Fn::Join"][1]))
        if "Fn::Sub" in value:
            return str(value["Fn::Sub"])
        return referred(value)
    return str(value)
