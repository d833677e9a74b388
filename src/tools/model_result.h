/* Private to tools: a written result as a model gets it: clean (clean_json.h), and no longer than
 * its budget (docs/wire.md, "Output for a model"). Pure; large results on a helper thread. */
#ifndef SCOUT_TOOLS_MODEL_RESULT_H
#define SCOUT_TOOLS_MODEL_RESULT_H

#include "clean_json.h"

#define MODEL_RESULT_MAX (64u * 1024u * 1024u) /* bytes of a result as JSON */
#define MODEL_STEPS_SOON 100000u               /* 1.5 ms at most, on the loop */
#define MODEL_STEPS_PAGE 1000000u              /* of a page, which is made on the loop as a whole */

struct model_request {
    const struct redactor *redactor;
    struct slice json; /* the result object, written by a json_writer */
    size_t budget;     /* characters of the text and of the structured content; 0: no bound */
    bool for_apps;     /* the structured content is for a program that shows it: it stays whole */
    bool is_clean;     /* its parts went through here already */
    uint64_t redacted; /* secrets that were taken out of it before */
    const size_t *blocks; /* of the text, as text_cut_init takes them */
    size_t block_count;
    const char *handle; /* under which the whole text will be kept, when it is cut; "": nowhere */
    size_t keep_max;    /* bytes that can be kept */
    bool soon;          /* patterns of the configuration get MODEL_STEPS_SOON and no more */
};

struct model_result {
    struct buf json;  /* the object */
    struct buf whole; /* the text, for the handle; only where `keep` */
    bool keep;
    bool is_short; /* the steps did not suffice: something was withheld */
};

/* Fills *out, which model_result_fini frees in any case. 0, or SCOUT_E_NOMEM or SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int model_result_make(struct model_result *out,
                                                          const struct model_request *request);
void model_result_fini(struct model_result *r);

/* Appends a raw object cleaned, and in it the member "output" where something was changed. 0, or
 * SCOUT_E_NOMEM or SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int model_object_make(const struct redactor *redactor,
                                                          struct slice object, struct buf *out);

/* Whether the result may go out as it is: nothing to be cleaned, nothing to be cut. */
bool model_result_is_made(const struct model_request *request);

#endif
