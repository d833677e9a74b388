/* One table says which options there are, what they take and what they do: it is the parser's and
 * the help's. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { FLAG, NUMBER, TEXT };

struct row {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct light_options, of flags and numbers */
    unsigned long max;
    const char *help;
};

#define AT(field) offsetof(struct light_options, field)
#define MS_MAX    3600000

enum { ROW_LISTEN, ROW_HOST_KEY, ROW_AUTHORIZED, ROW_EXEC, ROW_PASSWORD, ROW_CODE };

static const struct row rows[] = {
    [ROW_LISTEN] = {"listen", TEXT, 0, 0, "ADDR:PORT: listens there; port 0 takes a free one"},
    [ROW_HOST_KEY] = {"host-key", TEXT, 0, 0, "FILE: the private key; else a new Ed25519 one"},
    [ROW_AUTHORIZED] = {"authorized", TEXT, 0, 0, "FILE: a public key that may log in"},
    [ROW_EXEC] = {"exec", TEXT, 0, 0, "builtin|real: real runs commands with /bin/sh"},
    [ROW_PASSWORD] = {"password", TEXT, 0, 0, "TEXT: lets in, by the method password"},
    [ROW_CODE] = {"code", TEXT, 0, 0,
                  "TEXT: is asked for after the password, in keyboard-interactive"},
    {"key-first", FLAG, AT(key_first), 0, "a key is only the first step, then comes one of these"},
    {"addresses", NUMBER, AT(addresses), LIGHT_ADDRESSES_MAX, "N: 127.9.0.1 and on, one port"},
    {"port", NUMBER, AT(port), 65535, "P: that of --addresses"},
    {"any-key", FLAG, AT(any_key), 0, "whoever has a key may log in"},
    {"print-known-hosts", FLAG, AT(print_known_hosts), 0, "a known_hosts line for each listener"},
    {"stats", FLAG, AT(stats), 0, "counters as JSON on SIGUSR1 and at the end"},
    {"accept-delay-ms", NUMBER, AT(accept_delay_ms), MS_MAX, "before connections are accepted"},
    {"banner-delay-ms", NUMBER, AT(banner_delay_ms), MS_MAX, "between accepting and the banner"},
    {"kex-stall", FLAG, AT(kex_stall), 0, "banner and KEXINIT, then not a byte more"},
    {"garbage-banner", FLAG, AT(garbage_banner), 0, "bytes that are no banner, then silence"},
    {"auth-delay-ms", NUMBER, AT(auth_delay_ms), MS_MAX, "each answer about authentication"},
    {"auth-refuse", FLAG, AT(auth_refuse), 0, "nobody is let in"},
    {"channel-delay-ms", NUMBER, AT(channel_delay_ms), MS_MAX, "each channel's opening"},
    {"exec-delay-ms", NUMBER, AT(exec_delay_ms), MS_MAX, "each request on a channel"},
    {"reply-delay-ms", NUMBER, AT(reply_delay_ms), MS_MAX, "each answer of SFTP"},
    {"spin-us", NUMBER, AT(spin_us), 1000, "before a delay is over, no sleep: it is exact then"},
    {"max-sessions", NUMBER, AT(max_sessions), LIGHT_CHANNELS_MAX, "N: channels of a connection"},
    {"no-sftp", FLAG, AT(no_sftp), 0, "the subsystem is refused"},
    {"drop-after-requests", NUMBER, AT(drop_after_requests), 1000000000,
     "N: closes the TCP connection behind its Nth channel request"},
    {"never-close", FLAG, AT(never_close), 0, "channels are never closed by the server"},
};

#define ROWS (sizeof rows / sizeof rows[0])

static void help(void)
{
    printf("lightsshd [--OPTION [VALUE]]...\n");
    for (size_t i = 0; i < ROWS; i++)
        printf("  --%-22s %s\n", rows[i].name, rows[i].help);
    exit(0);
}

static void wrong(const char *what)
{
    fprintf(stderr, "lightsshd: wrong argument: %s; see --help\n", what);
    exit(2);
}

static void take_number(struct light_options *o, const struct row *r, const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || number > r->max)
        wrong(r->name);
    memcpy((char *)o + r->offset, &number, sizeof number);
}

static void take_text(struct light_options *o, size_t row, const char *text)
{
    if (row == ROW_LISTEN && o->listen_count < LIGHT_LISTEN_MAX)
        o->listen[o->listen_count++] = text;
    else if (row == ROW_AUTHORIZED && o->authorized_count < LIGHT_AUTHORIZED_MAX)
        o->authorized[o->authorized_count++] = text;
    else if (row == ROW_PASSWORD)
        o->password = text;
    else if (row == ROW_CODE)
        o->code = text;
    else if (row == ROW_HOST_KEY)
        o->host_key = text;
    else if (row == ROW_EXEC && (strcmp(text, "real") == 0 || strcmp(text, "builtin") == 0))
        o->exec_real = text[0] == 'r';
    else
        wrong(rows[row].name);
}

void options_parse(struct light_options *o, int argc, char **argv)
{
    struct option longs[ROWS + 2] = {{0}};
    for (size_t i = 0; i < ROWS; i++)
        longs[i] = (struct option){rows[i].name, rows[i].kind != FLAG, NULL, (int)i + 1};
    longs[ROWS] = (struct option){"help", 0, NULL, (int)ROWS + 1};
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (got == (int)ROWS + 1)
            help();
        if (got < 1 || got > (int)ROWS)
            wrong(argv[optind - 1]);
        const struct row *r = &rows[got - 1];
        if (r->kind == FLAG)
            memcpy((char *)o + r->offset, &(bool){true}, sizeof(bool));
        else if (r->kind == NUMBER)
            take_number(o, r, optarg);
        else
            take_text(o, (size_t)got - 1, optarg);
    }
    if (optind != argc)
        wrong(argv[optind]);
    if (!o->listen_count && !o->addresses)
        o->listen[o->listen_count++] = "127.0.0.1:0";
    if (!o->any_key && !o->authorized_count && !o->auth_refuse && !o->password)
        wrong("--authorized FILE, --any-key, --password TEXT or --auth-refuse is needed");
}
