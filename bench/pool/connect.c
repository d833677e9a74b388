/* --mode connect: all hosts at one time, until each has its session, its login and its SFTP
 * channel.
 *
 * What counts is the client's CPU (--per cpu): with it as `seconds`, the throughput is connections
 * for each second of CPU, whatever the servers cost that share the machine. */
#include "bench.h"
#include "hosts.h"

int mode_connect(const struct pool_options *o)
{
    struct hosts h;
    if (hosts_open(&h, o, (uint32_t)o->hosts))
        return 1;
    printf("begin\n");
    fflush(stdout);
    double wall_s = bench_now_s(), cpu_s = bench_cpu_self_s();
    if (hosts_connect(&h, 0, h.count))
        return 1;
    wall_s = bench_now_s() - wall_s;
    cpu_s = bench_cpu_self_s() - cpu_s;
    printf("end\n");
    if (hosts_check(&h, o->dir))
        return 1;
    printf("ops %u\nseconds %.9f\n", h.count, o->per_cpu ? cpu_s : wall_s);
    printf("wall_ms %.3f\ncpu_ms.client %.3f\n", wall_s * 1e3, cpu_s * 1e3);
    hosts_close(&h);
    return 0;
}
