import Base
import Glibc
import RESP
import Testing

import kvctl

@Suite struct AddressTests {
    @Test(arguments: [
        ("127.0.0.1:7001", "127.0.0.1:7001"), ("7001", "127.0.0.1:7001"), (":7001", "127.0.0.1:7001"),
        ("localhost:1", "localhost:1"),
        ("[::1]:65535", "[::1]:65535"),
    ])
    func addressesAreRead(_ text: String, _ expected: String) { #expect(Address(argument: text)?.description == expected) }

    @Test(arguments: ["", "localhost", "a:0", "a:65536", "::1:5", "a:b", "a:", "0"])
    func whatIsNoAddressIsRefused(_ text: String) { #expect(Address(argument: text) == nil) }
}

@Suite struct ClusterFileTests {
    private let id = ClusterID(high: 1, low: 2)

    @Test func aNewClusterHasItsPortsInARow() throws {
        let file = try ClusterFile(.init(nodes: 2, clientPort: 7201, peerPort: 7251), clusterID: id)
        #expect(file.nodes.map { $0.client.description } == ["127.0.0.1:7201", "127.0.0.1:7202"])
        #expect(file.nodes.map { $0.peer.description } == ["127.0.0.1:7251", "127.0.0.1:7252"])
        #expect(file.clusterID == "00000000000000010000000000000002")
        #expect(try ClusterFile(.init(), clusterID: id).nodes.count == 3)
    }

    @Test func portsThatOverlapOrEndAreRefused() {
        #expect(throws: Failure.self) { try ClusterFile(.init(nodes: 3, clientPort: 7001, peerPort: 7003), clusterID: id) }
        #expect(throws: Failure.self) { try ClusterFile(.init(nodes: 3, clientPort: 7003, peerPort: 7001), clusterID: id) }
        #expect(throws: Failure.self) { try ClusterFile(.init(nodes: 9, clientPort: 65530), clusterID: id) }
        #expect(throws: Never.self) { try ClusterFile(.init(nodes: 3, clientPort: 7001, peerPort: 7004), clusterID: id) }
    }

    @Test func onlyWhatWasAskedForIsCompared() throws {
        let file = try ClusterFile(.init(nodes: 3), clusterID: id)
        #expect(file.mismatches(with: .init()) == [])
        #expect(file.mismatches(with: .init(nodes: 3, clientPort: 7001, logLevel: "debug")) == [])
        #expect(
            file.mismatches(with: .init(nodes: 5, clientPort: 7301)) == [
                "--nodes is 3 there, not 5", "--client-port is 7001 there, not 7301",
            ])
    }
}

@Suite struct StatusTextTests {
    private func node(_ id: Int, _ figures: [(String, Reply)]) throws -> NodeStatus {
        var node = NodeStatus(
            id: id, client: Address(port: UInt16(7000 + id)), peer: Address(port: UInt16(7100 + id)), process: 40 + Int32(id),
            state: .running)
        try node.take(.map(figures.map { .init(.bulk(Array($0.0.utf8)), $0.1) }))
        return node
    }

    private func status() throws -> ClusterStatus {
        let leader = try node(
            1,
            [
                ("id", .integer(1)), ("role", .bulk(Array("leader".utf8))), ("term", .integer(5)), ("leader", .integer(1)),
                ("commit-index", .integer(90)), ("applied-index", .integer(90)), ("last-index", .integer(91)),
                ("log-bytes", .integer(3 << 20)),
                ("connected-clients", .integer(2)), ("keys", .integer(7)), ("used-memory", .integer(10)),
            ])
        let old = try node(
            2,
            [
                ("role", .bulk(Array("leader".utf8))), ("term", .integer(4)), ("leader", .integer(2)),
                ("commit-index", .integer(60)),
                ("applied-index", .integer(50)),
            ])
        var gone = NodeStatus(id: 3, client: Address(port: 7003), peer: nil, process: nil, state: .stopped)
        gone.reason = "say \"no\"\n"
        return ClusterStatus([leader, old, gone])
    }

    @Test func theLeaderOfTheHighestTermLeads() throws {
        let status = try status()
        #expect(status.leader?.id == 1)
        #expect(status.lag(of: status.nodes[1]) == 40 && status.lag(of: status.nodes[2]) == nil)
    }

