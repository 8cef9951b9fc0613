// swift-tools-version: 6.2
import PackageDescription

/// Warnings are errors everywhere: a warning that stays is a warning that nobody reads.
///
/// The optimizer's code motion passes are off: in Swift 6.3.1 one of them drops assignments to a local struct of several fields
/// that is filled in a loop (docs/decisions/0003-code-motion.md; `SET key value NX` lost its NX).
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .unsafeFlags(
        ["-Xllvm", "-sil-disable-pass=early-codemotion", "-Xllvm", "-sil-disable-pass=late-codemotion"],
        .when(configuration: .release)),
]

func library(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", swiftSettings: settings)
}

func program(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", swiftSettings: settings,
        // The server has the runtime inside: calls to it need no way round (SET with 50 clients: 1.04), and it runs where no
        // Swift is installed.
        // kvapply measures what kvd does, so it is linked as kvd is.
        linkerSettings: name == "kvd" || name == "kvapply"
            ? [.unsafeFlags(["-static-stdlib"], .when(configuration: .release))] : [])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: settings)
}

let package = Package(
    name: "coracle",
    products: [
        .executable(name: "kvd", targets: ["kvd"]),
        .executable(name: "kvctl", targets: ["kvctl"]),
        .executable(name: "kvsim", targets: ["kvsim"]),
        .executable(name: "kvfuzz", targets: ["kvfuzz"]),
        .executable(name: "kvdiff", targets: ["kvdiff"]),
    ],
    targets: [
        // Instructions that Swift has no name for.
        .systemLibrary(name: "CIntrinsics", path: "Sources/CIntrinsics"),

        // Pure modules: no I/O, no clock, no randomness of their own. Dependencies point down only.
        library("Base", ["CIntrinsics"]),
        library("RESP", ["Base"]),
        library("Consensus", ["Base"]),
        library("Database", ["Base", "RESP"]),
        library("DistributedSnapshot", ["Base"]),
        library("Storage", ["Base", "Consensus"]),
        library("Node", ["Base", "RESP", "Consensus", "Database", "DistributedSnapshot", "Storage"]),

        // Command lines, in the shape of swift-argument-parser.
        library("ArgumentParsing"),

        // The only I/O.
        .systemLibrary(name: "CLinux", path: "Sources/CLinux"),
        library("Posix", ["Base", "CLinux", "Node", "Storage"]),
        program("kvd", ["ArgumentParsing", "Base", "Node", "Posix", "Storage"]),
        // kvctl starts kvd from the directory that it lies in: the dependency makes `swift run kvctl` build both.
        program(
            "kvctl",
            [
                "ArgumentParsing", "Base", "RESP", "Database", "Consensus", "DistributedSnapshot", "Storage", "Node", "CLinux",
                "kvd",
            ]),

        // The same node under a simulated machine.
        library(
            "Simulator", path: "Simulations/Simulator",
            ["Base", "RESP", "Consensus", "Database", "DistributedSnapshot", "Storage", "Node"]),
        program(
            "kvsim", path: "Simulations/kvsim",
            ["ArgumentParsing", "Base", "DistributedSnapshot", "Storage", "Node", "Simulator"]),

        program(
            "kvfuzz", path: "Simulations/kvfuzz",
            ["ArgumentParsing", "Base", "RESP", "Consensus", "Database", "DistributedSnapshot", "Storage", "Node", "Simulator"]),

        // The same commands to Coracle and to a real Redis; kvdiff starts the kvd that lies beside it.
        library("Differential", path: "Simulations/Differential", ["Base", "RESP", "Database"]),
        program(
            "kvdiff", path: "Simulations/kvdiff", ["ArgumentParsing", "Base", "RESP", "Database", "Differential", "kvd"]),
        // What applying commands costs by itself; driven by Tests/performance/commands.
        program("kvapply", path: "Tests/performance/apply", ["Base", "RESP", "Database"]),

        tests("BaseTests", ["Base"]),
        tests("RESPTests", ["Base", "RESP"]),
        tests("ConsensusTests", ["Base", "Consensus"]),
        tests("DistributedSnapshotTests", ["Base", "DistributedSnapshot"]),
        tests("StorageTests", ["Base", "Consensus", "Storage"]),
        tests("DatabaseTests", ["Base", "RESP", "Database"]),
        tests("NodeTests", ["Base", "RESP", "Consensus", "Database", "DistributedSnapshot", "Storage", "Node"]),
        tests("PosixTests", ["Base", "Node", "Storage", "Posix", "kvd"]),
        // The program is run, too.
        tests(
            "SimulatorTests",
            ["Base", "RESP", "Consensus", "Database", "DistributedSnapshot", "Storage", "Node", "Simulator", "kvsim"]),
        tests("DifferentialTests", ["Base", "RESP", "Database", "Differential", "kvdiff"]),
        tests("ArgumentParsingTests", ["ArgumentParsing"]),
        tests("KvctlTests", ["Base", "RESP", "ArgumentParsing", "kvctl"]),
        // With real processes and real peers; needs the programs built beside it.
        tests(
            "ClusterTests",
            ["Base", "RESP", "Consensus", "Database", "DistributedSnapshot", "Storage", "Node", "kvd", "kvctl"]),
        // The rules of the house: imports, bans, sizes.
        tests("LintTests", []),
    ]
)
