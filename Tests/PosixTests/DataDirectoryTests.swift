import Base
import Foundation
import Glibc
import Node
import Storage
import Testing

@testable import Posix

@Suite struct DataDirectoryTests {
    static let cluster = ClusterID(high: 1, low: 2)

    @Test func directoriesAreMadeOnTheWay() throws {
        let temporary = try TemporaryDirectory()
        let path = "\(temporary.path)/a/b/c"
        let directory = try DataDirectory(path: path)
        #expect(directory.path == path)
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func aSecondUserIsToldWhoHasIt() throws {
        let temporary = try TemporaryDirectory()
        do {
            let first = try DataDirectory(path: temporary.path)
            #expect(throws: PosixError.directoryInUse(path: temporary.path, process: getpid())) {
                try DataDirectory(path: temporary.path)
            }
            #expect(first.path == temporary.path)
        }
        // The lock goes with its owner.
        _ = try DataDirectory(path: temporary.path)
    }

    @Test func whatCanNotBeADirectoryIsRefusedWithAReason() throws {
        let temporary = try TemporaryDirectory()
        temporary.put("file")
        #expect(throws: PosixError.directory(path: "\(temporary.path)/file/x", operation: "make data directory", code: ENOTDIR)) {
            try DataDirectory(path: "\(temporary.path)/file/x")
        }
        #expect(throws: PosixError.self) { try DataDirectory(path: "") }
        let error = #expect(throws: PosixError.self) { try DataDirectory(path: "/sys/coracle-test") }
        #expect(error?.description.contains("--data") == true)
    }

    @Test func unfinishedFilesOfAnEarlierRunAreRemoved() throws {
        let temporary = try TemporaryDirectory()
        let left = "log-1" + FileSteps.unfinishedSuffix
        temporary.put("\(left)", Data(count: 100))
        temporary.put("log-1", Data(count: 100))
        let directory = try DataDirectory(path: temporary.path)
        #expect(try directory.list() == [FileName("log-1")])
    }

    @Test func filesAreReadAsRecoveryNeedsThem() throws {
        let temporary = try TemporaryDirectory()
        let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        temporary.put("a", Data(content))
        temporary.put("b", Data([1, 2, 3]))
        let directory = try DataDirectory(path: temporary.path)
        #expect(try Set(directory.list()) == [FileName("a"), FileName("b")])
        #expect(try directory.size(of: FileName("a")) == 10_000)
        let buffer = ByteBuffer()
        try directory.read(FileName("a"), offset: 10, count: 5000, into: buffer)
        try directory.read(FileName("b"), offset: 1, count: 100, into: buffer)
        try directory.read(FileName("a"), offset: 9_990, count: 100, into: buffer)
        try directory.read(FileName("a"), offset: 20_000, count: 100, into: buffer)
        #expect(buffer.view.array == Array(content[10..<5010]) + [2, 3] + Array(content[9_990...]))
        directory.endRecovery()
        let path = "\(temporary.path)/missing"
        #expect(throws: StorageError.system(file: path, operation: "find", reason: "No such file or directory")) {
            try directory.size(of: FileName("missing"))
        }
        #expect(throws: StorageError.system(file: path, operation: "read", reason: "No such file or directory")) {
            try directory.read(FileName("missing"), offset: 0, count: 1, into: buffer)
        }
    }

    @Test func theIdentityIsDrawnOnceAndKept() throws {
        let temporary = try TemporaryDirectory()
        let directory = try DataDirectory(path: temporary.path)
        let first = try directory.identity(clusterID: DataDirectoryTests.cluster, nodeID: NodeID(3))
        let second = try directory.identity(clusterID: DataDirectoryTests.cluster, nodeID: NodeID(3))
        #expect(first == second)
        #expect(first.clusterID == DataDirectoryTests.cluster && first.nodeID == NodeID(3))
        #expect(try directory.readIdentity() == first)
    }

    @Test func anotherOnesDirectoryIsRefused() throws {
        let temporary = try TemporaryDirectory()
        let directory = try DataDirectory(path: temporary.path)
        _ = try directory.identity(clusterID: DataDirectoryTests.cluster, nodeID: NodeID(3))
        let cluster = #expect(throws: PosixError.self) {
            try directory.identity(clusterID: ClusterID(high: 9, low: 9), nodeID: NodeID(3))
        }
        #expect(cluster?.description.contains("belongs to cluster 00000000000000010000000000000002") == true)
        let node = #expect(throws: PosixError.self) {
            try directory.identity(clusterID: DataDirectoryTests.cluster, nodeID: NodeID(1))
        }
        #expect(node?.description.contains("belongs to node 3") == true)
    }

    @Test func aDamagedOrLostIdentityIsRefused() throws {
        let temporary = try TemporaryDirectory()
        let directory = try DataDirectory(path: temporary.path)
        _ = try directory.identity(clusterID: DataDirectoryTests.cluster, nodeID: NodeID(3))
        let path = "\(temporary.path)/identity"
        var bytes = temporary.bytes("identity")
        bytes[bytes.count - 1] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(throws: PosixError.self) { try directory.identity(clusterID: DataDirectoryTests.cluster, nodeID: NodeID(3)) }
        directory.endRecovery()
        try FileManager.default.removeItem(atPath: path)
        // Empty again, it may be taken; with files in it, not.
        temporary.put("log-1")
        let error = #expect(throws: PosixError.self) {
            try directory.identity(clusterID: DataDirectoryTests.cluster, nodeID: NodeID(3))
        }
        #expect(error?.description.contains("no file \"identity\"") == true)
    }

    @Test func theProbeMeasuresAndLeavesNothing() throws {
        let temporary = try TemporaryDirectory()
        let directory = try DataDirectory(path: temporary.path)
        for wantsDirect in [true, false] {
            let result = try DiskProbe.run(directory, wantsDirect: wantsDirect)
            #expect(result.typical > Nanoseconds(0))
            if !wantsDirect { #expect(!result.isDirect) }
        }
        #expect(temporary.files() == ["lock"])
    }
}
