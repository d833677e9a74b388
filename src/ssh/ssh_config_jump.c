/* ProxyJump: from `a,b,c` to the hosts that it leads through.
 *
 * As in OpenSSH, the last one is the host to go through, and all before it are what its own
 * ProxyJump would be, whatever its configuration says; so only the first one's own ProxyJump (or
 * ProxyCommand) counts. Each is resolved by its name, like any host, with the user and the port
 * that are said here.
 *
 * Which hosts that leads through is kept on the stack, from the one at hand to the target: a host
 * that comes twice would lead round and round. */
#include "ssh_config_private.h"

#include <stdio.h>
#include <stdlib.h>

#define WAY_MAX 400 /* bytes of a way in a message */

/* [user@]host[:port], taken apart in place; its form was checked when it was read, but for what
 * tokens brought in. */
static bool take_apart(char *text, struct config_hop *hop)
{
    static const char scheme[] = "ssh://";
    bool is_uri = strncmp(text, scheme, sizeof scheme - 1) == 0;
    text += is_uri ? sizeof scheme - 1 : 0;
    if (is_uri)
        text[strcspn(text, "/")] = '\0';
    char *at = strrchr(text, '@');
    if (at) {
        *at = '\0';
        hop->user = text;
        text = at + 1;
    }
    char *end = text[0] == '[' ? strchr(++text, ']') : NULL;
    char *colon = strchr(end ? end : text, ':');
    if (end)
        *end = '\0';
    /* An IPv6 address without brackets is one as a whole. */
    if (colon && !end && strchr(colon + 1, ':'))
        colon = NULL;
    if (colon) {
        *colon = '\0';
        hop->port = (uint32_t)strtoul(colon + 1, NULL, 10);
    }
    hop->name = text;
    return text[0] != '\0' && text[0] != '-' && hop->port <= UINT16_MAX &&
           (!hop->user || hop->user[0]);
}

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same(const struct config_hop *a, const struct config_hop *b)
{
    return strcmp(a->name, b->name) == 0 && a->port == b->port && is_same_text(a->user, b->user) &&
           is_same_text(a->before, b->before);
}

/* "target -> c -> b", from the hop that was met last. */
static void write_way(const struct config_hop *hop, char *out, size_t size)
{
    const struct config_hop *hops[SSH_CONFIG_HOPS_MAX + 2];
    size_t count = 0, len = 0;
    for (; hop && count < sizeof hops / sizeof hops[0]; hop = hop->towards)
        hops[count++] = hop;
    out[0] = '\0';
    while (count > 0 && len < size) {
        count--;
        len +=
            (size_t)snprintf(out + len, size - len, "%s%s", len ? " -> " : "", hops[count]->name);
    }
}

static int check_way(const struct config_hop *hop, struct failure *why)
{
    char way[WAY_MAX];
    uint32_t count = 0;
    const struct config_hop *target = hop;
    bool again = false;
    for (const struct config_hop *h = hop->towards; h; h = h->towards) {
        again = again || is_same(h, hop);
        target = h;
        count++;
    }
    write_way(hop, way, sizeof way);
    if (again)
        return failure_set(why, SCOUT_E_HOST_REFUSED,
                           "Host %s is refused: its ProxyJump leads in a circle: %s", target->name,
                           way);
    if (count > SSH_CONFIG_HOPS_MAX)
        return failure_set(why, SCOUT_E_HOST_REFUSED,
                           "Host %s is refused: its ProxyJump leads through more than %d hosts: %s",
                           target->name, SSH_CONFIG_HOPS_MAX, way);
    return 0;
}

static int resolve_hop(const struct ssh_config *c, const struct config_hop *hop, struct ssh_host *h,
                       struct failure *why)
{
    struct config_walk w;
    const struct config_directive said = {.file = CONFIG_NONE, .word_count = 1};
    struct config_preset preset = {said, said, said};
    struct failure reason;
    preset.user.slot = CONFIG_USER;
    preset.user.words = hop->user;
    preset.port.slot = CONFIG_PORT;
    preset.port.words = hop->port ? "" : NULL;
    preset.port.number = hop->port;
    preset.jump.slot = CONFIG_PROXY_JUMP;
    preset.jump.words = hop->before;
    w.refusals = NULL;
    w.preset = &preset;
    h->via = calloc(1, sizeof *h->via);
    if (!h->via)
        return failure_set(why, SCOUT_E_NOMEM, "No memory to look up %s", hop->name);
    int error = config_resolve(&w, c, hop->name, hop, h->via, &reason);
    if (!error)
        return 0;
    *why = reason;
    return error;
}

int config_jump(const struct ssh_config *c, const char *spec, const struct config_tokens *tokens,
                const struct config_hop *towards, struct ssh_host *h, struct failure *why)
{
    char text[SSH_CONFIG_COMMAND_MAX];
    const char *wrong = config_expand(spec, CONFIG_TOKENS_PROXY, false, tokens, text, sizeof text);
    if (wrong)
        return failure_set(why, SCOUT_E_HOST_REFUSED, "Host %s is refused: ProxyJump %.128s: %s",
                           h->name, spec, wrong);
    char *comma = strrchr(text, ',');
    struct config_hop hop = {.towards = towards};
    if (comma)
        *comma = '\0';
    if (!take_apart(comma ? comma + 1 : text, &hop))
        return failure_set(why, SCOUT_E_HOST_REFUSED, "Host %s is refused: bad ProxyJump '%.128s'",
                           h->name, spec);
    hop.before = comma ? text : NULL;
    int error = check_way(&hop, why);
    return error ? error : resolve_hop(c, &hop, h, why);
}
