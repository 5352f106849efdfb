"""What a CloudFormation template must keep, and what local clouds do not look at.

Each rule is a function from a template to the sentences that say where it is broken, so that a test
can show it a broken one. Rules expect a plain template: one whose conditions are decided.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.infra.templates import Template, of_type, properties, referred, text

WILDCARDS = {
    r"/index/\*$": "the objects of the index: as many as there are, with names of LanceDB's own",
    r"/staged/\*$": "what is prepared for the index: as many as there are portions of documents",
    r":parameter/footnote/[^/*]+/\*$": "the settings of one stage: the operator chooses which",
    r":key/\*$": "the key of the parameters: AWS makes it with the first one, so no id is known",
}
"""Ends of resources that AWS lets nobody name one by one, and why."""

_SECRET_NAMES = re.compile(r"TOKEN|SECRET|PASSWORD|API_KEY|CREDENTIAL|HEADERS", re.IGNORECASE)
_SECRET_VALUES = re.compile(r"xox[a-z]-|xapp-|\bsk-|AKIA|ASIA")


def dead_letter_queues(template: Template) -> set[str]:
    """Return the queues that take what others gave up: messages, invocations, schedules."""
    found = set()
    for _, queue in of_type(template, "SQS::Queue"):
        found.add(referred(queue.get("RedrivePolicy", {}).get("deadLetterTargetArn")))
    for _, invoked in of_type(template, "Lambda::EventInvokeConfig"):
        failed = invoked.get("DestinationConfig", {}).get("OnFailure", {})
        found.add(referred(failed.get("Destination")))
    for _, schedule in of_type(template, "Scheduler::Schedule"):
        found.add(referred(schedule["Target"].get("DeadLetterConfig", {}).get("Arn")))
    return found - {""}


def visibility(template: Template) -> list[str]:
    """A queue hides a message for six times as long as its function may run, as AWS asks."""
    broken = []
    for name, mapping in of_type(template, "Lambda::EventSourceMapping"):
        queue = referred(mapping["EventSourceArn"])
        timeout = int(properties(template, referred(mapping["FunctionName"]))["Timeout"])
        hidden = int(properties(template, queue).get("VisibilityTimeout", 30))
        if hidden < 6 * timeout:
            broken.append(f"{queue} hides for {hidden} s, {name} runs for up to {timeout} s")
    return broken


def batches(template: Template) -> list[str]:
    """A batch of a FIFO queue has at most 10 messages, waits for none, and may fail in part."""
    broken = []
    for name, mapping in of_type(template, "Lambda::EventSourceMapping"):
        if not properties(template, referred(mapping["EventSourceArn"])).get("FifoQueue"):
            continue
        if int(mapping.get("BatchSize", 10)) > 10:
            broken.append(f"{name} asks for {mapping['BatchSize']} messages")
        if mapping.get("MaximumBatchingWindowInSeconds"):
            broken.append(f"{name} has a batching window")
        if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []):
            broken.append(f"{name} fails as a whole")
    return broken


def dead_letters(template: Template) -> list[str]:
    """Every queue has dead letters of its own kind, kept longer than the queue keeps its own."""
    broken, dead = [], dead_letter_queues(template)
    for name, queue in of_type(template, "SQS::Queue"):
        kept = int(queue.get("MessageRetentionPeriod", 345_600))
        if name in dead:
            if kept < 1_209_600:
                broken.append(f"{name} keeps dead letters for {kept} s only")
            continue
        redrive = queue.get("RedrivePolicy", {})
        target = referred(redrive.get("deadLetterTargetArn"))
        if not target or int(redrive.get("maxReceiveCount", 0)) < 1:
            broken.append(f"{name} has no dead letters")
        elif bool(queue.get("FifoQueue")) != bool(properties(template, target).get("FifoQueue")):
            broken.append(f"{name} and {target} are not of one kind")
    return broken


def statements(template: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the statements of all roles, with the names of the roles."""
    for name, role in of_type(template, "IAM::Role"):
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def actions_named(template: Template) -> list[str]:
    """No role is given a family of actions."""
    return [
        f"{role} may {action}"
        for role, statement in statements(template)
        for action in _list(statement["Action"])
        if "*" in action
    ]


