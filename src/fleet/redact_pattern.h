/* Private to the redaction: the patterns that a configuration adds. */
#ifndef SCOUT_FLEET_REDACT_PATTERN_H
#define SCOUT_FLEET_REDACT_PATTERN_H

#include "redact_find.h"
#include "scout/base/error.h"
#include "scout/fleet/redact.h"

struct redact_pattern;

/* 0, SCOUT_E_INVALID_ARGUMENT with *why, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int redact_pattern_new(struct redact_pattern **out,
                                                           const char *text, struct failure *why);
void redact_pattern_free(struct redact_pattern *p);

/* One text that is searched with one pattern. */
struct redact_search {
    const struct redact_pattern *pattern;
    struct slice text; /* meant to be UTF-8 */
    size_t at;
    struct redact_budget *budget;
    bool spent;          /* it does not suffice */
    size_t step_at;      /* where in the text the last step was */
    uint32_t options;    /* PCRE2's */
    void *data, *limits; /* PCRE2's */
};

/* 0 or SCOUT_E_NOMEM. It stays where it is. */
__attribute__((warn_unused_result)) int redact_search_init(struct redact_search *s,
                                                           const struct redact_pattern *p,
                                                           struct slice text,
                                                           struct redact_budget *budget);
void redact_search_fini(struct redact_search *s);
/* 1: *out is the next secret; 0: there is none any more; SCOUT_E_LIMIT: the budget did
 * not suffice. */
int redact_search_next(struct redact_search *s, struct secret *out);

#endif
