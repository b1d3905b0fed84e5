"""What the errors of an S3 store mean to a user; told by what they say, for three libraries word them differently."""

import re
from typing import NamedTuple

from nhl_lake.errors import StorageUnavailable


class S3ErrorRule(NamedTuple):
    """What errors of one kind say, as a pattern; what that means, and what to do."""

    pattern: str
    message: str
    hint: str


RESUME_HINT = "Nothing was lost, and the same command goes on."
S3_ERROR_PATTERN = re.compile(r"https?://|<Code>|\bs3://|\bS3\b|object_store|object store", re.IGNORECASE)
S3_ERROR_RULES = (
    S3ErrorRule(
        r"NoSuchBucket|bucket does not exist",
        "There is no such bucket: {where}.",
        "Make the bucket, or correct the address; AWS_ENDPOINT_URL says at which store it is looked for.",
    ),
    S3ErrorRule(
        r"169\.254\.\d+\.\d+|CredentialsNotLoaded|no credentials|missing credentials",
        "There are no credentials for {where}.",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    ),
    S3ErrorRule(
        r"ExpiredToken|TokenRefreshRequired|RequestExpired|token .{0,20}expired",
        "The credentials for {where} have expired.",
        f"Get new ones and set the AWS variables anew. {RESUME_HINT}",
    ),
    S3ErrorRule(
        r"RequestTimeTooSkewed",
        "The store of {where} refuses: this machine's clock is wrong.",
        f"Set the clock right. {RESUME_HINT}",
    ),
    S3ErrorRule(
        r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|Unauthenticated|401 Unauthorized",
        "The store of {where} does not know these credentials.",
        "Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_ENDPOINT_URL if they are another store's.",
    ),
    S3ErrorRule(
        r"AccessDenied|403 Forbidden|PermissionDenied|lacked the required privileges",
        "The store of {where} denies access.",
        f"Let these credentials list, read, write and delete there. {RESUME_HINT}",
    ),
    S3ErrorRule(
        r"SlowDown|503 Service Unavailable|TooManyRequests|429 Too Many",
        "The store of {where} asks to be asked less, try after try.",
        f"Wait a few minutes. {RESUME_HINT}",
    ),
    S3ErrorRule(
        r"error sending request|connection (refused|reset|closed)|dns error|timed? ?out|after \d+ retries|"
        r"HTTP error|5\d\d Internal|502 Bad|504 Gateway|InternalError",
        "The store of {where} cannot be reached, or does not answer.",
        f"Look at the network and at AWS_ENDPOINT_URL. {RESUME_HINT}",
    ),
)


def explain_s3_error(error: BaseException, where: object = "the lake") -> StorageUnavailable | None:
    """Return what an error of a store means in two lines; None if it is none."""
    said = str(error)
    if not S3_ERROR_PATTERN.search(said):
        return None
    for meaning in S3_ERROR_RULES:
        if re.search(meaning.pattern, said, re.IGNORECASE):
            return StorageUnavailable(meaning.message.format(where=where), meaning.hint)
    return None