def resources_named(template: Template) -> list[str]:
    """Every permission names what it is for, but for what AWS lets nobody name."""
    broken = []
    for role, statement in statements(template):
        for resource in _list(statement["Resource"]):
            named = text(resource)
            if "*" not in named:
                continue
            if not any(re.search(end, named) for end in WILDCARDS):
                broken.append(f"{role}, {statement.get('Sid')}: {named}")
            elif named.endswith("key/*") and "kms:ViaService" not in str(
                statement.get("Condition")
            ):
                broken.append(f"{role}, {statement.get('Sid')} may use any key anywhere")
    return broken


def roles_apart(template: Template) -> list[str]:
    """Every function has a role of its own, and schedules have another."""
    broken, used = [], dict[str, str]()
    users = [(n, referred(f["Role"])) for n, f in of_type(template, "Lambda::Function")]
    schedules = of_type(template, "Scheduler::Schedule")
    users += [("the schedules", referred(s["Target"]["RoleArn"])) for _, s in schedules]
    for user, role in users:
        if used.setdefault(role, user) != user:
            broken.append(f"{user} and {used[role]} share {role}")
    return broken


def tables(template: Template) -> list[str]:
    """A table forgets by itself, can be set back in time, and is encrypted."""
    broken = []
    for name, table in of_type(template, "DynamoDB::Table"):
        if not table.get("TimeToLiveSpecification", {}).get("Enabled"):
            broken.append(f"{name} has no time to live")
        recovery = table.get("PointInTimeRecoverySpecification", {})
        if not recovery.get("PointInTimeRecoveryEnabled"):
            broken.append(f"{name} has no point-in-time recovery")
        if not table.get("SSESpecification", {}).get("SSEEnabled"):
            broken.append(f"{name} is not encrypted with a key of this account")
    return broken


def audit_log(template: Template) -> list[str]:
    """The audit log outlives its stack, and what is deployed may add to it and do no more."""
    broken = []
    if template["Resources"]["AuditTable"].get("DeletionPolicy") != "RetainExceptOnCreate":
        broken.append("AuditTable goes with its stack")
    for role, statement in statements(template):
        named = any(referred(resource) == "AuditTable" for resource in _list(statement["Resource"]))
        if named and _list(statement["Action"]) != ["dynamodb:PutItem"]:
            broken.append(f"{role} may {', '.join(_list(statement['Action']))} the audit log")
    return broken


def queues_encrypted(template: Template) -> list[str]:
    """Every queue is encrypted: by SQS itself, or with a key."""
    return [
        f"{name} is not encrypted"
        for name, queue in of_type(template, "SQS::Queue")
        if not (queue.get("SqsManagedSseEnabled") is True or queue.get("KmsMasterKeyId"))
    ]


def buckets(template: Template) -> list[str]:
    """A bucket is encrypted, private, and speaks TLS only."""
    broken = []
    closed = {
        referred(policy["Bucket"])
        for _, policy in of_type(template, "S3::BucketPolicy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and str(statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")).lower()
        == "false"
    }
    for name, bucket in of_type(template, "S3::Bucket"):
        if not bucket.get("BucketEncryption"):
            broken.append(f"{name} is not encrypted")
        if name not in closed:
            broken.append(f"{name} can be read without TLS")
        blocked = bucket.get("PublicAccessBlockConfiguration", {}).values()
        if [*blocked] != [True] * 4:
            broken.append(f"{name} can be made public")
        if bucket.get("VersioningConfiguration", {}).get("Status") != "Enabled":
            broken.append(f"{name} keeps no versions")
    return broken


def index_bucket(template: Template) -> list[str]:
    """The index outlives its stack, and what was deleted from it does not stay for ever."""
    resource = template["Resources"]["IndexBucket"]
    rules = resource["Properties"].get("LifecycleConfiguration", {}).get("Rules", [])
    broken = []
    if resource.get("DeletionPolicy") != "RetainExceptOnCreate":
        broken.append("IndexBucket goes with its stack")
    if not any("NoncurrentVersionExpiration" in rule for rule in rules):
        broken.append("IndexBucket keeps old versions for ever")
    return broken


