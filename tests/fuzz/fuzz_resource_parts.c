/* What clients hand back or name beside URIs, cursors and templates, and what docker prints. What
 * is taken is within its bounds; a cursor that is taken is the one that its place has. */
#include "../../src/resources/compose_projects.h"
#include "../../src/resources/resource_cursor.h"
#include "../../src/resources/resource_template.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_cursor(const char *text)
{
    struct resource_place place;
    char again[RESOURCE_CURSOR_SIZE];
    if (!resource_cursor_read('r', text, &place))
        return;
    assert(strlen(place.host) <= TARGET_HOST_MAX);
    resource_cursor_write('r', &place, again);
    assert(strcmp(again, text) == 0);
}

static void try_template(const char *text)
{
    struct resource_template t;
    if (!resource_template_parse(text, &t))
        return;
    assert(strlen(t.host) <= TARGET_HOST_MAX);
    assert(t.host[0] || t.variables & TEMPLATE_BIT(TEMPLATE_HOST));
}

static void try_projects(struct slice text)
{
    struct arena arena;
    size_t count;
    arena_init(&arena, 1u << 20);
    const struct compose_project *p = compose_projects_read(text, &arena, &count);
    for (size_t i = 0; i < count; i++)
        assert(p[i].name[0] && p[i].status && p[i].files);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    try_cursor(text);
    try_template(text);
    try_projects(slice_of(data, size));
    free(text);
    return 0;
}
