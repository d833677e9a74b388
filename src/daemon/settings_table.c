/* One row a key: what is said of a key is said here and nowhere else. */
#include "settings_table.h"

#include "scout/net/network.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SWITCH_WORDS 6 /* that a switch may have beside true and false */

#define ROW(name, field, value, what)                                                              \
    .key = name, .member = offsetof(struct settings, field), .preset = value, .kind = what
#define COUNT(name, value, low, high)                                                              \
    ROW(#name, name, value, SETTING_COUNT), .least = low, .greatest = high
#define SECONDS(name, value, low, high)                                                            \
    ROW(#name, name##_ns, value, SETTING_SECONDS), .least = low, .greatest = high
#define VARIABLE(name)  .variable = "SCOUT_" name
#define VARIABLES(name) .variable = "SCOUT_" name, .legacy = "MCP_CAT_" name
#define FIXED           .fixed = true

const struct setting settings_table[] = {
    {COUNT(max_file_size, "1048576", 1, 16777216), VARIABLES("MAX_FILE_SIZE")},
    {COUNT(max_client_bytes, "67108864", 1048576, 1099511627776)},
    {COUNT(max_connections, "100", 1, 100000), VARIABLE("MAX_POOL_SIZE"), FIXED},
    {COUNT(max_requests, "1024", 1, 100000), FIXED},
    {COUNT(max_queue, "4096", 1, 100000), FIXED},
    {COUNT(resource_hosts, "20", 0, 100000)},
    {SECONDS(watch_interval, "2", 0.1, 86400)},
    {COUNT(output_budget, "25000", TOOL_OUTPUT_MIN, TOOL_OUTPUT_MAX)},
    {SECONDS(call_timeout, "30", 0.1, 86400)},
    {SECONDS(detach_after, "45", 0, 86400)},
    {SECONDS(job_timeout, "3600", 1, 604800)},
    {SECONDS(command_timeout, "30", 0.1, 86400), VARIABLES("COMMAND_TIMEOUT")},
    {SECONDS(connect_timeout, "10", 0.1, 3600), FIXED},
    {SECONDS(idle_timeout, "60", 0, 86400), VARIABLES("IDLE_TIMEOUT"), FIXED},
    {SECONDS(ping_interval, "15", 0, 86400), FIXED},
    {SECONDS(ping_timeout, "10", 0.1, 3600), FIXED},
    {SECONDS(slow_threshold, "1", 0, 86400), VARIABLE("SLOW_THRESHOLD_MS"), .milliseconds = true},
    {ROW("agent", agent, "auto", SETTING_PATH), .words = "auto, none", FIXED},
    {ROW("known_hosts", known_hosts, "", SETTING_PATH), .words = "none", VARIABLE("KNOWN_HOSTS"),
     FIXED},
    {ROW("strict_host_key_checking", strict, "true", SETTING_SWITCH),
     VARIABLE("STRICT_HOST_KEY_CHECKING"), FIXED},
    {ROW("match_exec", match_exec, "no", SETTING_WORD), .words = "no, yes"},
    {ROW("allow_hosts", allow_hosts, "", SETTING_HOSTS), VARIABLE("ALLOWLIST")},
    {ROW("block_hosts", block_hosts, "", SETTING_HOSTS), VARIABLE("BLOCKLIST")},
    {ROW("role", role, "reader", SETTING_WORD), .words = "reader, operator", VARIABLE("ROLE")},
    {ROW("transfer_dir", transfer_dir, "", SETTING_PATH), VARIABLE("TRANSFER_DIR")},
    {SECONDS(transfer_idle_timeout, "60", 0.1, 86400)},
    {ROW("tokens", tokens, "", SETTING_PATH)},
    {ROW("enable_ui", enable_ui, "false", SETTING_SWITCH), .words = "1, yes, on, 0, no, off",
     VARIABLE("ENABLE_UI")},
    {ROW("tool_sets", tool_sets, "scout,files", SETTING_WORDS), .words = "scout, files",
     VARIABLE("TOOL_SETS")},
    {ROW("transport", transport, "stdio", SETTING_WORD), .words = "stdio, http",
     VARIABLE("TRANSPORT"), FIXED},
    {ROW("http_host", http_host, "127.0.0.1", SETTING_ADDRESS), VARIABLE("HTTP_HOST"), FIXED},
    {COUNT(http_port, "8000", 0, 65535), VARIABLE("HTTP_PORT"), FIXED},
    {ROW("http_names", http_names, "", SETTING_HOSTS)},
    {ROW("http_origins", http_origins, "", SETTING_HOSTS)},
    {ROW("http_proxies", http_proxies, "", SETTING_NETWORKS)},
    {COUNT(http_rate_per_minute, "60", 0, 1000000), VARIABLE("RATE_LIMIT_PER_MINUTE"),
     .below_is_least = true},
    {COUNT(http_rate_burst, "10", 1, 1000000), VARIABLE("RATE_LIMIT_BURST")},
    {ROW("jwks", jwks, "", SETTING_PATH)},
    {ROW("jwt_issuer", jwt_issuer, "", SETTING_HOSTS)},
    {ROW("jwt_audience", jwt_audience, "", SETTING_HOSTS)},
    {ROW("oauth_authorization_servers", oauth_servers, "", SETTING_HOSTS)},
    {ROW("tls_certificate", tls_certificate, "", SETTING_PATH)},
    {ROW("tls_key", tls_key, "", SETTING_PATH)},
    {ROW("tls_client_ca", tls_client_ca, "", SETTING_PATH)},
    {ROW("tls_client_crl", tls_client_crl, "", SETTING_PATH)},
    {ROW("tls_client_required", tls_client_required, "false", SETTING_SWITCH)},
    {COUNT(http_connections, "1024", 1, 65536), FIXED},
    {COUNT(http_address_connections, "256", 1, 65536), FIXED},
    {ROW("raw_output", raw_output, "owner", SETTING_WORD), .words = "owner, everyone, nobody"},
    {ROW("redact_defaults", redact_defaults, "true", SETTING_SWITCH)},
    {ROW("log_level", log_level, "info", SETTING_WORD), .words = "error, warn, info, debug",
     VARIABLE("LOG_LEVEL")},
};

/* ---- parsing ---- */

/* The index of `text` among the words, compared without case; -1: it is none of them. */
static int find_word(const char *words, const char *text)
{
    size_t len = strlen(text);
    for (int i = 0; words; i++) {
        if (strncasecmp(words, text, len) == 0 && len > 0 && (!words[len] || words[len] == ','))
            return i;
        words = strchr(words, ',');
        words = words ? words + 2 : NULL;
    }
    return -1;
}

static bool parse_number(const struct setting *row, const char *text, bool is_variable,
                         uint64_t *out, char *reason)
{
    const double scale = is_variable && row->milliseconds ? 1000 : 1;
    char *end;
    bool whole = row->kind == SETTING_COUNT, digits = text[strspn(text, "0123456789")] == '\0';
    double value = strtod(text, &end);
    if (is_variable && row->below_is_least && end != text && *end == '\0' && value < row->least) {
        *out = (uint64_t)row->least;
        return true;
    }
    if (end != text && *end == '\0' && (!whole || digits) && value >= row->least * scale &&
        value <= row->greatest * scale) {
        *out = (uint64_t)(whole ? value : value * 1e9 / scale + 0.5);
        return true;
    }
    const char *unit = whole ? "" : scale > 1 ? " milliseconds" : " seconds";
    snprintf(reason, SETTING_REASON_MAX, "must be from %.10g to %.10g%s, not '%s'",
             row->least * scale, row->greatest * scale, unit, text);
    return false;
}

/* Names that logs have elsewhere, too. */
static const char *known_word(const struct setting *row, const char *text)
{
    if (row->member != offsetof(struct settings, log_level))
        return text;
    return strcasecmp(text, "warning") == 0    ? "warn"
           : strcasecmp(text, "critical") == 0 ? "error"
                                               : text;
}

static bool parse_word(const struct setting *row, const char *text, void *out, char *reason)
{
    int index = find_word(row->words, known_word(row, text));
    if (index >= 0) {
        memcpy(out, &index, sizeof index);
        return true;
    }
    snprintf(reason, SETTING_REASON_MAX, "must be one of %s, not '%s'", row->words, text);
    return false;
}

static bool parse_words(const struct setting *row, const char *text, uint32_t *out, char *reason)
{
    uint32_t bits = 0;
    int index = 0;
    for (const char *at = text; index >= 0; at++) {
        char word[32];
        at += strspn(at, " ");
        size_t len = strcspn(at, ",");
        snprintf(word, sizeof word, "%.*s", (int)len, at);
        for (size_t n = strlen(word); n > 0 && word[n - 1] == ' ';)
            word[--n] = '\0';
        index = find_word(row->words, word);
        bits |= index >= 0 ? 1u << index : 0;
        at += len;
        if (*at == '\0')
            break;
    }
    if (index >= 0) {
        *out = bits;
        return true;
    }
    snprintf(reason, SETTING_REASON_MAX,
             "must be some of %s, with commas between them, not '%.64s'", row->words, text);
    return false;
}

/* Of the row's further words the first half means true, too. */
static bool parse_switch(const struct setting *row, const char *text, bool *out, char *reason)
{
    int word = find_word(row->words, text);
    bool is_true = strcasecmp(text, "true") == 0 || (word >= 0 && word < SWITCH_WORDS / 2);
    if (is_true || strcasecmp(text, "false") == 0 || word >= 0) {
        *out = is_true;
        return true;
    }
    snprintf(reason, SETTING_REASON_MAX, "must be true or false, not '%s'", text);
    return false;
}

static bool parse_path(const struct setting *row, const char *text, const char *home, char *out,
                       char *reason)
{
    bool at_home = strncmp(text, "~/", 2) == 0;
    if (find_word(row->words, text) >= 0 || (text[0] == '\0' && row->preset[0] == '\0')) {
        for (size_t i = 0; i <= strlen(text); i++)
            out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
        return true;
    }
    if ((text[0] == '/' || at_home) && strlen(text) + strlen(home) < SETTINGS_PATH_MAX) {
        snprintf(out, SETTINGS_PATH_MAX, "%s%s", at_home ? home : "", text + at_home);
        return true;
    }
    snprintf(reason, SETTING_REASON_MAX,
             "must be %s%san absolute path (or begin with ~/), not '%s'",
             row->words ? row->words : "", row->words ? ", or " : "", text);
    return false;
}

static bool parse_address(const char *text, char *out, char *reason)
{
    struct address address;
    if (strcasecmp(text, "localhost") == 0)
        text = "127.0.0.1";
    if (strlen(text) < SETTINGS_ADDRESS_MAX && address_parse(slice_str(text), &address)) {
        strcpy(out, text);
        return true;
    }
    snprintf(reason, SETTING_REASON_MAX, "must be an IP address or localhost, not '%.64s'", text);
    return false;
}

static bool parse_hosts(const char *text, char *out, char *reason)
{
    if (strlen(text) < SETTINGS_HOSTS_MAX) {
        strcpy(out, text);
        return true;
    }
    snprintf(reason, SETTING_REASON_MAX, "must have less than %u bytes", SETTINGS_HOSTS_MAX);
    return false;
}

static bool parse_networks(const char *text, char *out, char *reason)
{
    struct network_list list;
    struct slice wrong;
    if (strlen(text) >= SETTINGS_HOSTS_MAX)
        return parse_hosts(text, out, reason);
    if (network_list_parse(slice_str(text), &list, &wrong))
        return parse_hosts(text, out, reason);
    snprintf(reason, SETTING_REASON_MAX,
             "must be addresses or networks (10.0.0.0/8), %d at most, with commas between them, "
             "not '%.*s'",
             NETWORK_LIST_MAX, wrong.len < 64 ? (int)wrong.len : 64, (const char *)wrong.data);
    return false;
}

bool setting_parse(struct settings *s, const struct setting *row, const char *text,
                   bool is_variable, const char *home, char reason[SETTING_REASON_MAX])
{
    void *out = (char *)s + row->member;
    switch (row->kind) {
    case SETTING_COUNT:
    case SETTING_SECONDS:
        return parse_number(row, text, is_variable, out, reason);
    case SETTING_WORD:
        return parse_word(row, text, out, reason);
    case SETTING_WORDS:
        return parse_words(row, text, out, reason);
    case SETTING_SWITCH:
        return parse_switch(row, text, out, reason);
    case SETTING_PATH:
        return parse_path(row, text, home, out, reason);
    case SETTING_ADDRESS:
        return parse_address(text, out, reason);
    case SETTING_NETWORKS:
        return parse_networks(text, out, reason);
    case SETTING_HOSTS:
        return parse_hosts(text, out, reason);
    }
    return false;
}
