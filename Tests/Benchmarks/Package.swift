// swift-tools-version: 6.2
import PackageDescription

// What parses and remembers, measured alone; `scripts/bench --micro` builds and runs it.
//
// A package of its own, so that neither a build nor a test of ftpfs needs the library, which is larger than ftpfs. The
// sources are those of ftpfs, through a link: in one package they may use what is `package` there.

let asInFtpfs: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "ftpfs-benchmarks",
    dependencies: [
        // Without its traits: they replace malloc and parts of Swift's runtime, and are measured along.
        .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    ],
    targets: [
        .target(name: "CLinux", path: "Sources/CLinux"),
        .target(name: "Vocabulary", path: "Sources/Vocabulary", swiftSettings: asInFtpfs),
        .target(
            name: "FTPProtocol", dependencies: ["Vocabulary"], path: "Sources/FTPProtocol", swiftSettings: asInFtpfs),
        .target(
            name: "Threading", dependencies: ["CLinux", systemPackage], path: "Sources/Threading",
            swiftSettings: asInFtpfs),
        // What is measured of it is internal; `-enable-testing` makes it reachable in an optimised build.
        .target(
            name: "FileSystem", dependencies: ["CLinux", "Threading", "Vocabulary", logging, systemPackage],
            path: "Sources/FileSystem", swiftSettings: asInFtpfs + [.unsafeFlags(["-enable-testing"])]),
        .target(name: "CAllocationCount", path: "CAllocationCount"),
        .executableTarget(
            name: "Micro",
            dependencies: [
                "CAllocationCount", "FTPProtocol", "FileSystem", "Threading", "Vocabulary",
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Micro",
            swiftSettings: asInFtpfs,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
