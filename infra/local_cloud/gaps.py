"""Where the local AWS knows less than AWS, and what makes up for it after a deployment.

* ministack looks up the rights to ssm:GetParametersByPath for the resource "*" whatever the path,
  so that a role that may read one path may read none. Such roles are given "*" for it.
* It speaks plain HTTP, which the policy of the bucket refuses, as it should. That policy goes.
* Its SQS tells CloudWatch nothing; infra/local_cloud/queue_metrics.py does that.
* Its CloudWatch evaluates an alarm over all that has its namespace and metric, whatever the
  dimensions: all queues in one. So the states of the alarms on AWS/SQS mean nothing here. The
  numbers do: GetMetricStatistics looks at dimensions.

Everything else is enforced as deployed; tests/journeys/test_local_cloud_permissions.py shows it.
"""

import json

from infra.local_cloud.stack import Stack

POLICY = "local-cloud"
BY_PATH = "ssm:GetParametersByPath"


def fill(stack: Stack) -> None:
    """Change what the local AWS would refuse although AWS does not."""
    stack.client("s3").delete_bucket_policy(Bucket=stack.resources["IndexBucket"])
    iam = stack.client("iam")
    for role in stack.roles():
        if BY_PATH in json.dumps(stack.statements(role)):
            allowed = {"Effect": "Allow", "Action": BY_PATH, "Resource": "*"}
            document = {"Version": "2012-10-17", "Statement": [allowed]}
            iam.put_role_policy(
                RoleName=role, PolicyName=POLICY, PolicyDocument=json.dumps(document)
            )
