"""Copies that were cut off and are gone on with (`resume`)."""

import os
import signal
import time

import harness
from beam_case import KINDS, LIMIT_S, MIB, FaultCase, partial


class BeamResumeTest(FaultCase, harness.ScoutTest):
    def test_a_copy_that_was_cut_off_is_gone_on_with(self):
        for kind in KINDS:
            for host in self.hosts_of(kind):
                with self.subTest(kind=kind, host=host):
                    processes = self.warm(host)
                    request, folder, there = self.begin(kind, least=48 * MIB, resume=True)
                    self.signal(processes, signal.SIGKILL)
                    result = self.client.result(request, LIMIT_S)
                    self.assertFailed(result, "connection-lost", "are kept")
                    self.assertTrue(result["structuredContent"]["kept"])
                    self.assertFalse(os.path.exists(there))
                    self.assertGreaterEqual(partial(folder), 40 * MIB)
                    told = self.assertDone(self.again(kind, there, verify="sha256"))
                    self.assertGreaterEqual(told["resumed"], 32 * MIB)
                    self.assertEqual(told["verified"], "sha256")
                    self.assertSame(self.source, there)
                    os.unlink(there)
                    self.assertNothingLeft(folder)

    def again(self, kind, there, **more):
        if kind == "down":
            return self.beam(beam="copy", target=f"demo1:{self.source}", resume=True, **more)
        if kind == "up":
            return self.beam(beam="source", target=f"demo2:{there}", resume=True, **more)
        return self.beam(beam_source=f"demo1:{self.source}", beam_target=f"demo2:{there}",
                         resume=True, **more)

    def test_what_was_kept_of_an_older_source_is_not_used(self):
        processes = self.warm("demo2")
        request, folder, there = self.begin("up", least=48 * MIB, resume=True)
        self.signal(processes, signal.SIGKILL)
        self.assertFailed(self.client.result(request, LIMIT_S), "connection-lost", "are kept")
        os.utime(self.source, (1, 1))
        told = self.assertDone(self.again("up", there))
        self.assertNotIn("resumed", told)
        self.assertSame(self.source, there)
        os.unlink(there)
        for name in os.listdir(folder):
            if name.startswith(".scout-"):
                os.unlink(os.path.join(folder, name))

    def test_old_leftovers_here_are_swept(self):
        for name, age in ((".scout-old.part", 90000), (".scout-new.part", 60)):
            path = self.local(name, b"x")
            then = time.time() - age
            os.utime(path, (then, then))
        there = self.fleet.write("demo1", "small", b"small")
        self.assertDone(self.beam(beam="sweeps", target=f"demo1:{there}"))
        self.assertEqual([n for n in os.listdir(self.here) if n.startswith(".scout-")],
                         [".scout-new.part"])
        os.unlink(self.local(".scout-new.part"))


if __name__ == "__main__":
    harness.main()
