/* The configuration file: any bytes. Either it is refused with a message that names the file, or
 * what it says can be described, and its policy asked. */
#include "settings.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void use(const struct settings *s)
{
    static const struct identity who = {.name = "uid:1", .role = ROLE_READER};
    char line[8192];
    struct buf text;
    for (size_t key = 0; key < SETTINGS_KEY_COUNT; key++)
        settings_describe(s, key, "f", line, sizeof line);
    buf_init(&text, 4u << 20);
    (void)!policy_describe(s->policy, &text);
    buf_fini(&text);
    /* The role may look at hosts, whatever file was read, unless a rule says otherwise. */
    uint32_t possible = policy_possible(s->policy, &who, POLICY_LOOKS | POLICY_EFFECTS);
    assert((possible & ~(POLICY_LOOKS | POLICY_EFFECTS)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct settings settings;
    struct failure why = {0};
    char path[32];
    int fd = memfd_create("settings", MFD_CLOEXEC);
    if (fd < 0 || len > SETTINGS_FILE_MAX || write(fd, data, len) != (ssize_t)len) {
        close(fd);
        return 0;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    memset(&settings, 0, sizeof settings);
    int error = settings_load(&settings, path, true, "/home/u", &why);
    assert(!error == (settings.policy != NULL));
    if (error)
        assert(strstr(why.text, path));
    else
        use(&settings);
    policy_free(settings.policy);
    close(fd);
    return 0;
}
