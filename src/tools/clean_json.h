/* Private to tools: text from hosts in a result that has been written, made fit for a model:
 * without secrets (scout/fleet/redact.h), then neutral (scout/fleet/neutralise.h). Pure. */
#ifndef SCOUT_TOOLS_CLEAN_JSON_H
#define SCOUT_TOOLS_CLEAN_JSON_H

#include "clean_counts.h"

#define CLEAN_TEXT_MAX (256u * 1024u * 1024u) /* bytes of one text */

/* Whether cleaning would change nothing. `json` is what a json_writer wrote. */
bool clean_json_is_clean(const struct redactor *r, struct slice json);

/* Appends `json` with every text value cleaned within the budget, and adds to *counts; names of
 * members stay. 0, or SCOUT_E_NOMEM or SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int clean_json(const struct redactor *r, struct slice json,
                                                   struct buf *out, struct clean_counts *counts,
                                                   struct redact_budget *budget);

/* The same for parts of one text that are cleaned one after the other into `out`, which only grows
 * meanwhile. A large text that stands in two of them is cleaned once. */
struct cleaner {
    const struct redactor *redactor;
    struct buf *out;
    struct clean_counts *counts;
    struct redact_budget *budget;
    struct buf text, redacted, neutral, again;
    bool changed;                   /* something is not as it was */
    struct slice before;            /* the last text that was cleaned, raw, */
    size_t before_from, before_len; /* and what became of it, in `out` */
    struct clean_counts before_counts;
};

void cleaner_init(struct cleaner *c, const struct redactor *r, struct redact_budget *budget,
                  struct buf *out);
__attribute__((warn_unused_result)) int cleaner_take(struct cleaner *c, struct slice json,
                                                     struct clean_counts *counts);
void cleaner_fini(struct cleaner *c);

#endif
