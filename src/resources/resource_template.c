/* A template is one of the catalog's behind a host, or behind {host}. */
#include "resource_template.h"

#include "resource_catalog.h"
#include "scout/resources/resource_uri.h"
#include <stdio.h>

static const struct {
    const char *name, *text;
    enum template_variable variable;
} variables[] = {
    {"host", "{host}", TEMPLATE_HOST},          {"path", "{path*}", TEMPLATE_PATH},
    {"path*", "{path*}", TEMPLATE_PATH},        {"container", "{container}", TEMPLATE_CONTAINER},
    {"project", "{project}", TEMPLATE_PROJECT}, {"pool", "{pool}", TEMPLATE_POOL},
};

int template_variable_of(const char *name)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (strcmp(variables[i].name, name) == 0)
            return (int)variables[i].variable;
    return -1;
}

static bool has(const struct resource_table *table, const char *path)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->entries[i].path, path) == 0)
            return true;
    return false;
}

/* HOST/{path*}, where HOST may be {host}. */
static bool take_scout_form(const char *rest, struct resource_template *out)
{
    char uri[3 * TARGET_HOST_MAX + 32];
    struct resource_uri parsed;
    struct failure why;
    const char *slash = strchr(rest, '/');
    size_t len = slash ? (size_t)(slash - rest) : 0;
    if (!slash || strcmp(slash, "/{path*}") != 0 || len > 3 * TARGET_HOST_MAX)
        return false;
    if (len == 6 && memcmp(rest, "{host}", len) == 0)
        return true;
    snprintf(uri, sizeof uri, "scout://%.*s/", (int)len, rest);
    if (resource_uri_parse(slice_str(uri), &parsed, &why) != 0)
        return false;
    strcpy(out->host, parsed.target.host);
    return true;
}

bool resource_template_parse(const char *uri, struct resource_template *out)
{
    const char *end = strstr(uri, "://");
    size_t len = end ? (size_t)(end - uri) : 0;
    *out = (struct resource_template){.variables = 0};
    if (!end || len > TARGET_HOST_MAX)
        return false;
    const char *rest = end + 3;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (strstr(uri, variables[i].text))
            out->variables |= TEMPLATE_BIT(variables[i].variable);
    if (len == 5 && memcmp(uri, "scout", len) == 0)
        return take_scout_form(rest, out);
    out->is_scheme = true;
    if (len == 6 && memcmp(uri, "{host}", len) == 0)
        return has(&resource_template_catalog, rest) || has(&resource_catalog, rest);
    memcpy(out->host, uri, len);
    out->host[len] = '\0';
    return resource_uri_is_scheme(slice_str(out->host)) && has(&resource_template_catalog, rest);
}
