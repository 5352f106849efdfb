"""A cloud on this machine, and the real stack in it; `make local-cloud` runs it.

    playground -> HTTP API -> slack -> queue -> answer -> playground
                          schedule -> ingest -> bucket -> answer

ministack stands in for AWS, the playground for Slack. Everything between them is what
serverless.yml describes, deployed by osls, with the permissions of the roles enforced.
"""
