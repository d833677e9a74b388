/* The HTML pages that show what a look at a host brought (docs/ui.md): a directory, a file, a log,
 * a markdown document; and all of them in one page that gets its data from an MCP Apps host
 * (SEP-1865, 2026-01-26).
 *
 * A page loads nothing and holds all it needs. Its own policy lets only its style and its script
 * run, by their hashes, and no string become markup; data is inert JSON in it. Pure. */
#ifndef SCOUT_UI_PAGE_H
#define SCOUT_UI_PAGE_H

#include "scout/base/buf.h"

#define UI_APP_URI       "ui://scoutd/viewer" /* what MCP Apps hosts read */
#define UI_APP_MIME_TYPE "text/html;profile=mcp-app"
#define UI_MIME_TYPE     "text/html" /* of a page that comes with its data */
#define UI_EXTENSION     "io.modelcontextprotocol/ui"

enum ui_viewer { UI_DIRECTORY, UI_FILE, UI_LOG, UI_MARKDOWN, UI_APP };
#define UI_VIEWER_COUNT 5

#define UI_POLICY_MAX 320 /* bytes of a Content-Security-Policy */

/* What is worked out once, and can then be used by whoever holds it. */
struct ui_pages {
    char policy[UI_VIEWER_COUNT][UI_POLICY_MAX];
};

/* 0, or SCOUT_E_INTERNAL when there is no SHA-256. */
__attribute__((warn_unused_result)) int ui_pages_init(struct ui_pages *pages);

/* Which viewer shows a file, by its path alone: `.md` and `.markdown` (in any case) as a document,
 * `.log`, `.logs` and whatever is below a directory `log` as a log. */
enum ui_viewer ui_viewer_of(struct slice path);

/* Appends the page. `data` is one JSON value: the structured content of the tool's answer; `null`
 * for UI_APP. Returns 0, or SCOUT_E_LIMIT / SCOUT_E_NOMEM with the content unchanged. */
__attribute__((warn_unused_result)) int ui_page_write(const struct ui_pages *pages,
                                                      enum ui_viewer viewer, struct slice data,
                                                      struct buf *out);

/* How long a page with `data_len` bytes of data can get at most. */
size_t ui_page_size_max(size_t data_len);

/* Appends `ui://scout/<host>/<path>`, percent-encoded, the path without its leading slashes. As
 * ui_page_write. */
__attribute__((warn_unused_result)) int ui_uri_write(struct buf *out, const char *host,
                                                     const char *path);

#endif
