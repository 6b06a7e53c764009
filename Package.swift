// swift-tools-version: 6.2
import PackageDescription

// The layers, lowest first. A target may depend only on targets of lower lines; `scripts/check` compares this
// manifest and every import with the table in that script. Why the layers are what they are: Sources/ftpfs/ftpfs.docc.
//
//   5  ftpfs
//   4  FTPMount
//   3  FuseBridge   EmbeddedFTPServer
//   2  FileSystem   FTPClient
//   1  FTPProtocol  Threading
//   0  CFuseBridge  CLinux  Vocabulary  CLibFuse  COpenSSL

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// For targets that touch nothing but bytes: every unsafe construct must be visible.
let strictAndSafe = strict + [.strictMemorySafety()]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
/// Only the module that is used: the umbrella product would build all the others too.
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

let package = Package(
    name: "ftpfs",
    products: [.executable(name: "ftpfs", targets: ["ftpfs"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: [
        // 0
        .systemLibrary(
            name: "CLibFuse",
            pkgConfig: "fuse3",
            providers: [.apt(["libfuse3-dev", "fuse3"])]),
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]),
        .target(name: "CLinux"),
        .target(name: "CFuseBridge", dependencies: ["CLibFuse"]),
        .target(name: "Vocabulary", swiftSettings: strictAndSafe),
        // 1
        .target(name: "FTPProtocol", dependencies: ["Vocabulary"], swiftSettings: strictAndSafe),
        .target(name: "Threading", dependencies: ["CLinux", systemPackage], swiftSettings: strict),
        // 2
        .target(
            name: "FTPClient",
            dependencies: [
                "CLinux", "COpenSSL", "FTPProtocol", "Threading", "Vocabulary", deque, logging, systemPackage,
            ],
            swiftSettings: strict),
        .target(
            name: "FileSystem",
            dependencies: ["CLinux", "Threading", "Vocabulary", logging, systemPackage],
            swiftSettings: strict),
        // 3
        .target(
            name: "FuseBridge",
            dependencies: ["CFuseBridge", "FileSystem", "Threading", "Vocabulary", logging, systemPackage],
            swiftSettings: strict),
        .target(
            name: "EmbeddedFTPServer",
            dependencies: ["CLinux", "COpenSSL", "Threading", "Vocabulary", systemPackage],
            swiftSettings: strict),
        // 4
        .target(
            name: "FTPMount",
            dependencies: [
                "CLinux", "EmbeddedFTPServer", "FTPClient", "FTPProtocol", "FileSystem", "FuseBridge", "Threading",
                "Vocabulary", logging, systemPackage,
            ],
            swiftSettings: strict),
        // 5
        .executableTarget(
            name: "ftpfs",
            dependencies: ["FTPMount", argumentParser],
            swiftSettings: strict),
        // Tests
        .testTarget(name: "VocabularyTests", dependencies: ["Vocabulary"], swiftSettings: strict),
        .testTarget(
            name: "FTPProtocolTests",
            dependencies: ["FTPProtocol", "Vocabulary"],
            exclude: ["Corpus"],
            swiftSettings: strict),
        .testTarget(
            name: "FTPClientTests",
            dependencies: [
                "COpenSSL", "EmbeddedFTPServer", "FTPClient", "FTPProtocol", "FTPMount", "FileSystem", "TestSupport",
                "Threading",
                "Vocabulary", logging, systemPackage,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EmbeddedFTPServerTests",
            dependencies: ["EmbeddedFTPServer", "Threading", "Vocabulary", systemPackage],
            swiftSettings: strict),
        .testTarget(
            name: "FTPMountTests",
            dependencies: [
                "EmbeddedFTPServer", "FTPClient", "FTPMount", "Threading", "Vocabulary", "ftpfs", logging,
                systemPackage,
            ],
            swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["Threading"], path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "ScriptTests", dependencies: ["TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "MountTests",
            dependencies: ["EmbeddedFTPServer", "TestSupport", "Threading", "ftpfs", systemPackage],
            exclude: ["Scenarios"],
            swiftSettings: strict),
        .testTarget(
            name: "ThreadingTests", dependencies: ["Threading", systemPackage], swiftSettings: strict),
        .executableTarget(
            name: "MemoryMount",
            dependencies: ["FileSystem", "FuseBridge", "Threading", "Vocabulary", logging, systemPackage],
            path: "Tests/MemoryMount",
            swiftSettings: strict),
        .testTarget(
            name: "FuseBridgeTests",
            dependencies: [
                "CFuseBridge", "FileSystem", "FuseBridge", "MemoryMount", "Threading", "Vocabulary", systemPackage,
            ],
            swiftSettings: strict),
        .target(
            name: "MemoryStore",
            dependencies: ["FileSystem", "Threading", "Vocabulary", systemPackage],
            path: "Tests/MemoryStore",
            swiftSettings: strict),
        .testTarget(
            name: "FileSystemTests",
            dependencies: ["FileSystem", "MemoryStore", "Threading", "Vocabulary", logging, systemPackage],
            swiftSettings: strict),
    ]
)
