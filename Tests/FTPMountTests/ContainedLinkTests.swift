import Testing
import Vocabulary

@testable import FTPMount

/// No target that a server can send leads out of the mount, and those that stay inside work.
@Suite struct ContainedLinkTests {
    private func shown(_ target: String, at place: String, base: String? = "/srv/ftp") throws -> String? {
        let path = RemotePath(try place.split(separator: "/").map { try FileName(validating: String($0)) })
        return ContainedLink.target(Array(target.utf8), ofLinkAt: path, base: base.map { Array($0.utf8) })
            .map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        arguments: [
            // Relative targets stay as they are.
            ("file", "link", "file"), ("a/b", "link", "a/b"), ("./a//b/", "x/link", "./a//b/"),
            ("../file", "x/link", "../file"), ("../../a", "x/y/link", "../../a"), (".", "link", "."),
            (" ", "link", " "), ("...", "link", "..."),
            // `..` behind a name is resolved here.
            ("a/../b", "link", "b"), ("a/b/../../c", "x/link", "c"), ("a/../../b", "x/link", "../b"),
            ("a/..", "link", "."),
            // Absolute targets below the base become relative.
            ("/srv/ftp/a", "link", "a"), ("/srv/ftp/a", "x/y/link", "../../a"), ("/srv/ftp/x/a", "x/link", "a"),
            ("/srv/ftp", "link", "."), ("/srv/ftp/", "x/link", ".."), ("//srv/./ftp/x/../a", "link", "a"),
            ("/../srv/ftp/a", "link", "a"),
        ] as [(String, String, String)])
    func whatStaysInsideIsShown(_ target: String, _ place: String, _ expected: String) throws {
        #expect(try shown(target, at: place) == expected)
    }

    @Test(
        arguments: [
            ("/etc/passwd", "link"), ("..", "link"), ("../..", "x/link"), ("../../etc/passwd", "x/link"),
            ("a/../../b", "link"), ("/srv/ftp/../x", "link"), ("/srv/ftpx", "link"), ("/srv", "link"), ("/", "link"),
            ("", "link"), ("a\0b", "link"), (String(repeating: "x/", count: 2_048), "link"),
            ("d/up/../../../etc/passwd", "link"),
        ] as [(String, String)])
    func whatLeadsOutIsNot(_ target: String, _ place: String) throws {
        #expect(try shown(target, at: place) == nil)
    }

    @Test func aNameInFrontOfTwoPeriodsNeverReachesTheKernel() throws {
        // `up` may be a link to the root of the mount, from where `..` would leave it.
        #expect(try shown("d/up/../../etc/passwd", at: "link") == "etc/passwd")
        #expect(try shown("/srv/ftp/d/up/../../etc", at: "x/link") == "../etc")
    }

    @Test func theRootOfTheServerIsItsOwnParent() throws {
        #expect(try shown("..", at: "link", base: "/") == ".")
        #expect(try shown("../../../etc/passwd", at: "x/link", base: "/") == "../etc/passwd")
        #expect(try shown("/etc/passwd", at: "x/link", base: "/") == "../etc/passwd")
    }

    @Test func withoutAKnownBaseAbsoluteTargetsLeadOut() throws {
        #expect(try shown("/a", at: "link", base: nil) == nil)
        #expect(try shown("a", at: "link", base: nil) == "a")
        #expect(try shown("..", at: "link", base: nil) == nil)
    }

    /// Whatever the target: from the link's directory, no step of the shown path leads above the root.
    @Test func nothingEverLeavesTheMount() throws {
        var generator = SystemRandomNumberGenerator()
        let words = ["..", ".", "a", "srv", "ftp", "", "..", "b"]
        for _ in 0..<20_000 {
            let target = (0..<Int.random(in: 1...9, using: &generator)).map { _ in
                words.randomElement(using: &generator) ?? ""
            }.joined(separator: "/")
            let depth = Int.random(in: 0...4, using: &generator)
            let place = String(repeating: "d/", count: depth) + "link"
            let base = ["/", "/srv/ftp", nil].randomElement(using: &generator) ?? nil
            guard let shown = try shown(target, at: place, base: base) else { continue }
            let parts = shown.split(separator: "/")
            let ascent = parts.drop { $0 == "." }.prefix { $0 == ".." || $0 == "." }.count { $0 == ".." }
            #expect(!shown.hasPrefix("/") && ascent <= depth, "\(target) at \(place) shows \(shown)")
            #expect(parts.count { $0 == ".." } == ascent, "\(target) at \(place) shows \(shown)")
        }
    }
}
