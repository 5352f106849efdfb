"""What each rule of template_rules.py and template_limits.py must see, as changes to a template."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from tests.infra import template_limits as limits
from tests.infra import template_rules as rules
from tests.infra.templates import Template

Rule = Callable[[Template], list[str]]

GONE = object()
"""Stands for: without it."""

STATEMENT = "Properties.Policies.0.PolicyDocument.Statement"
VARIABLES = "AnswerLambdaFunction.Properties.Environment.Variables"
LIFECYCLE = "IndexBucket.Properties.LifecycleConfiguration.Rules"
MAPPING = "AnswerEventSourceMappingSQSAnswerQueue.Properties"
BREACHES: list[tuple[Rule, str, object]] = [
    (rules.visibility, "AnswerQueue.Properties.VisibilityTimeout", 719),
    (rules.visibility, "AnswerLambdaFunction.Properties.Timeout", 121),
    (rules.visibility, "PrepareQueue.Properties.VisibilityTimeout", 1799),
    (rules.visibility, "AgentQueue.Properties.VisibilityTimeout", 3599),
    (rules.batches, f"{MAPPING}.BatchSize", 11),
    (rules.batches, f"{MAPPING}.MaximumBatchingWindowInSeconds", 1),
    (rules.batches, f"{MAPPING}.FunctionResponseTypes", GONE),
    (rules.dead_letters, "AnswerQueue.Properties.RedrivePolicy", GONE),
    (rules.dead_letters, "AnswerDeadLetters.Properties.FifoQueue", GONE),
    (rules.dead_letters, "AnswerDeadLetters.Properties.MessageRetentionPeriod", 86400),
    (rules.dead_letters, "Another", {"Type": "AWS::SQS::Queue"}),
    (rules.actions_named, f"SlackRole.{STATEMENT}.0.Action", "logs:*"),
    (rules.actions_named, f"AnswerRole.{STATEMENT}.3.Action", ["sqs:SendMessage", "sqs:Get*"]),
    (rules.resources_named, f"IngestRole.{STATEMENT}.0.Resource", "*"),
    (rules.resources_named, f"IngestRole.{STATEMENT}.0.Resource", "arn:aws:s3:::*/index"),
    (rules.resources_named, f"SlackRole.{STATEMENT}.2.Condition", GONE),
    (
        rules.roles_apart,
        "IngestLambdaFunction.Properties.Role",
        {"Fn::GetAtt": ["SlackRole", "Arn"]},
    ),
    (rules.roles_apart, "ScheduleRole", GONE),
    (rules.tables, "StateTable.Properties.TimeToLiveSpecification.Enabled", False),
    (rules.tables, "StateTable.Properties.PointInTimeRecoverySpecification", GONE),
    (rules.tables, "StateTable.Properties.SSESpecification", GONE),
    (rules.tables, "AuditTable.Properties.PointInTimeRecoverySpecification", GONE),
    (rules.audit_log, "AuditTable.DeletionPolicy", GONE),
    (rules.audit_log, f"AgentRole.{STATEMENT}.4.Resource", {"Fn::GetAtt": ["AuditTable", "Arn"]}),
    (rules.queues_encrypted, "AnswerQueue.Properties.SqsManagedSseEnabled", GONE),
    (rules.buckets, "IndexBucket.Properties.BucketEncryption", GONE),
    (rules.buckets, "IndexBucket.Properties.PublicAccessBlockConfiguration.BlockPublicAcls", False),
    (rules.buckets, "IndexBucket.Properties.VersioningConfiguration", GONE),
    (rules.buckets, "IndexBucketPolicy", GONE),
    (rules.index_bucket, "IndexBucket.DeletionPolicy", "Delete"),
    (rules.index_bucket, "IndexBucket.Properties.LifecycleConfiguration", GONE),
    (rules.staged, f"{LIFECYCLE}.1.ExpirationInDays", GONE),
    (rules.staged, f"{LIFECYCLE}.1.NoncurrentVersionExpiration.NoncurrentDays", 30),
    (rules.staged, "IndexBucket.Properties.LifecycleConfiguration", GONE),
    (rules.dead_letters_ring, "AnswerDeadLettersAlarm", GONE),
    (rules.dead_letters_ring, "PrepareDeadLettersAlarm", GONE),
    (rules.dead_letters_ring, "AgentDeadLettersAlarm", GONE),
    (rules.dead_letters_ring, "ScheduleDeadLettersAlarm.Properties.AlarmActions", GONE),
    (rules.failures_ring, "AnswerErrorsAlarm", GONE),
    (rules.failures_ring, "AgentErrorsAlarm", GONE),
    (rules.failures_ring, "MaintainLambdaEvConf", GONE),
    (rules.logs, "HttpApiLogGroup.Properties.RetentionInDays", GONE),
    (rules.logs, "ReconcileLogGroup", GONE),
    (rules.logs, "HttpApiStage.Properties.AccessLogSettings", GONE),
    (limits.throttled, "HttpApiStage.Properties.DefaultRouteSettings.ThrottlingRateLimit", GONE),
    (
        rules.no_secrets,
        "SlackLambdaFunction.Properties.Environment.Variables.SLACK_BOT_TOKEN",
        "x",
    ),
    (
        rules.no_secrets,
        "SlackLambdaFunction.Properties.Environment.Variables.FOOTNOTE_X",
        "xoxb-1",
    ),
    (limits.concurrency, f"{MAPPING}.ScalingConfig.MaximumConcurrency", 1),
    (limits.concurrency, "IngestLambdaFunction.Properties.ReservedConcurrentExecutions", 1),
    (rules.schedules, "IngestSchedulerSchedule1.Properties.Target.DeadLetterConfig", GONE),
    (rules.schedules, "ReconcileLambdaEvConf.Properties.DestinationConfig", GONE),
    (limits.memory, "SlackLambdaFunction.Properties.MemorySize", 512),
    (limits.memory, "AnswerLambdaFunction.Properties.MemorySize", 4096),
    (limits.memory, "ReconcileLambdaFunction.Properties.MemorySize", GONE),
    (limits.timeouts, "SlackLambdaFunction.Properties.Timeout", 31),
    (limits.timeouts, "IngestLambdaFunction.Properties.Timeout", 901),
    (limits.environments, VARIABLES, {"X": "x" * 4096}),
    (limits.environments, VARIABLES, {f"X{n}": {"Ref": "AnswerQueue"} for n in range(21)}),
    (limits.descriptions, "SlackLambdaFunction.Properties.Description", GONE),
    (limits.descriptions, "SlackLambdaFunction.Properties", {"Description": "x" * 257}),
    (limits.policies, f"SlackRole.{STATEMENT}.0.Resource", ["arn:aws:s3:::bucket"] * 500),
    (limits.policies, f"SlackRole.{STATEMENT}.0.Resource", [{"Ref": "AnswerQueue"}] * 50),
    (limits.whole, "Topic", {"Type": "AWS::SNS::Topic", "Properties": {"X": "x" * 1_000_000}}),
]


def changed(template: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy in which one thing is another; ``path`` begins with a resource."""
    copied = copy.deepcopy(dict(template))
    place: Any = copied["Resources"]
    *parents, last = path.split(".")
    for part in parents:
        place = place[int(part) if part.isdigit() else part]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return copied
