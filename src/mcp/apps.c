/* MCP Apps, as far as it is about capabilities: both sides name the types of pages they know. */
#include "apps.h"

#include "scout/ui/page.h"

bool apps_are_shown(struct slice capabilities)
{
    struct json_walk walk;
    struct slice key, type;
    struct slice extension = json_member(json_member(capabilities, "extensions"), UI_EXTENSION);
    struct slice types = json_member(extension, "mimeTypes");
    if (json_type(types) != JSON_ARRAY)
        return false;
    json_walk_begin(&walk, types);
    while (json_walk_next(&walk, &key, &type))
        if (json_string_is(type, UI_APP_MIME_TYPE))
            return true;
    return false;
}

bool apps_are_offered(const struct tool_registry *registry)
{
    return registry->view && registry->view->ui && tool_find_method(registry, "resources/read");
}

void apps_write_extension(struct json_writer *w)
{
    json_key(w, UI_EXTENSION);
    json_object_begin(w);
    json_key(w, "mimeTypes");
    json_array_begin(w);
    json_str(w, UI_APP_MIME_TYPE);
    json_array_end(w);
    json_object_end(w);
}
