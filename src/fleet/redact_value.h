/* Private to the redaction: the value that is given to a name, and whether it may be a secret.
 * Pure.
 */
#ifndef SCOUT_FLEET_REDACT_VALUE_H
#define SCOUT_FLEET_REDACT_VALUE_H

#include "redact_find.h"

#define REDACT_VALUE_MAX  1024  /* bytes of a value that are looked at, without quotes */
#define REDACT_QUOTED_MAX 16384 /* in quotes, or in a block of YAML */
#define REDACT_VALUE_MIN  3

struct redact_value {
    size_t at;    /* where it begins, maybe with a quote */
    uint8_t sign; /* '=', ':', or ' ' between an option and its value */
    bool tight;   /* no blanks around the sign, as in the environment */
    bool in_url;  /* it ends before `&` */
};

/* The value's place; false when it is none, or no secret by its looks. */
bool redact_value_take(const struct redact_scan *s, const struct redact_value *v,
                       struct secret *out);

/* Whether a value may be a secret: no variable, template, marker, path or URL, and nothing filled
 * with one character. */
bool redact_value_counts(struct slice value);

#endif
