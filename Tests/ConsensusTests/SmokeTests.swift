import Base
import Testing

@testable import Consensus

@Suite struct SmokeTests {
    @Test(arguments: [1, 3, 5]) func aClusterElectsCommitsAndReads(count: Int) {
        let cluster = TestCluster(count)
        cluster.run(.milliseconds(2000)) { cluster.leader?.raft?.canServe == true }
        guard let leader = cluster.leader else {
            Issue.record("no leader")
            return
        }
        for number in 0..<100 {
            guard case .appended = cluster.propose(leader, "x\(number)") else {
                Issue.record("not appended")
                return
            }
            if number % 7 == 0 { cluster.read(leader, id: UInt64(number)) }
            cluster.run(.milliseconds(2))
        }
        cluster.run(.milliseconds(100))
        for member in cluster.members {
            #expect(member.applied.count == 101)
            #expect(member.raft?.commitIndex == LogIndex(101))
        }
        #expect(leader.readable.count == 15)
        #expect(cluster.violations == [])
    }
}
