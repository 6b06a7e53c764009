import SystemPackage
import Testing
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension MountTests {
    /// Signals that reach a program while it waits.
    @Suite(.serialized) struct InterruptTests {
        @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGKILL], ["cat blocked/x", "cat slow"])
        func whatEndsAProgramEndsItsRequest(signal: Int32, command: String) throws {
            let mount = try MountedMemory()
            let program = try mount.start("ulimit -c 0; exec \(command)")
            #expect(mount.waitsFor(1))
            program.signal(signal)
            let core: Int32 = 0x80
            #expect((program.end() ?? 0) & ~core == (128 + signal) & ~core)
        }

        @Test func timeoutWorks() throws {
            let mount = try MountedMemory()
            #expect(try mount.run("timeout -s INT 1 cat blocked/x").code == 124)
        }

        @Test func aSignalThatTheProgramHandlesDoesNotDisturbTheRequestAndALaterOneEndsIt() throws {
            // Given a program with handlers, that waits,
            let mount = try MountedMemory()
            let program = try mount.start(
                """
                exec perl -e '$SIG{ALRM} = sub { print "alarm\\n" }; $SIG{INT} = sub { print "interrupt\\n" }; $| = 1;
                    open(F, "<", "blocked/x") or print "open: $!\\n"'
                """)
            #expect(mount.waitsFor(1))

            // when a timer fires, the mount looks at it, lets it be, and goes on looking,
            program.signal(SIGALRM)
            let comms = "cat /proc/\(mount.server.process)/task/*/comm"
            #expect(waitUntil(.after(.seconds(30))) { (try? mount.run(comms).text.contains("fuse signals\n")) == true })
            #expect(mount.waitsFor(1))
            #expect(program.text == "")

            // and when somebody presses Ctrl-C, the request ends, although the kernel does not say so a second time.
            program.signal(SIGINT)
            #expect(program.end() == 0)
            #expect(program.text.contains("open: Interrupted system call\n"))
            #expect(program.text.contains("alarm\n"))
            // And the watcher goes when there is nothing to watch.
            #expect(
                waitUntil(.after(.seconds(30))) { (try? mount.run(comms).text.contains("fuse signals\n")) == false })
        }

        @Test func aReadInTheBackgroundEndsWithAHandledSignal() throws {
            // The kernel reads ahead by itself and sends no interrupt for that; the program has a handler.
            let mount = try MountedMemory()
            let program = try mount.start(
                """
                exec perl -e '$SIG{INT} = sub { print "interrupt\\n" }; $| = 1;
                    open(F, "<", "slow"); defined(sysread(F, $b, 10)) or print "read: $!\\n"'
                """)
            #expect(mount.waitsFor(1))
            program.signal(SIGINT)
            #expect(program.end() == 0)
            #expect(program.text == "interrupt\nread: Interrupted system call\n")
        }

        @Test func aReadEndsWithItsProgram() throws {
            // Killed, a program does not wait for the page; the read that it has left behind is ended, and the file closed.
            let mount = try MountedMemory()
            let before = try mount.run("cat status").text
            let program = try mount.start("exec cat slow")
            #expect(mount.waitsFor(1))
            program.signal(SIGKILL)
            #expect(program.end() == 128 + SIGKILL)
            #expect(waitUntil(.after(.seconds(30))) { (try? mount.run("cat status").text) == before })
        }

        @Test func interruptsGetThroughWhenEveryThreadWaits() throws {
            // Given a mount whose one thread waits,
            let mount = try MountedMemory(["threads=1"])
            let first = try mount.start("exec cat blocked/x")
            #expect(waitUntil(.after(.seconds(30))) { first.isWaiting })
            let second = try mount.start("exec cat hello")
            #expect(waitUntil(.after(.seconds(30))) { second.isWaiting })
            // when that is interrupted, the next one gets its answer.
            first.signal(SIGINT)
            #expect(first.end() == 128 + SIGINT)
            #expect(second.end() == 0)
            #expect(second.text == "hello world\n")
        }
    }
}
