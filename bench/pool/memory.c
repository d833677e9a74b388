/* --mode memory: what an idle connection holds, and what that is made of.
 *
 * Resident memory and the allocator's own account, before and after many connections that are then
 * idle; some are made first, so that what is paid once is in neither. The parts: what libssh2 holds
 * (our allocator counts it), our own structs by their size, and the rest: buffers, handles, the
 * destination's strings. The kernel's socket buffers are in none of it. The private headers are
 * included for those sizes only. */
#include "bench.h"
#include "hosts.h"
#include "pool/connection.h"
#include "ssh/session_state.h"
#include <malloc.h>
#include <stdlib.h>

#define FIRST       16 /* connections that pay what is paid once */
#define AT_ONE_TIME 64
#define KIB         1024.0

struct reading {
    double rss, heap;
};

static struct reading read_memory(void)
{
    struct reading r = {0, 0};
    char line[256];
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmRSS:", 6) == 0)
            r.rss = strtod(line + 6, NULL) * KIB;
    if (f)
        fclose(f);
    struct mallinfo2 m = mallinfo2();
    r.heap = (double)(m.uordblks + m.hblkhd);
    return r;
}

static double libssh2_bytes(const struct hosts *h)
{
    double sum = 0;
    for (uint32_t i = FIRST; i < h->count; i++)
        sum += (double)((const struct session *)pool_engine(&h->list[i].use))->memory_len;
    return sum;
}

static void report(struct reading before, struct reading after, double libssh2, uint32_t count)
{
    double heap = (after.heap - before.heap) / count;
    double structs = sizeof(struct pool_connection) + sizeof(struct session);
    libssh2 /= count;
    printf("rss_kib %.2f\n", (after.rss - before.rss) / count / KIB);
    printf("heap_kib %.2f\n", heap / KIB);
    printf("heap_kib.libssh2 %.2f\n", libssh2 / KIB);
    printf("heap_kib.structs %.2f\n", structs / KIB);
    printf("heap_kib.rest %.2f\n", (heap - libssh2 - structs) / KIB);
}

int mode_memory(const struct pool_options *o)
{
    struct hosts h;
    if (hosts_open(&h, o, (uint32_t)o->hosts + FIRST) || hosts_connect(&h, 0, FIRST))
        return 1;
    struct reading before = read_memory();
    printf("begin\n");
    fflush(stdout);
    double wall_s = bench_now_s();
    for (uint32_t i = FIRST; i < h.count; i += AT_ONE_TIME) {
        uint32_t end = i + AT_ONE_TIME < h.count ? i + AT_ONE_TIME : h.count;
        if (hosts_connect(&h, i, end))
            return 1;
    }
    if (hosts_check(&h, o->dir))
        return 1;
    printf("end\nops %lu\nseconds %.9f\n", o->hosts, bench_now_s() - wall_s);
    double libssh2 = libssh2_bytes(&h);
    hosts_release(&h);
    report(before, read_memory(), libssh2, (uint32_t)o->hosts);
    hosts_close(&h);
    return 0;
}
