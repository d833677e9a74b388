/* Making requests up and spoiling them. What is put in is mostly what readers quarrel about: line
 * ends, blanks, lengths, codings, beginnings of requests. */
#include "http_mutate.h"

#include "http_account.h"
#include "random.h"

#define MUTATED_MAX 60000 /* bytes; longer ones are not made longer still */
#define WORD(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)text, sizeof(text) - 1                                                    \
    }
#define COUNT(list) (sizeof list / sizeof list[0])

static const struct slice words[] = {
    WORD("\r\n"),
    WORD("\n"),
    WORD("\r"),
    WORD("\r\n\r\n"),
    WORD("\n\n"),
    WORD("\r\r\n"),
    WORD("\n\r"),
    WORD(" "),
    WORD("\t"),
    WORD("  "),
    WORD("\r\n "),
    WORD("\r\n\t"),
    WORD("\0"),
    WORD("\v"),
    WORD("\f"),
    WORD("\x7f"),
    WORD("\x80"),
    WORD("\xa0"),
    WORD("\xff"),
    WORD(":"),
    WORD(" :"),
    WORD("::"),
    WORD(","),
    WORD(";"),
    WORD(";a=b"),
    WORD("\""),
    WORD("0"),
    WORD("1"),
    WORD("00"),
    WORD("0x"),
    WORD("+"),
    WORD("-"),
    WORD("_"),
    WORD("f"),
    WORD("ffffffff"),
    WORD("00000000"),
    WORD("0\r\n\r\n"),
    WORD("1\r\nx\r\n"),
    WORD("5\r\n"),
    WORD("chunked"),
    WORD("CHUNKED"),
    WORD("identity"),
    WORD("gzip"),
    WORD("close"),
    WORD("keep-alive"),
    WORD("upgrade"),
    WORD("Transfer-Encoding: chunked\r\n"),
    WORD("Transfer-Encoding"),
    WORD("Content-Length: 5\r\n"),
    WORD("Content-Length: 0\r\n"),
    WORD("Content-Length"),
    WORD("Connection: close\r\n"),
    WORD("Connection: "),
    WORD("Proxy-Connection: close\r\n"),
    WORD("Upgrade: h2c\r\n"),
    WORD("Expect: 100-continue\r\n"),
    WORD("Host: b\r\n"),
    WORD("GET "),
    WORD("POST "),
    WORD("CONNECT "),
    WORD("PRI "),
    WORD("/"),
    WORD("*"),
    WORD("?"),
    WORD("#"),
    WORD("http://a/"),
    WORD(" HTTP/1.1\r\n"),
    WORD("HTTP/1.0"),
    WORD("HTTP/1.1"),
    WORD("HTTP/2.0"),
    WORD("GET / HTTP/1.1\r\nHost: c\r\n\r\n"),
};

/* Headers that may stand anywhere in a head. */
static const struct slice headers[] = {
    WORD("X: a\r\n"),
    WORD("x-b:c\r\n"),
    WORD("Y:\r\n"),
    WORD("Z: \t a \t b \t \r\n"),
    WORD("!#$%&'*+-.^_`|~: :\r\n"),
    WORD("Accept: a, b;q=0\r\n"),
    WORD("Connection: a\r\n"),
    WORD("Connection: close\r\n"),
    WORD("Connection: keep-alive\r\n"),
    WORD("Connection: keep-alive ,\tupgrade, \r\n"),
    WORD("CONNECTION:close , a\r\n"),
    WORD("Connection: Close\t\r\n"),
    WORD("Connection:\tclose,close\r\n"),
    WORD("Connection: closed\r\n"),
    WORD("Connection: a close\r\n"),
    WORD("Upgrade: a/1\r\n"),
    WORD("Keep-Alive: timeout=5\r\n"),
    WORD("Proxy-Connection: keep-alive\r\n"),
    WORD("TE: trailers, chunked\r\n"),
    WORD("Trailer: X\r\n"),
    WORD("Content-Lengths: 9\r\n"),
    WORD("Content-Length-: 9\r\n"),
    WORD("XTransfer-Encoding: chunked\r\n"),
    WORD("Cookie: a=\"b\"\r\n"),
    WORD("X: \"\r\n"),
    WORD("X: ,;=(){}[]<>@\\/\r\n"),
};

static const char *const methods[] = {"GET",    "POST",  "PUT",     "PATCH", "POST", "HEAD",
                                      "DELETE", "TRACE", "OPTIONS", "POST",  "GET",  "SEARCH"};

static void add_target(struct buf *out, uint64_t *random)
{
    static const char bytes[] = "/abcXYZ019-._~!$&'()*+,;=:@%?[]";
    account_add(out, slice_str("/"));
    for (size_t len = random_below(random, 24); len > 0; len--)
        account_add(out, slice_of(bytes + random_below(random, sizeof bytes - 1), 1));
}

static void add_byte(struct buf *out, uint64_t *random)
{
    static const char bytes[] = "\r\n\0 :/0aGET";
    uint8_t any = (uint8_t)random_next(random);
    if (random_below(random, 2))
        any = (uint8_t)bytes[random_below(random, sizeof bytes - 1)];
    account_add(out, slice_of(&any, 1));
}

