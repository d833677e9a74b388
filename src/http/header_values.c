/* Host, Origin and Last-Event-ID. What is doubtful names nothing: it then is refused by who asked.
 */
#include "scout/http/header_values.h"

#include <strings.h>

#define DIGITS_MAX 19 /* they fit 64 bits */

static bool is_port(struct slice rest)
{
    if (rest.len == 0)
        return true;
    if (rest.data[0] != ':')
        return false;
    for (size_t i = 1; i < rest.len; i++)
        if (rest.data[i] < '0' || rest.data[i] > '9')
            return false;
    return true;
}

struct slice http_host_name(struct slice host)
{
    const struct slice none = {NULL, 0};
    bool bracketed = host.len > 0 && host.data[0] == '[';
    const uint8_t *end = host.len ? memchr(host.data, bracketed ? ']' : ':', host.len) : NULL;
    if (bracketed && !end)
        return none;
    size_t len = end ? (size_t)(end - host.data) : host.len;
    if (!is_port(slice_skip(host, len + bracketed)))
        return none;
    return bracketed ? slice_of(host.data + 1, len - 1) : slice_of(host.data, len);
}

bool http_origin_is(struct slice origin, struct slice host)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i]);
        if (origin.len > len && origin.len - len == host.len &&
            strncasecmp((const char *)origin.data, schemes[i], len) == 0)
            return strncasecmp((const char *)origin.data + len, (const char *)host.data,
                               host.len) == 0;
    }
    return false;
}

bool http_event_id_parse(struct slice id, uint64_t *stream, uint64_t *number)
{
    uint64_t value[2] = {0, 0};
    size_t digits = 0, which = 0;
    for (size_t i = 0; i < id.len; i++) {
        if (id.data[i] == '-' && which == 0 && digits > 0) {
            which = 1;
            digits = 0;
        } else if (id.data[i] >= '0' && id.data[i] <= '9' && digits < DIGITS_MAX) {
            value[which] = value[which] * 10 + (uint64_t)(id.data[i] - '0');
            digits++;
        } else {
            return false;
        }
    }
    if (which != 1 || digits == 0)
        return false;
    *stream = value[0];
    *number = value[1];
    return true;
}
