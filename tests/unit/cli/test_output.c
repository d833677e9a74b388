/* What a terminal gets to see of a hostile file, and that nothing is lost on the way to a pipe. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Neutralises with room for `size` bytes at a time and puts the pieces together. */
static char *neutralise(struct slice text, size_t size, char *out, size_t out_size)
{
    uint8_t piece[64];
    size_t len = 0;
    while (text.len) {
        size_t got = output_neutralise(&text, piece, size);
        assert_true(got > 0 && got <= size && len + got < out_size);
        memcpy(out + len, piece, got);
        len += got;
    }
    out[len] = '\0';
    return out;
}

static void check(const char *text, const char *expected)
{
    char out[512];
    for (size_t size = OUTPUT_SHOWN_MAX; size <= 64; size++)
        assert_string_equal(neutralise(slice_str(text), size, out, sizeof out), expected);
}

static void ordinary_text_stays(void **state)
{
    (void)state;
    check("plain\ttext\nwith caf\xc3\xa9, \xe2\x82\xac and \xf0\x9f\x98\x80\n",
          "plain\ttext\nwith caf\xc3\xa9, \xe2\x82\xac and \xf0\x9f\x98\x80\n");
}

static void escape_sequences_are_shown(void **state)
{
    (void)state;
    check("\x1b]0;title\x07", "\\u001b]0;title\\u0007");
    check("over\rwritten\b\x7f", "over\\u000dwritten\\u0008\\u007f");
    /* C1: CSI and OSC as one character each. */
    check("\xc2\x9b"
          "31m\xc2\x9d",
          "\\u009b31m\\u009d");
}

/* A name that reads as "exe.txt" and ends in "txt.exe". */
static void text_that_hides_or_turns_is_shown(void **state)
{
    (void)state;
    check("\xe2\x80\xae"
          "txt.exe",
          "\\u202etxt.exe");
    check("a\xe2\x80\x8b"
          "b\xef\xbb\xbf",
          "a\\u200bb\\ufeff");
    check("\xe2\x81\xa6x\xe2\x81\xa9", "\\u2066x\\u2069");
    check("a\xf3\xa0\x81\x81", "a\\udb40\\udc41"); /* a tag */
}

/* An 8-bit terminal takes a lone 0x9b for CSI. */
static void ill_formed_bytes_are_replaced(void **state)
{
    (void)state;
    check("\x9b"
          "31m",
          "\xef\xbf\xbd"
          "31m");
    check("\xe2\x82", "\xef\xbf\xbd");
    check("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void zero_bytes_are_shown(void **state)
{
    (void)state;
    char out[64];
    assert_string_equal(neutralise(slice_of("a\0b", 3), OUTPUT_SHOWN_MAX, out, sizeof out),
                        "a\\u0000b");
}

static void a_pipe_gets_the_bytes_exactly(void **state)
{
    (void)state;
    static const char text[] = "\x1b[31m\0\x9b end";
    int ends[2];
    char got[64];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(output_text(ends[1], slice_of(text, sizeof text)), 0);
    assert_int_equal(read(ends[0], got, sizeof got), sizeof text);
    assert_memory_equal(got, text, sizeof text);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(output_text(ends[1], slice_str("x")), EPIPE);
    close(ends[1]);
}

static void a_terminal_gets_the_text_neutralised(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    assert_int_equal(output_text(terminal, slice_str("\x1b[c")), 0);
    char got[64] = "";
    assert_int_equal(read(master, got, sizeof got - 1), 8);
    assert_string_equal(got, "\\u001b[c");
    close(terminal);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_text_stays),
        cmocka_unit_test(escape_sequences_are_shown),
        cmocka_unit_test(text_that_hides_or_turns_is_shown),
        cmocka_unit_test(ill_formed_bytes_are_replaced),
        cmocka_unit_test(zero_bytes_are_shown),
        cmocka_unit_test(a_pipe_gets_the_bytes_exactly),
        cmocka_unit_test(a_terminal_gets_the_text_neutralised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
