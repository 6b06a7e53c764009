import TestSupport
import Testing

extension Mounts {
    /// Symbolic links on the server, as programs see them.
    @Suite struct Links {
        /// pyftpdlib shows everything as what it leads to, and leaves out what leads nowhere.
        static let kinds = TestServer.Kind.available.filter { $0 != .pyftpdlib }

        /// Links of all kinds; `$SECRET` is a file of this machine that no link may show.
        static func given(_ secret: String) -> String {
            """
            mkdir -p d/deep e; echo inside >d/file; echo other >e/file
            ln -s d/file relative; ln -s d todir; ln -s /own/d/file absolute; ln -s /own/d absolutedir
            ln -s ../d/file d/up; ln -s /own/e/file d/deep/far; ln -s ../../e d/deep/updir
            ln -s nothing dangling; ln -s loop loop; ln -s d/../e/file detour
            ln -s \(secret) out; ln -s ../../../../../../../../..\(secret) above
            ln -s d/deep/updir/../../../../../../../..\(secret) through
            ln -s ../.. parent
            """
        }

        private func secret() throws -> (TemporaryDirectory, String) {
            let directory = try TemporaryDirectory("secret")
            let path = directory.path("secret")
            try Files.write("not for the mount\n", to: path)
            return (directory, path)
        }

        @Test(arguments: kinds)
        func `those that stay inside work, no other one is followed`(_ kind: TestServer.Kind) throws {
            let (directory, path) = try secret()
            defer { withExtendedLifetime(directory) {} }
            let mounted = try Mounted(kind, given: Self.given(path))
            let outcome = try mounted.run(
                """
                test "$(cat relative todir/file absolute absolutedir/file d/up)" = "$(yes inside | head -n 5)"
                test "$(cat d/deep/far d/deep/updir/file detour)" = "$(yes other | head -n 3)"
                test "$(readlink relative)" = d/file
                test "$(readlink absolute)" = d/file
                test "$(readlink d/deep/far)" = ../../e/file
                test "$(stat -c %s d/deep/far)" = 12
                for link in out above through parent; do
                    ! cat $link; ! ls $link/ ; ! readlink $link; test -L $link
                done
                ! sh -c 'echo changed >out'
                test "$(cat \(path))" = "not for the mount"
                """)
            #expect(outcome.succeeded, "\(outcome)\n\(mounted.mount.log())")
            #expect(!outcome.output.contains("not for the mount"))
            #expect(outcome.errors.contains("out: Operation not permitted"), "\(outcome.errors)")
        }

        @Test(arguments: kinds)
        func `dangling ones and loops are what they are on a disk`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(
                kind, given: "ln -s nothing dangling; ln -s loop loop; ln -s file good; echo x >file")
            let outcome = try mounted.run(
                """
                test "$(cat good)" = x
                test "$(readlink dangling)" = nothing; test "$(readlink loop)" = loop
                ! cat dangling 2>first; ! cat loop 2>second
                cat first second >&2; rm first second
                rm dangling loop good; test "$(ls)" = file; test "$(cat file)" = x
                """)
            #expect(outcome.succeeded, "\(outcome)\n\(mounted.mount.log())")
            #expect(outcome.errors.contains("dangling: No such file or directory"))
            #expect(outcome.errors.contains("loop: Too many levels of symbolic links"))
        }

        @Test(arguments: kinds)
        func `a renamed directory takes its links along`(_ kind: TestServer.Kind) throws {
            let (directory, path) = try secret()
            defer { withExtendedLifetime(directory) {} }
            let mounted = try Mounted(kind, given: Self.given(path))
            let outcome = try mounted.run(
                """
                test "$(cat d/deep/far)" = other
                mv d/deep moved
                test "$(cat moved/far)" = other
                test "$(readlink moved/far)" = ../e/file
                mkdir -p x/y; mv moved x/y/z
                test "$(cat x/y/z/far)" = other
                test "$(readlink x/y/z/far)" = ../../../e/file
                """)
            #expect(outcome.succeeded, "\(outcome)\n\(mounted.mount.log())")
        }

        @Test(arguments: TestServer.Kind.available)
        func `symlinks=follow shows what they lead to`(_ kind: TestServer.Kind) throws {
            // pyftpdlib looks for absolute targets on the whole machine; Pure-FTPd writes through no link.
            let absolute = kind == .pyftpdlib ? "d/file" : "/own/d/file"
            let mounted = try Mounted(
                kind,
                given: """
                    mkdir d; echo inside >d/file; ln -s d/file tofile; ln -s d todir; ln -s tofile twice
                    ln -s \(absolute) absolute; ln -s nothing dangling; mkdir "$ROOT/beside" 2>/dev/null || true
                    echo beside >"$ROOT/beside/file"; ln -s ../beside/file outside; ln -s ../beside outsidedir
                    """, options: ["symlinks=follow"])
            let outcome = try mounted.run(
                """
                for link in tofile twice absolute outside; do test -f $link; ! test -L $link; done
                for link in todir outsidedir; do test -d $link; ! test -L $link; done
                test "$(cat tofile twice absolute todir/file)" = "$(yes inside | head -n 4)"
                test "$(cat outside outsidedir/file)" = "$(yes beside | head -n 2)"
                test "$(stat -c %s tofile)" = 7
                ! cat dangling
                test \(kind) = pure-ftpd || { echo changed >tofile; test "$(cat "$OWN/d/file")" = changed; }
                """)
            #expect(outcome.succeeded, "\(outcome)\n\(mounted.mount.log())")
        }

        @Test(arguments: kinds)
        func `symlinks=keep leaves them to this machine`(_ kind: TestServer.Kind) throws {
            let (directory, path) = try secret()
            defer { withExtendedLifetime(directory) {} }
            let mounted = try Mounted(kind, given: Self.given(path), options: ["symlinks=keep"])
            let outcome = try mounted.run("cat out; readlink out absolute")
            #expect(outcome.output == "not for the mount\n\(path)\n/own/d/file\n", "\(outcome)\n\(mounted.mount.log())")
        }
    }
}
