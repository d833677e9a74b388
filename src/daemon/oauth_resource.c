/* The resource is named by the audience that tokens must be for, which is what RFC 8707 makes of
 * it, and never by what a request says of its host: a client compares the two. */
#include "oauth_resource.h"

#include "jwt.h"
#include "scout/base/json_write.h"
#include <stdio.h>
#include <string.h>

/* The part behind the scheme, or NULL. */
static const char *behind_scheme(const char *url)
{
    static const char *const schemes[] = {"https://", "http://localhost", "http://127.0.0.1",
                                          "http://[::1]"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i]);
        if (strncmp(url, schemes[i], len) != 0)
            continue;
        if (i == 0)
            return url + len;
        return strchr(":/,", url[len]) ? url + strlen("http://") : NULL; /* the end, too */
    }
    return NULL;
}

/* Characters that URLs may have, but for those that begin a query, a fragment or a user's end. */
static bool is_url(const char *text, size_t len)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "-._~:/!$&'()*+;=%[]";
    const char *host = behind_scheme(text);
    return host && host < text + len && *host != '/' && *host != ':' &&
           strspn(text, allowed) >= len;
}

int oauth_resource_check(const char *resource, const char *servers, struct failure *why)
{
    static const char what[] = "https, or http at this machine, without a query, a fragment or a "
                               "user";
    if (!is_url(resource, strlen(resource)) || strlen(resource) > OAUTH_RESOURCE_MAX)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "With oauth_authorization_servers, jwt_audience must be the URL of this "
                           "server's endpoint of up to %d bytes (%s), not '%.100s'",
                           OAUTH_RESOURCE_MAX, what, resource);
    for (const char *at = servers; *at; at += strspn(at, ", ")) {
        size_t len = strcspn(at, ", ");
        if (!is_url(at, len))
            return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                               "oauth_authorization_servers must be URLs with commas between them "
                               "(%s), not '%.*s'",
                               what, len < 100 ? (int)len : 100, at);
        at += len;
    }
    return 0;
}

int oauth_resource_write(const char *resource, const char *servers, struct buf *out)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "resource");
    json_str(&w, resource);
    json_key(&w, "authorization_servers");
    json_array_begin(&w);
    for (const char *at = servers; *at; at += strspn(at, ", ")) {
        size_t len = strcspn(at, ", ");
        json_text(&w, slice_of(at, len));
        at += len;
    }
    json_array_end(&w);
    json_key(&w, "scopes_supported");
    json_array_begin(&w);
    json_str(&w, JWT_OPERATOR);
    json_array_end(&w);
    json_key(&w, "bearer_methods_supported");
    json_array_begin(&w);
    json_str(&w, "header");
    json_array_end(&w);
    json_key(&w, "resource_name");
    json_str(&w, "scoutd");
    json_object_end(&w);
    return json_writer_end(&w);
}

void oauth_resource_url(const char *resource, char out[OAUTH_URL_MAX])
{
    const char *host = strstr(resource, "://") + 3;
    size_t host_len = strcspn(host, "/");
    const char *path = host + host_len;
    snprintf(out, OAUTH_URL_MAX, "%.*s" OAUTH_RESOURCE_PATH "%s", (int)(host + host_len - resource),
             resource, strcmp(path, "/") == 0 ? "" : path);
}
