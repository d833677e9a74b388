/* URIs of resources. What is taken is within its bounds, has no `..`, and comes back from its own
 * encoding. */
#include "scout/resources/resource_uri.h"

#include <assert.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct resource_uri first, again;
static char host[3 * TARGET_HOST_MAX + 8], path[3 * TARGET_PATH_MAX + 8];
static char uri[sizeof host + sizeof path + 16];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct failure why;
    if (resource_uri_parse(slice_of(data, size), &first, &why) != 0) {
        assert(why.error && why.text[0]);
        return 0;
    }
    if (first.kind == RESOURCE_HOSTS || first.kind == RESOURCE_VIEWER)
        return 0;
    assert(first.target.host[0] && first.target.path[0] == '/');
    assert(!strstr(first.target.path, "/..") && !strpbrk(first.name, "/; $`'\"\n%"));
    assert(first.name[0] != '-');
    if (first.kind != RESOURCE_PATH)
        return 0;
    assert(resource_uri_encode(slice_str(first.target.host), false, host, sizeof host));
    assert(resource_uri_encode(slice_str(first.target.path), true, path, sizeof path));
    int len = snprintf(uri, sizeof uri, "scout://%s%s", host, path);
    if (len > RESOURCE_URI_MAX)
        return 0;
    assert(resource_uri_parse(slice_str(uri), &again, &why) == 0);
    assert(strcmp(again.target.host, first.target.host) == 0);
    return 0;
}