static void add_text(struct buf *out, const char *fmt, size_t number)
{
    if (buf_printf(out, fmt, number))
        buf_clear(out);
}

static void add_blanks(struct buf *out, uint64_t *random)
{
    while (random_below(random, 3) == 0)
        account_add(out, slice_str(random_below(random, 4) ? " " : "\t"));
}

static void add_chunks(struct buf *out, uint64_t *random)
{
    static const char *const sizes[] = {"%zx\r\n", "%zX\r\n", "%04zx\r\n", "%08zX\r\n"};
    for (size_t chunks = random_below(random, 4); chunks > 0; chunks--) {
        size_t len = 1 + random_below(random, random_below(random, 6) ? 20 : 300);
        add_text(out, sizes[random_below(random, COUNT(sizes))], len);
        while (len-- > 0)
            add_byte(out, random);
        account_add(out, slice_str("\r\n"));
    }
    account_add(out, slice_str(random_below(random, 6) ? "0\r\n\r\n" : "000\r\n\r\n"));
}

static void add_some_headers(struct buf *out, uint64_t *random)
{
    for (size_t n = random_below(random, 4); n > 0; n--)
        account_add(out, headers[random_below(random, COUNT(headers))]);
}

/* The header that frames the body, if there is one: chunks, or `len` bytes. */
static void add_framing(struct buf *out, bool chunked, size_t len, uint64_t *random)
{
    static const char *const names[] = {
        "Content-Length:", "content-LENGTH:", "Transfer-Encoding:", "TRANSFER-encoding:"};
    account_add(out, slice_str(names[2 * chunked + random_below(random, 2)]));
    add_blanks(out, random);
    if (chunked)
        account_add(out, slice_str(random_below(random, 2) ? "chunked" : "Chunked"));
    else
        add_text(out, "%zu", len);
    add_blanks(out, random);
    account_add(out, slice_str("\r\n"));
}

void http_random_request(struct buf *out, uint64_t *random)
{
    const char *method = methods[random_below(random, COUNT(methods))];
    bool has_body = method[0] == 'P', chunked = has_body && random_below(random, 2);
    size_t len = has_body ? random_below(random, 40) : 0;
    account_add(out, slice_str(method));
    account_add(out, slice_str(" "));
    add_target(out, random);
    account_add(out, slice_str(" HTTP/1.1\r\n"));
    add_some_headers(out, random);
    account_add(out, slice_str(random_below(random, 2) ? "Host: a.b:80\r\n" : "HOST:[::1]\r\n"));
    add_some_headers(out, random);
    if (has_body || random_below(random, 4) == 0)
        add_framing(out, chunked, len, random);
    add_some_headers(out, random);
    account_add(out, slice_str("\r\n"));
    if (chunked)
        add_chunks(out, random);
    while (!chunked && len-- > 0)
        add_byte(out, random);
}

/* bytes[from, to) gives way to `with`. */
static void replace(struct buf *bytes, size_t from, size_t to, struct slice with)
{
    struct buf out;
    buf_init(&out, ACCOUNT_TEXT_MAX);
    struct slice old = buf_peek(bytes);
    account_add(&out, slice_of(old.data, from));
    account_add(&out, with);
    account_add(&out, slice_skip(old, to));
    buf_swap(bytes, &out);
    buf_fini(&out);
}

/* Where a line begins, at or behind `from`; the end when there is none. */
static size_t line_start(struct slice bytes, size_t from)
{
    while (from < bytes.len && (from == 0 || bytes.data[from - 1] != '\n'))
        from++;
    return from < bytes.len ? from : bytes.len;
}

static void mutate_once(struct buf *bytes, uint64_t *random)
{
    struct slice old = buf_peek(bytes);
    size_t at = random_below(random, old.len + 1), left = old.len - at;
    size_t span = random_below(random, (left < 40 ? left : 40) + 1);
    size_t line = line_start(old, at), next = line_start(old, line + 1);
    uint8_t byte = (uint8_t)random_next(random);
    switch (random_below(random, 9)) {
    case 0: /* any byte for another */
        replace(bytes, at, at + (left > 0), slice_of(&byte, 1));
        break;
    case 1: /* one bit */
        if (left > 0) {
            byte = (uint8_t)(old.data[at] ^ 1u << random_below(random, 8));
            replace(bytes, at, at + 1, slice_of(&byte, 1));
        }
        break;
    case 2:
        replace(bytes, at, at + span, slice_of("", 0));
        break;
    case 3:
        replace(bytes, at, at, slice_of(old.data + at, span));
        break;
    case 4: /* a line again, elsewhere */
        replace(bytes, line, line, slice_of(old.data + line, next - line));
        break;
    case 5: /* a header more */
        replace(bytes, line, line, headers[random_below(random, COUNT(headers))]);
        break;
    case 6:
        replace(bytes, at, at + span, words[random_below(random, COUNT(words))]);
        break;
    default:
        replace(bytes, at, at, words[random_below(random, COUNT(words))]);
    }
}

void http_mutate(struct buf *bytes, uint64_t *random)
{
    for (size_t n = 1 + random_below(random, 4); n > 0 && buf_len(bytes) < MUTATED_MAX; n--)
        mutate_once(bytes, random);
}
