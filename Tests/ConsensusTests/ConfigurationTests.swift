import Base
import Testing

@testable import Consensus

/// Quorums, against an oracle that tries every subset.
@Suite struct ConfigurationTests {
    /// All subsets of `nodes`.
    private func subsets(_ nodes: [NodeID]) -> [[NodeID]] {
        (0..<(1 << nodes.count)).map { bits in nodes.indices.filter { bits >> $0 & 1 == 1 }.map { nodes[$0] } }
    }

    /// Slow and plain: a quorum has more than half of each set.
    private func isQuorum(_ members: [NodeID], _ configuration: Configuration) -> Bool {
        let incoming = configuration.voters.filter(members.contains).count
        let outgoing = configuration.outgoing.filter(members.contains).count
        return incoming * 2 > configuration.voters.count
            && (configuration.outgoing.isEmpty || outgoing * 2 > configuration.outgoing.count)
    }

    /// Every pair of voter sets over five nodes, the second one possibly empty.
    private var configurations: [Configuration] {
        let nodes = (1...5).map { NodeID($0) }
        var result: [Configuration] = []
        for voters in subsets(nodes) where !voters.isEmpty {
            for outgoing in subsets(nodes) { result.append(Configuration(voters: voters, outgoing: outgoing)) }
        }
        return result
    }

    @Test func isQuorumAgreesWithTheOracleOnEverySubset() {
        let all = subsets((1...5).map { NodeID($0) })
        for configuration in configurations {
            for members in all {
                let answer = configuration.isQuorum { members.contains($0) }
                if answer != isQuorum(members, configuration) { Issue.record("\(configuration) \(members)") }
            }
        }
    }

    /// What joint consensus stands on: decisions of either set, and of both, never pass each other by.
    @Test func quorumsOfOneConfigurationMeet() {
        let all = subsets((1...5).map { NodeID($0) })
        for configuration in configurations {
            let quorums = all.filter { members in configuration.isQuorum { members.contains($0) } }
            for one in quorums {
                for other in quorums where !one.contains(where: { node in other.contains(node) }) {
                    Issue.record("\(configuration): \(one) and \(other) do not meet")
                }
            }
        }
    }

    @Test func quorumIndexAgreesWithTheOracle() {
        var generator = RandomGenerator(seed: 7)
        let all = subsets((1...5).map { NodeID($0) })
        for configuration in configurations {
            for _ in 0..<4 {
                let indexes = (0...5).map { _ in LogIndex(generator.next(below: 4)) }
                let match = { (node: NodeID) in indexes[Int(node.rawValue)] }
                // The largest index for which some quorum has all of it.
                var best = LogIndex.zero
                for members in all where isQuorum(members, configuration) {
                    let least = members.map(match).min() ?? .zero
                    best = max(best, least)
                }
                if configuration.quorumIndex(match) != best { Issue.record("\(configuration) \(indexes)") }
            }
        }
    }

    @Test func quorumIndexAgreesWithTheOracleForThreeVotersExhaustively() {
        let configuration = Configuration(voters: (1...3).map { NodeID($0) })
        for a in 0..<4 as Range<UInt64> {
            for b in 0..<4 as Range<UInt64> {
                for c in 0..<4 as Range<UInt64> {
                    let indexes = [a, b, c]
                    let median = indexes.sorted()[1]
                    let answer = configuration.quorumIndex { LogIndex(indexes[Int($0.rawValue) - 1]) }
                    #expect(answer == LogIndex(median))
                }
            }
        }
    }

    @Test func membersAreEverybodyOnceInOrder() {
        let configuration = Configuration(
            voters: [3, 1, 3].map { NodeID($0) }, outgoing: [2, 1].map { NodeID($0) }, learners: [NodeID(9)])
        #expect(configuration.members == [1, 2, 3, 9].map { NodeID($0) })
        #expect(configuration.voters == [1, 3].map { NodeID($0) })
        #expect(configuration.isJoint)
        #expect(configuration.isVoter(NodeID(2)))
        #expect(!configuration.isVoter(NodeID(9)))
    }
}
