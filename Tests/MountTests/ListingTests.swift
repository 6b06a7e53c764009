import TestSupport
import Testing

extension Mounts {
    /// Listings that real servers cut short, or make long.
    @Suite struct Listings {
        @Test(.enabled(if: TestServer.Kind.real.contains(.pureFTPd)))
        func `of which the server leaves names out deny none of them`() throws {
            let server = try TestServer(.pureFTPd, listingLimit: 20)
            let given = try Shell.run(
                """
                set -eu; cd "$ROOT"; for n in $(seq -w 100); do echo $n >file$n; done; mkdir late; echo x >late/inner
                chown -R --reference=. .
                """, ["ROOT": server.root])
            #expect(given.succeeded, "\(given)")
            let mounted = try MountedFileSystem(server)
            let outcome = try Shell.run(
                """
                set -eu; export LC_ALL=C; cd "$MOUNT"
                test $(ls | wc -l) -lt 100
                for n in $(seq -w 100); do test "$(cat file$n)" = $n; done
                test "$(cat late/inner)" = x
                ! stat none
                ! mkdir file050
                echo new >none; test "$(cat "$ROOT/none")" = new
                rm file077; ! test -e "$ROOT/file077"
                """, ["MOUNT": mounted.path, "ROOT": server.root])
            #expect(outcome.succeeded, "\(outcome)\n\(mounted.log())")
            let warnings = mounted.log().split(separator: "\n").filter { $0.contains("cut the listing short") }
            #expect(warnings.count == 1, "\(warnings)")
        }

        @Test(arguments: TestServer.Kind.real)
        func `of empty directories and of missing ones are told apart`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind, given: "mkdir empty 'with blank' '[x]*' x; touch x/wrong 'with blank/f'")
            let outcome = try mounted.run(
                """
                test -z "$(ls -A empty)"; test -z "$(ls -A '[x]*')"; test "$(ls 'with blank')" = f
                ! ls none; ! ls empty/none; ! ls x/wrong/
                rmdir empty '[x]*'; ! rmdir x; test "$(ls)" = "with blank
                x"
                """)
            #expect(outcome.succeeded, "\(outcome)\n\(mounted.mount.log())")
        }
    }
}