def staged(template: Template) -> list[str]:
    """Text that lies between two functions is gone within days, whatever becomes of them."""
    rules = properties(template, "IndexBucket").get("LifecycleConfiguration", {}).get("Rules", [])
    of_staged = [rule for rule in rules if rule.get("Prefix") == "staged/"]
    for rule in of_staged:
        old = int(rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 1_000))
        if int(rule.get("ExpirationInDays", 1_000)) <= 7 and old <= 7:
            return []
    return ["IndexBucket keeps what was staged and never committed"]


def watched(template: Template) -> set[tuple[str, str]]:
    """Return metric and resource of everything that an alarm watches and tells somebody of."""
    found = set()
    for _, alarm in of_type(template, "CloudWatch::Alarm"):
        if not any(referred(action) == "AlarmTopic" for action in alarm.get("AlarmActions", [])):
            continue
        stats = [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m]
        for metric in stats or [alarm]:
            found |= {(metric["MetricName"], referred(d["Value"])) for d in metric["Dimensions"]}
    return found


def dead_letters_ring(template: Template) -> list[str]:
    """Somebody is told of the first message among dead letters."""
    ringing = watched(template)
    return [
        f"{queue} fills up in silence"
        for queue in sorted(dead_letter_queues(template))
        if ("ApproximateNumberOfMessagesVisible", queue) not in ringing
    ]


def failures_ring(template: Template) -> list[str]:
    """A function that fails is heard of: by an alarm of its own, or by its dead letters."""
    ringing, broken = watched(template), []
    caught = {
        referred(invoked["FunctionName"]): referred(
            invoked.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        )
        for _, invoked in of_type(template, "Lambda::EventInvokeConfig")
    }
    for name, _ in of_type(template, "Lambda::Function"):
        dead = ("ApproximateNumberOfMessagesVisible", caught.get(name, ""))
        if ("Errors", name) not in ringing and dead not in ringing:
            broken.append(f"{name} fails in silence")
    return broken


def logs(template: Template) -> list[str]:
    """Every function and the API have a log, and no log grows for ever."""
    broken = [
        f"{name} is kept for ever"
        for name, group in of_type(template, "Logs::LogGroup")
        if not group.get("RetentionInDays")
    ]
    names = {group["LogGroupName"] for _, group in of_type(template, "Logs::LogGroup")}
    for name, function in of_type(template, "Lambda::Function"):
        if f"/aws/lambda/{function['FunctionName']}" not in names:
            broken.append(f"{name} makes a log group of its own, without an end")
    for name, stage in of_type(template, "ApiGatewayV2::Stage"):
        if not stage.get("AccessLogSettings", {}).get("DestinationArn"):
            broken.append(f"{name} has no access log")
    return broken


def no_secrets(template: Template) -> list[str]:
    """No environment variable holds a secret: anyone who may look at a function reads them."""
    broken = []
    for name, function in of_type(template, "Lambda::Function"):
        for variable, value in function.get("Environment", {}).get("Variables", {}).items():
            if _SECRET_NAMES.search(variable) or _SECRET_VALUES.search(text(value)):
                broken.append(f"{name} has {variable}")
    return broken


def schedules(template: Template) -> list[str]:
    """A schedule that cannot begin a run, and a run that fails, are tried again and kept."""
    broken = []
    retried = {
        referred(invoked["FunctionName"]): "MaximumRetryAttempts" in invoked
        and "OnFailure" in invoked.get("DestinationConfig", {})
        for _, invoked in of_type(template, "Lambda::EventInvokeConfig")
    }
    for name, schedule in of_type(template, "Scheduler::Schedule"):
        target = schedule["Target"]
        if not target.get("DeadLetterConfig") or "RetryPolicy" not in target:
            broken.append(f"{name} forgets what it could not begin")
        if not retried.get(referred(target["Arn"])):
            broken.append(f"{name}: nobody keeps a run that fails")
    return broken


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


RULES = (
    *(visibility, batches, dead_letters, actions_named, resources_named, roles_apart),
    *(tables, audit_log, queues_encrypted, buckets, index_bucket, staged),
    *(dead_letters_ring, failures_ring),
    *(logs, no_secrets, schedules),
)