    @Test func theTableLinesUp() throws {
        let lines = StatusText.table(try status()).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines == [
                "NODE  CLIENTS AT      PID  STATE    ROLE    TERM  LEADER  COMMIT  APPLIED  LAG  LOG      CLIENTS  KEYS",
                "1     127.0.0.1:7001  41   running  leader  5     1       90      90       0    3.0 MiB  2        7",
                "2     127.0.0.1:7002  42   running  leader  4     2       60      50       40   -        -        -",
                "3     127.0.0.1:7003  -    stopped  -       -     -       -       -        -    -        -        -",
                "      say \"no\"",
                "", "",
            ])
    }

    @Test func jsonHasTheDocumentedNames() throws {
        let text = StatusText.json(ClusterStatus([try status().nodes[0], try status().nodes[2]]))
        #expect(
            text == """
                {"nodes":[{"id":1,"client":"127.0.0.1:7001","peer":"127.0.0.1:7101","pid":41,"state":"running","role":"leader",\
                "term":5,"leader":1,"commitIndex":90,"appliedIndex":90,"lastIndex":91,"lag":0,"logBytes":3145728,\
                "connectedClients":2,"keys":7,"usedMemory":10},{"id":3,"client":"127.0.0.1:7003","peer":null,"pid":null,\
                "state":"stopped","role":null,"term":null,"leader":null,"commitIndex":null,"appliedIndex":null,"lastIndex":null,\
                "lag":null,"logBytes":null,"connectedClients":null,"keys":null,"reason":"say \\"no\\"\\n"}]}

                """)
    }

    @Test func aServerThatIsNoKvdIsRefused() {
        var node = NodeStatus(id: 1, client: Address(port: 1), peer: nil, process: nil, state: .running)
        #expect(throws: Failure.self) { try node.take(.error(Array("ERR unknown command".utf8))) }
        #expect(throws: Failure.self) { try node.take(.array([.integer(1)])) }
        #expect(throws: Failure.self) { try node.take(.integer(1)) }
    }

    @Test func numbersForPeople() {
        #expect(StatusText.bytes(1023) == "1023 B" && StatusText.bytes(1536) == "1.5 KiB")
        #expect(fixed(1.005, 1) == "1.0" && fixed(0.05, 1) == "0.1" && fixed(-2.25, 1) == "-2.3" && fixed(3, 0) == "3")
        #expect(fixed(0.004, 2) == "0.00" && fixed(12.345, 2) == "12.35")
    }
}

@Suite struct NodeProcessTests {
    @Test func thisProcessRunsAndAnotherOfTheSameNumberDoesNot() throws {
        let own = try #require(NodeProcess(id: ProcessIDs.own))
        #expect(own.state == .running)
        #expect(NodeProcess(text: own.text) == own)
        var other = own
        other.startTicks += 1
        #expect(other.state == .stopped)
        #expect(!other.signal(0) && own.signal(0))
    }

    /// Of a killed process the first thread may be gone while another one still waits for the disk: its ports are open until then.
    @Test(arguments: [
        ("S (kvd) S", 5, NodeProcess.State.running), ("kvd", 1, .running), ("kvd) Z (", 1, .running),
    ])
    func aNameMayHoldAnything(_ name: String, threads: Int, state: NodeProcess.State) {
        #expect(NodeProcess.Facts(stat: line(name, "R", threads: threads)) == .init(stat: line("kvd", "S", threads: 1)))
        #expect(NodeProcess.Facts(stat: line(name, "R", threads: threads))?.state == state)
    }

    @Test func aProcessIsGoneWithItsLastThread() {
        #expect(NodeProcess.Facts(stat: line("kvd", "Z", threads: 5))?.state == .running)
        #expect(NodeProcess.Facts(stat: line("kvd", "Z", threads: 1))?.state == .stopped)
        #expect(NodeProcess.Facts(stat: line("kvd", "X", threads: 1))?.state == .stopped)
        #expect(NodeProcess.Facts(stat: line("kvd", "T", threads: 5))?.state == .paused)
        #expect(NodeProcess.Facts(stat: "7 (kvd) S 1 2") == nil && NodeProcess.Facts(stat: "") == nil)
    }

    /// As /proc/ID/stat has it.
    private func line(_ name: String, _ letter: String, threads: Int) -> String {
        "7 (\(name)) \(letter) 1 7 7 0 -1 4227084 1978 0 0 0 3 1 0 0 20 0 \(threads) 0 2307252 0 0"
    }

    @Test(arguments: ["", "12", "12 x", "1 5", "-4 5", "1 2 3"])
    func whatIsNoProcessIsRefused(_ text: String) { #expect(NodeProcess(text: text) == nil) }
}

private enum ProcessIDs {
    static var own: Int32 { getpid() }
}
