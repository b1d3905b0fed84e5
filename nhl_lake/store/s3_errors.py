"""Explain the errors of an S3 store to a user. Three libraries word them differently, so patterns recognize them."""

import re
from typing import NamedTuple

from nhl_lake.errors import StorageUnavailable


class S3ErrorRule(NamedTuple):
    """One kind of error: the pattern of its text, the message for the user, and the hint."""

    pattern: str
    message: str
    hint: str


RESUME_HINT = "No data was lost. Run the same command again: it continues."
S3_ERROR_PATTERN = re.compile(r"https?://|<Code>|\bs3://|\bS3\b|object_store|object store", re.IGNORECASE)
# the store's answer, a location, or the request: path-style, as all our libraries send it
BUCKET_NAME = re.compile(r"<BucketName>([\w.-]+)<|\bs3://([\w.-]+)|[A-Z]{3,6} https?://[^/\s]+/([\w.-]+)")
S3_ERROR_RULES = (
    S3ErrorRule(
        r"NoSuchBucket|bucket does not exist",
        "No such bucket: {where}.",
        "Create the bucket, or correct the URL. AWS_ENDPOINT_URL names the store.",
    ),
    S3ErrorRule(
        r"169\.254\.\d+\.\d+|CredentialsNotLoaded|no credentials|missing credentials",
        "No credentials for {where}.",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    ),
    S3ErrorRule(
        r"ExpiredToken|TokenRefreshRequired|RequestExpired|token .{0,20}expired",
        "The credentials for {where} have expired.",
        f"Get new credentials and set the AWS variables. {RESUME_HINT}",
    ),
    S3ErrorRule(
        r"RequestTimeTooSkewed",
        "The store of {where} rejects requests because this machine's clock is wrong.",
        f"Correct the clock. {RESUME_HINT}",
    ),
    S3ErrorRule(
        r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|Unauthenticated|401 Unauthorized",
        "The store of {where} does not accept these credentials.",
        "Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or AWS_ENDPOINT_URL, if they belong to another store.",
    ),
    S3ErrorRule(
        r"AccessDenied|403 Forbidden|PermissionDenied|lacked the required privileges",
        "The store of {where} denies access.",
        f"Allow these credentials to list, read, write and delete there. {RESUME_HINT}",
    ),
    S3ErrorRule(
        r"SlowDown|503 Service Unavailable|TooManyRequests|429 Too Many",
        "The store of {where} limits the request rate, even after retries.",
        f"Wait a few minutes. {RESUME_HINT}",
    ),
    S3ErrorRule(
        r"error sending request|connection (refused|reset|closed)|dns error|timed? ?out|after \d+ retries|"
        r"HTTP error|5\d\d Internal|502 Bad|504 Gateway|InternalError",
        "The store of {where} cannot be reached or does not respond.",
        f"Check the network and AWS_ENDPOINT_URL. {RESUME_HINT}",
    ),
)


def explain_s3_error(error: BaseException, where: object = None) -> StorageUnavailable | None:
    """Return the explained error of an S3 store; None if the error is not one. By default it names the bucket."""
    text = str(error)
    if not S3_ERROR_PATTERN.search(text):
        return None
    where = where or find_bucket(text)
    for rule in S3_ERROR_RULES:
        if re.search(rule.pattern, text, re.IGNORECASE):
            return StorageUnavailable(rule.message.format(where=where), rule.hint)
    return None


def find_bucket(text: str) -> str:
    """Return the bucket that an error is about, as a URL; "the lake" if its text does not say."""
    found = BUCKET_NAME.search(text)
    return "the lake" if found is None else f"s3://{next(name for name in found.groups() if name)}"
