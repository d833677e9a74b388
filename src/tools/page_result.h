/* A look at a path as an HTML page that has its data within (docs/ui.md). Private to the layer. */
#ifndef SCOUT_TOOLS_PAGE_RESULT_H
#define SCOUT_TOOLS_PAGE_RESULT_H

#include "scout/ui/page.h"
#include "scout_result.h"

struct page_answer {
    const struct path_answer *answer;
    struct buf data, page, uri;
};

/* The data is made fit for a model by `redactor`; NULL: it is as on the host.
 * 0, or a negative error with *why; page_answer_fini in either case. `answer` is borrowed. */
__attribute__((warn_unused_result)) int page_answer_init(struct page_answer *p,
                                                         const struct path_answer *answer,
                                                         const struct ui_pages *pages,
                                                         const struct redactor *redactor,
                                                         struct failure *why);
void page_answer_fini(struct page_answer *p);
void page_answer_write(struct json_writer *w, const void *context); /* struct page_answer */

#endif
