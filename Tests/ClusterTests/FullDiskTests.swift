import Testing

extension ClusterTests {
    /// A disk without space stops a node before it could lose anything.
    @Suite(.enabled(if: Programs.canMount, "needs a mount namespace of its own (unshare -m)")) struct FullDisk {
        private func expectReport(_ node: TestNode) throws {
            #expect(try node.process?.wait() == .exited(74), "\(node.lastWords)")
            let log = node.lastWords
            for words in ["no space left", node.dataPath, "nothing acknowledged is lost", "free space and start it again"] {
                #expect(log.contains(words), "\(words) in:\n\(log)")
            }
        }

        @Test func nodeWithoutSpaceStopsAndHasEverythingWhenThereIsSpaceAgain() throws {
            let disk = try SmallDisk(megabytes: 32)
            try disk.occupy(megabytes: 14)
            let options = TestCluster.Options(
                nodes: 1, wrappers: [1: disk.wrapper], dataPaths: [1: "\(disk.path)/data"])
            try TestCluster.run(options) { cluster in
                let node = cluster[1]
                func value(_ number: Int) -> String { "\(number)-" + String(repeating: "v", count: 10_000) }
                let client = try node.connect()
                node.expectEnd()
                var acknowledged = 0
                do {
                    while true {
                        #expect(try client.call("SET", "key:\(acknowledged)", value(acknowledged)) == .ok)
                        acknowledged += 1
                        if acknowledged == 10_000 { throw TestFailure("the disk does not become full") }
                    }
                } catch let error as ClientError {
                    #expect(error != .timedOut)
                }
                #expect(acknowledged > 100)
                try expectReport(node)
                try disk.free()
                try node.start()
                try cluster.waitUntilReady()
                let reader = try node.connect()
                for number in 0..<acknowledged { #expect(try reader.call("GET", "key:\(number)") == .text(value(number))) }
                // The one under way may be there or not; nothing is behind it.
                #expect(try reader.call("EXISTS", "key:\(acknowledged + 1)") == .integer(0))
                try cluster.expectHealthy("after the disk was full")
            }
        }

        @Test func othersGoOnWithoutTheNodeThatHasNoSpaceAndItCatchesUpAfterwards() throws {
            let disk = try SmallDisk(megabytes: 48)
            try disk.occupy(megabytes: 30)
            let options = TestCluster.Options(wrappers: [3: disk.wrapper], dataPaths: [3: "\(disk.path)/data"])
            try TestCluster.run(options) { cluster in
                let journals = try Load.run(on: cluster) { load in
                    let writer = try cluster[1].connect()
                    cluster[3].expectEnd()
                    let value = String(repeating: "v", count: 100_000)
                    for number in 0..<2000 where cluster[3].isRunning {
                        #expect(try writer.call("SET", "large:\(number % 10)", value) == .ok)
                    }
                    try expectReport(cluster[3])
                    try cluster.waitUntilReady()
                    try load.waitForProgress()
                    try disk.free()
                    try cluster[3].start()
                    try cluster.waitUntilReady()
                    try load.waitForProgress()
                }
                var audit = try Audit(cluster)
                audit.compare(with: journals)
                audit.expectClean(cluster)
            }
        }
    }
}
