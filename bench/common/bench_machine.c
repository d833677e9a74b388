/* On what a figure was measured: processors, kernel, and their model. A figure without its machine
 * says nothing, so each report carries these. Where the machine does not tell, the text is
 * "unknown"; nothing here can fail. */
#include "bench.h"

#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

static void read_model(char *out, size_t size)
{
    char line[256];
    snprintf(out, size, "unknown");
    FILE *f = fopen("/proc/cpuinfo", "re");
    if (!f)
        return;
    while (fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon)
            continue;
        colon += strspn(colon, ": \t");
        colon[strcspn(colon, "\n")] = '\0';
        snprintf(out, size, "%.*s", (int)size - 1, colon);
        break;
    }
    fclose(f);
}

void bench_machine_read(struct bench_machine *m)
{
    struct utsname u;
    m->cpus = sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(m->kernel, sizeof m->kernel, "%.*s", (int)sizeof m->kernel - 1,
             uname(&u) == 0 ? u.release : "unknown");
    read_model(m->model, sizeof m->model);
}
