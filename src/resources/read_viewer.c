/* UI_APP_URI: the page for hosts of MCP Apps (SEP-1865), which gets its data from them. It is the
 * same for everybody and has nothing of any host in it, so policy is not asked. */
#include "resource_call.h"

#include "scout/ui/page.h"

static void start(struct resource_call *r)
{
    const struct ui_pages *pages = r->call->view->ui;
    if (!pages) {
        resource_fail_as(r, SCOUT_E_NOT_FOUND,
                         "Unknown resource: %s. It is there with enable_ui = true",
                         r->call->subject);
        return;
    }
    if (!r->page.error)
        r->page.error = ui_page_write(pages, UI_APP, slice_str("null"), &r->page.text);
    resource_finish(r, UI_APP_MIME_TYPE);
}

/* It loads nothing from anywhere, and copies text where the host lets it. */
void viewer_write_meta(struct json_writer *w)
{
    json_key(w, "_meta");
    json_raw(w, slice_str("{\"ui\":{\"csp\":{\"connectDomains\":[],\"resourceDomains\":[],"
                          "\"frameDomains\":[],\"baseUriDomains\":[]},"
                          "\"permissions\":{\"clipboardWrite\":{}},\"prefersBorder\":true}}"));
}

const struct resource_reader read_viewer = {.start = start};
