/* Assertions of libssh2, turned from the end of the process into the end of one session.
 *
 * libssh2 (1.10 and 1.11, and distributions build it with assertions) believes a packet's length
 * before it has checked the packet's MAC, and asserts that it is a multiple of the cipher's block:
 * one bit that changes on the way, or a host that wills it, would end the daemon. Nothing that we
 * could look at tells such a packet beforehand, since its length is encrypted.
 *
 * So the process has its own __assert_fail (the C library's function behind assert; a definition in
 * the program goes before the library's). An assertion in libssh2 while a guard is set jumps back
 * to it; any other prints and aborts as ever, ours among them. The jump leaves only frames of
 * libssh2, which hold no lock and nothing but what the session points to, and of session*.c, which
 * never call libssh2 with a change half done.
 *
 * assert takes no context, hence the thread-local pointer; it is set only during session_guard. */
#include "session_guard.h"

#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct guard {
    jmp_buf jump;
    struct guard *outer;
};

static _Thread_local struct guard *innermost;

static bool is_in_libssh2(void *address)
{
    Dl_info info;
    return dladdr(address, &info) != 0 && info.dli_fname && strstr(info.dli_fname, "libssh2.so");
}

/* As assert.h declares it. */
extern void __assert_fail(const char *assertion, const char *file, unsigned line,
                          const char *function) __attribute__((noreturn, nothrow));

void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function)
{
    if (innermost && is_in_libssh2(__builtin_return_address(0)))
        longjmp(innermost->jump, 1);
    fprintf(stderr, "%s: %s:%u: %s: Assertion `%s' failed.\n", program_invocation_short_name, file,
            line, function, assertion);
    abort();
}

bool session_guard(void (*run)(void *context), void *context)
{
    struct guard guard = {.outer = innermost};
    innermost = &guard;
    bool whole = setjmp(guard.jump) == 0;
    if (whole)
        run(context);
    innermost = guard.outer;
    return whole;
}
